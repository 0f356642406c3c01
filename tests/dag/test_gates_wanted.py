"""When .tflite files are put to the gates of where they will run."""

import pytest
from conftest import REPOSITORY, STARTERS
from plans import errors, planned

from zoomill.plan import gates
from zoomill.yaml_file import load_yaml


@pytest.mark.parametrize("gate", gates.NAMES)
def test_a_gate_is_asked_about_each_file_only_where_the_configuration_says_so(workflow, gate):
    runs = [workflow.run("results/summary.md", "-n", config=[f"deploy={said}"]) for said in ("[]", f"[{gate}]")]
    usual, asked = map(planned, runs)
    (rule,) = (new for new in asked.keys() - usual.keys() if not new.startswith("install_"))
    assert asked[rule] == usual["validate_tflite"]


@pytest.mark.parametrize("gate", gates.NAMES)
def test_the_evidence_of_one_file_can_be_had_by_its_name(workflow, gate):
    assert "validate_tflite" not in planned(workflow.run(f"results/digits_resnet8/main.int8.{gate}.json", "-n"))


def test_an_unknown_gate_is_named(workflow):
    (line,) = errors(workflow.run("-n", config=["deploy=[taks]"], check=False))
    assert "deploy[0]: 'taks' is not one of" in line


def test_the_whole_starter_zoo_is_put_to_the_gates_of_which_its_configuration_says_so(workflow):
    asked = load_yaml(REPOSITORY / "starter/config.yaml")["deploy"]
    jobs = planned(workflow.run("-n", config=[*STARTERS, f"deploy={asked}"]))
    assert jobs["validate_tasks"] == jobs["validate_vela"] == jobs["validate_tflite"]
