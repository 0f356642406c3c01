"""The benches of docs/benchmarks.md still say what they measure: both sides make the same files, and nothing else."""

import importlib
import os
import re
import shlex
import subprocess
import sys

import pytest
from conftest import REPOSITORY, as_plan
from plans import planned

from zoomill.plan import schemas
from zoomill.yaml_file import load_yaml

PAGE = REPOSITORY / "docs/benchmarks.md"
BENCH = REPOSITORY / "tests/bench"


@pytest.fixture
def bench(monkeypatch):
    """Return a function that imports a module of tests/bench."""
    monkeypatch.syspath_prepend(BENCH)
    return importlib.import_module


def ending(name):
    """Return what the name of a file says besides its graph, which other tools name as they like."""
    return re.search(r"(?:.*[._])?((?:toco_|torch_)?[a-z0-9]+\.(?:tflite|tfjs))$", name)[1]


def test_peers_make_the_files_that_the_workflow_is_asked_for(bench, tmp_path):
    for case in bench("cases").CASES.values():
        for name, commands in case.peers.items():
            made = [file for command in commands(tmp_path) for file in command.writes]
            assert sorted(map(ending, made)) == sorted(map(ending, case.files)), name


def test_the_recipe_writes_the_twelve_files_of_the_workflow_by_their_names(bench, tmp_path):
    case = bench("cases").CASES["recipe"]
    (commands,) = case.peers.values()
    found = list(commands(tmp_path))
    assert sorted(file for one in found for file in one.writes) == sorted(case.files)
    # A command line names what it writes, and each file is compared.
    assert all(file in " ".join(map(str, one.arguments)) for one in found for file in one.writes)
    assert {file for one in found if one.compares for file in one.arguments} >= set(case.files)


def test_the_workflow_plans_nothing_but_the_files_of_the_recipe_and_their_evidence(bench, tmp_path):
    case, measure = bench("cases").CASES["recipe"], bench("measure")
    command, env = as_plan(measure.workflow(tmp_path, case.targets(True), ["-n"], models=[case.model]))
    process = subprocess.run(
        command, cwd=tmp_path, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.returncode == 0, process.stdout
    jobs = planned(process)
    assert jobs.pop("validate_tflite") == len(case.files) == 12
    # What comes before them: one source, its graphs, and the way of each file.
    assert jobs == {
        "fetch_source": 1,
        "export_tf1_detection": 1,
        "convert_tflite": 1,
        "quantise_tflite": 2,
        "graft_postprocess": 6,
        "add_postprocess": 2,
        "write_contract": 2,
        "run_toco": 3,
        "finish_toco": 3,
    }


def test_limits_of_cases_are_those_of_a_configuration_and_a_cards_question_is_answered(bench, tmp_path):
    schema = schemas.load(REPOSITORY / "rules/schemas")["config"]
    for case in bench("cases").CASES.values():
        schemas.check({"models": [case.model], "limits": case.limits}, schema, case.title)
        assert bool(case.source) == bool(case.value_range)
    card = tmp_path / "card.yaml"
    card.write_text("inputs:\n  # A picture?\n  - {name: x, shape: [1, 2]}\n")
    bench("peers").answer(card, [0, 1])
    assert load_yaml(card) == {"inputs": [{"name": "x", "shape": [1, 2], "value_range": [0, 1]}]}


def costs(command, folder):
    """Run a bench on one command, in a process of its own: it waits for all of its children."""
    program = "import sys, measure; print(measure.cost([sys.argv[1:]], '.').cpu)"
    environment = {**os.environ, "PYTHONPATH": str(BENCH)}
    words = [sys.executable, "-c", program, *command]
    return subprocess.run(words, cwd=folder, env=environment, text=True, capture_output=True)


def test_a_bench_counts_what_has_left_its_parent(tmp_path):
    burn = "import time\nwhile time.process_time() < 0.5: pass"
    leave = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {burn!r}], start_new_session=True)"
    assert float(costs([sys.executable, "-c", leave], tmp_path).stdout) > 0.5


def test_a_bench_tells_the_last_line_of_what_fails(tmp_path):
    process = costs(["sh", "-c", "echo Traceback; echo; echo no such thing; echo; exit 1"], tmp_path)
    assert process.returncode and process.stderr.endswith("Failed: no such thing\n")


def test_the_commands_of_the_page_are_those_of_the_benches():
    lines = re.findall(r"by `python (tests/bench/[^`]+)`", PAGE.read_text())
    assert lines
    for line in lines:
        script, *words = shlex.split(line)
        told = subprocess.run([sys.executable, REPOSITORY / script, "--help"], text=True, capture_output=True)
        assert told.returncode == 0, told.stderr
        assert all(word in told.stdout for word in words if word.startswith("--")), line
