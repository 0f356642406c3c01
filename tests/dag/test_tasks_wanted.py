"""When MediaPipe Tasks are asked, and what stands beside the files that they open."""

from plans import planned


def test_tasks_are_asked_about_each_file_only_where_the_configuration_says_so(workflow):
    usual, asked = (planned(workflow.run("-n", config=[f"tasks={said}"])) for said in (False, True))
    assert "validate_tasks" not in usual and usual["write_labels"] == 1
    assert asked["validate_tasks"] == usual["validate_tflite"]


def test_the_evidence_of_one_file_can_be_had_by_its_name(workflow):
    assert "validate_tasks" in planned(workflow.run("results/digits_resnet8/main.int8.tasks.json", "-n"))
