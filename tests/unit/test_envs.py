"""The environment files, the locks of the host and the profiles."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from uv import find_uv_bin

ROOT = Path(__file__).parents[2]
ENVS = ROOT / "envs"
PIN = re.compile(r"[a-z0-9][a-z0-9-]*==[0-9][0-9a-z.+]*")
ADDRESS = re.compile(r"://|--[a-z-]+-(url|links|host)\b")

each_environment = pytest.mark.parametrize("file", sorted(ENVS.glob("*.yaml")), ids=lambda file: file.stem)
each_lock = pytest.mark.parametrize("name", ["host", "slurm"])


def dependencies(file):
    """Return the Python requirement and the pins of an environment."""
    python, pip, packages = yaml.safe_load(file.read_text())["dependencies"]
    assert pip == "pip"
    return python, packages["pip"]


def locked(name):
    """Return {package line: hashes} of a lock."""
    entries = re.split(r"\n(?=\S)", (ENVS / f"{name}.lock").read_text().strip())
    return {entry.split(" \\")[0]: re.findall(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in entries}


@each_environment
def test_environment_is_named_like_its_file_and_comes_from_conda_forge_only(file):
    environment = yaml.safe_load(file.read_text())
    assert environment["name"] == file.stem
    assert environment["channels"] == ["conda-forge", "nodefaults"]


@each_environment
def test_every_version_is_exact(file):
    python, pins = dependencies(file)
    assert re.fullmatch(r"python=3\.\d+", python)
    assert [pin for pin in pins if not PIN.fullmatch(pin)] == []
    names = [pin.split("==")[0] for pin in pins]
    assert names == sorted(set(names))


@each_environment
def test_post_deploy_installs_exact_versions_without_dependencies(file):
    script = file.with_suffix(".post-deploy.sh")
    lines = script.read_text().splitlines() if script.exists() else []
    for line in filter(lambda line: "install" in line and not line.startswith("#"), lines):
        # A build of PyTorch with CUDA has dependencies that the CPU's has not.
        assert "--no-deps" in line or line.split()[-1].startswith("torch==")
        assert PIN.fullmatch(line.split()[-1])


def test_no_pin_file_makes_snakemake_drop_the_pip_section():
    assert list(ENVS.glob("*.pin.txt")) == []


@pytest.mark.network
@each_environment
def test_pins_are_their_own_closure(file):
    python, pins = dependencies(file)
    version = python.removeprefix("python=")
    command = [find_uv_bin(), "pip", "compile", "--quiet", "--no-annotate", "--no-header"]
    command += ["--python-version", version, "--python-platform", "x86_64-manylinux_2_28", "-"]
    resolved = subprocess.run(command, input="\n".join(pins), capture_output=True, text=True)
    assert resolved.returncode == 0, resolved.stderr
    assert resolved.stdout.split() == pins


@each_lock
def test_every_package_of_the_lock_has_hashes(name):
    packages = locked(name)
    assert len(packages) > 20
    assert [package for package, hashes in packages.items() if not hashes] == []


def test_slurm_lock_is_the_host_lock_and_the_plugin():
    host, slurm = locked("host"), locked("slurm")
    assert host.items() <= slurm.items()
    assert any(line.startswith("snakemake-executor-plugin-slurm==") for line in slurm.keys() - host.keys())


def test_nothing_names_a_registry():
    files = [*ENVS.glob("*.yaml"), *ENVS.glob("*.sh"), *ENVS.glob("*.in"), *ENVS.glob("*.lock")]
    assert [file.name for file in files if ADDRESS.search(file.read_text())] == []


def environments_folder(folder, **variables):
    """Return where Snakemake keeps environments under the default profile."""
    (folder / "empty.yaml").write_text("dependencies: []\n")
    (folder / "Snakefile").write_text('rule all:\n    output: "x"\n    conda: "empty.yaml"\n    shell: ""\n')
    path = os.pathsep.join([str(ENVS / "uv" / "bin"), *os.get_exec_path()])
    unset = {key: value for key, value in os.environ.items() if key != "SNAKEMAKE_CONDA_PREFIX"}
    listed = subprocess.run(
        [sys.executable, "-m", "snakemake", "--list-conda-envs"]
        + ["--workflow-profile", str(ROOT / "profiles" / "default")],
        cwd=folder,
        env={**unset, "PATH": path, "ZOOMILL_PYTHON": sys.executable, **variables},
        capture_output=True,
        text=True,
    )
    assert listed.returncode == 0, listed.stderr
    return (folder / listed.stdout.split()[-1]).resolve().parent


def test_default_profile_keeps_environments_per_user(tmp_path):
    assert environments_folder(tmp_path, HOME=str(tmp_path)) == tmp_path / ".cache" / "zoomill" / "envs"


def test_environments_can_be_kept_elsewhere(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    assert environments_folder(tmp_path, SNAKEMAKE_CONDA_PREFIX=str(elsewhere)) == elsewhere


def test_slurm_profile_differs_from_the_default_in_the_machine_only():
    default, slurm = (
        yaml.safe_load((ROOT / "profiles" / name / "profile.yaml").read_text()) for name in ("default", "slurm")
    )
    for profile in (default, slurm):
        assert "import os" in profile.pop("__definitions__")
    # The memory of the submitting machine bounds local jobs only.
    assert default.keys() - slurm.keys() == {"resources"}
    assert {key: slurm[key] for key in default.keys() & slurm.keys()}.items() <= default.items()
