"""The Slurm profile as it stands, on a real Slurm: the results are those of a local run."""

import subprocess

import one_machine
import pytest
from conftest import REPOSITORY, missing

SNAKEMAKE = REPOSITORY / ".venv-slurm/bin/snakemake"
# Only to look at short jobs more often than clusters like.
POLLING = ["--slurm-init-seconds-before-status-checks=3", "--seconds-between-status-checks=2"]


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """The environment in which sbatch reaches a cluster of this one machine."""
    if programs := one_machine.missing_programs():
        missing(f"no {', '.join(programs)}; on Debian, apt-get install slurm-wlm slurmctld slurmd munge")
    if not SNAKEMAKE.exists():
        missing("no .venv-slurm; `make .venv-slurm/complete` builds it")
    with one_machine.cluster(tmp_path_factory.mktemp("slurm")) as environment:
        yield environment


@pytest.mark.slow
@pytest.mark.slurm
def test_a_run_on_slurm_gives_the_bytes_of_a_local_one_with_one_submission_a_model(slurm, starter_run, tmp_path):
    command = [
        SNAKEMAKE,
        *("--snakefile", REPOSITORY / "Snakefile"),
        *("--configfile", REPOSITORY / "config.yaml"),
        *("--directory", tmp_path),
        *("--workflow-profile", REPOSITORY / "profiles/slurm"),
        *POLLING,
        *("--config", 'models=["ssd_mobilenet_v1_shapes"]', "evaluate=False", "browser=False", "tfjs=[]"),
    ]
    process = subprocess.run(
        command, cwd=tmp_path, env=slurm, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600
    )
    assert process.returncode == 0, process.stdout
    assert process.stdout.count("has been submitted with SLURM jobid") == 1
    for path in ("results/SHA256SUMS", "results/summary.md"):
        assert (tmp_path / path).read_bytes() == starter_run.file(path).read_bytes()
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=tmp_path / "results", check=True)
