"""The rules in another workflow, which uses them as a module in a folder of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY
from plans import errors, planned

from zoomill import files

SNAKEFILE = f"""
rule app:
    input:
        "results/digits_resnet8/main.float32.tflite",
        "results/digits_resnet8/provenance.json",
        "results/SHA256SUMS",
    output:
        "app/model.tflite",
    shell:
        "cp {{input[0]}} {{output}}"


rule broken:
    output:
        "results/own/broken",
    log:
        "logs/first",
        "logs/second",
    shell:
        "echo none >{{log[0]}}; false"


module zoomill:
    snakefile:
        "{REPOSITORY}/Snakefile"
    config:
        config["models"]


use rule * from zoomill as zoomill_*
"""
# As snakedeploy 0.17 writes it, but for the place of the configuration.
DEPLOYED = """
configfile: "other.json"

module zoomill:
    snakefile:
        github("us/zoomill", path="workflow/Snakefile", tag="v1")
    config:
        config

use rule * from zoomill
"""
PROFILE = ("--workflow-profile", REPOSITORY / "profiles/default")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Folder of the other workflow; its configuration has keys that are not ours."""
    place = tmp_path_factory.mktemp("other")
    (place / "Snakefile").write_text(SNAKEFILE)
    files.write_json(
        place / "other.json", {"title": "x", "models": {"models": ["digits_resnet8"], "tflite": ["float32"]}}
    )
    return place


def run(place, *arguments, flags=PROFILE, **kwargs):
    """Run the other workflow in a folder and return the completed process, all that it said in ``stdout``."""
    program = Path(sys.executable).with_name("snakemake")
    command = [program, "-j2", *arguments, "--configfile", "other.json", *flags]
    return subprocess.run(command, cwd=place, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kwargs)


@pytest.mark.slow
def test_another_workflow_builds_with_the_rules_what_it_needs_of_them(folder):
    process = run(folder)
    assert process.returncode == 0 and "localrules" not in process.stdout, process.stdout
    assert files.digest(folder / "app/model.tflite") in (folder / "results/SHA256SUMS").read_text()
    makers = files.read_json(folder / "results/digits_resnet8/provenance.json")
    assert "convert_tflite" in str(makers) and "app" not in makers
    assert sorted(path.name for path in folder.iterdir() if path.name[0] != ".") == [
        *("Snakefile", "app", "benchmarks", "build", "logs", "other.json", "results", "sources")
    ]


def test_its_own_first_rule_is_the_default_and_its_own_targets_are_its_own_matter(folder):
    jobs = planned(run(folder, "-n", "--forceall"))
    assert jobs["app"] == 1 and "zoomill_convert_tflite" in jobs and "zoomill_validate_tflite" not in jobs
    process = run(folder, "results/own/broken")
    assert errors(process) == ["error: broken: none (unexpected; see logs/first)"]


def test_without_environments_for_jobs_a_line_says_how_to_have_them(folder):
    assert "Jobs have no environments" in run(folder, "-n", flags=()).stdout
    assert "Jobs have no environments" not in run(folder, "-n").stdout


def test_what_snakedeploy_writes_takes_the_repository_from_its_host(repository_copy, tmp_path):
    commit = "git init -q && git add -A && git -c user.name=x -c user.email=x@x commit -qm x && git tag v1"
    subprocess.run(commit, cwd=repository_copy, shell=True, check=True)
    host = {
        "GIT_CONFIG_KEY_0": f"url.{repository_copy}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/us/zoomill",
    }
    (tmp_path / "Snakefile").write_text(DEPLOYED)
    files.write_json(tmp_path / "other.json", {"models": ["digits_resnet8"], "tflite": ["float32"], "evaluate": False})
    process = run(tmp_path, "-n", env={**os.environ, **host, "GIT_CONFIG_COUNT": "1", "XDG_CACHE_HOME": str(tmp_path)})
    assert planned(process)["convert_tflite"] == 1, process.stdout
    assert str(REPOSITORY) not in process.stdout.partition("Building DAG")[2]


@pytest.mark.parametrize(
    "old, new, line",
    [
        ('config["models"]', '{"models": ["digits_resnet"]}', "config.yaml: models: there is no model digits_resnet"),
        (
            'config["models"]',
            'config["models"]\n    prefix:\n        "deep"',
            "a module of zoomill can have no `prefix`",
        ),
    ],
)
def test_a_mistake_in_the_module_is_said_in_one_line(tmp_path, folder, old, new, line):
    (tmp_path / "Snakefile").write_text(SNAKEFILE.replace(old, new))
    os.symlink(folder / "other.json", tmp_path / "other.json")
    (found,) = errors(run(tmp_path, "-n"))
    assert found.startswith(f"error: {line}")
