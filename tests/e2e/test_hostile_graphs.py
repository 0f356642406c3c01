"""TensorFlow graphs that do more than compute, or that TensorFlow would not survive, are refused in one line."""

import json
import os
import subprocess

import pytest
from conftest import REPOSITORY

TOUCHES = {
    "read_file": "ReadFile",
    "write_file": "WriteFile",
    "write_file_in_a_branch": "WriteFile",
    "print_into_a_file": "PrintV2",
    "on_call": "WriteFile",
    "on_load": "WriteFile",
    "on_load_of_1": "WriteFile",
    "on_restore_of_1": "WriteFile",
    "table_of_another_file": "InitializeTableFromTextFileV2",
    "restore_of_another_file_of_1": "RestoreV2",
}
REFUSED = {
    "call_python": "is of PyFunc, which runs code",
    "chain": "has 60,002 nodes in a row",
    "cycle": "its nodes feed themselves",
    "large_constant": "its constants have 4,611,686,018,427,387,912 bytes",
    "large_input": "input x: has the shape [1, 1099511627776]",
    "function_that_calls_itself": "its function f calls itself",
    "functions_that_double": "nodes with those of its functions",
    "functions_far_inside": "has functions inside functions more than 200 deep",
    "asset_outside": "which is not inside the model's folder",
    "asset_outside_of_1": "which is not inside the model's folder",
}
EXPORTED = ["print_to_the_terminal", "harmless_asset", "harmless_asset_of_1"]


@pytest.fixture(scope="module")
def said(tmp_path_factory, environment_python):
    """What came of each case, by one process of TensorFlow that never runs longer than the slowest right one."""
    script = REPOSITORY / "tests/e2e/hostile_graphs.py"
    command = [environment_python("tf2"), script, tmp_path_factory.mktemp("hostile")]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "scripts")}
    process = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.splitlines()[-1])


@pytest.mark.parametrize("case", TOUCHES)
def test_an_operator_that_touches_files_is_refused(said, case):
    assert f"is of {TOUCHES[case]}, which touches files; allow it in the card with" in said[case]


@pytest.mark.parametrize("case", REFUSED)
def test_what_tensorflow_would_not_survive_is_refused(said, case):
    assert REFUSED[case] in said[case]


def test_every_refusal_is_one_line_with_the_model(said):
    lines = [said[case] for case in {*TOUCHES, *REFUSED}]
    assert [line for line in lines if not line.startswith("error: m: ") or "\n" in line] == []


@pytest.mark.parametrize("case", EXPORTED)
def test_what_only_computes_is_exported(said, case):
    assert said[case] == "exported"


def test_nothing_was_written(said):
    assert said["wrote"] == []


def test_an_operator_that_the_card_allows_runs(said):
    assert (said["allowed"], said["allowed wrote"]) == ("exported", True)
