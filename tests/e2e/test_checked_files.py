"""`./zoomill check` on a stranger's file: every gate answers, and what it cannot tell is said."""

import json
import shutil
import subprocess
import sys

import pytest
from conftest import REPOSITORY

from zoomill.plan import gates


@pytest.fixture(scope="module")
def checked(clone, digits, tmp_path_factory):
    """The process that has checked a file of integers outside of the repository, and the evidence by gate."""
    path = tmp_path_factory.mktemp("mine") / "mine.tflite"
    shutil.copy(digits.file("results/digits_resnet8/main.int8.tflite"), path)
    command = [sys.executable, clone / "zoomill", "check", path.name]
    process = subprocess.run(command, cwd=path.parent, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    files = {gate: clone / f"results/mine/source.given.{gate}.json" for gate in gates.NAMES}
    return process, {gate: json.loads(file.read_text()) for gate, file in files.items()}


def test_the_table_has_a_column_for_each_gate(checked):
    process, evidence = checked
    (heading,) = [line for line in process.stdout.splitlines() if line.startswith("| where it runs")]
    assert [cell.strip() for cell in heading.strip("|").split("|")][1:] == [gate.title for gate in gates.TABLE]
    assert {item["bytes"] for item in evidence.values()} == {evidence["micro"]["bytes"]}


def test_what_needs_no_inputs_is_told_and_what_needs_them_is_not_tested(checked):
    process, evidence = checked
    assert evidence["vela"]["verdict"] == evidence["latency"]["verdict"] == "passed"
    assert evidence["micro"]["arena"]["total"] > 10_000 and evidence["micro"]["verdict"] == "not tested"
    assert evidence["gpu"]["operators"] == evidence["gpu"]["on_gpu"] and evidence["gpu"]["known_faults"]
    assert process.returncode == 1 and "not tested: " in process.stdout


def test_nothing_of_it_stands_in_the_catalogue(checked, clone):
    assert not (clone / "models/mine.yaml").exists() and (clone / "build/check/mine.yaml").exists()
    assert (clone / "models").is_dir() and sorted(path.name for path in (REPOSITORY / "models").iterdir()) == sorted(
        path.name for path in (clone / "models").iterdir()
    )
