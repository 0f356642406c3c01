"""When a run takes a closer look at single artifacts: ledgers, sweeps of NMS, errors of tensors."""

import pytest
from plans import errors, planned

MODELS = 'models=["ssd_mobilenet_v1_shapes","digits_resnet8"]'
RULES = {"ledgers": "write_ledger", "nms_sweeps": "sweep_nms", "tensor_errors": "compare_tensors"}
NAMED = {
    "ledgers": "digits_resnet8/main.int8",
    "nms_sweeps": "ssd_mobilenet_v1_shapes/detect_cut.int8",
    "tensor_errors": "digits_resnet8/main.int8",
}


@pytest.mark.parametrize("key", RULES)
def test_a_run_takes_the_closer_looks_that_the_configuration_names(workflow, key):
    usual = planned(workflow.run("-n", config=[MODELS]))
    assert not usual.keys() & {*RULES.values()}
    asked = planned(
        workflow.run("results/summary.md", "results/report", "-n", config=[MODELS, f"{key}=[{NAMED[key]}]"])
    )
    assert {rule: asked[rule] for rule in RULES.values() if rule in asked} == {RULES[key]: 1}


def test_a_ledger_of_a_tensorflow_js_model_is_named_by_its_ending(workflow):
    settings = ["models=[digits_resnet8]", "tfjs=[uint8]", "ledgers=[digits_resnet8/main.uint8.tfjs]"]
    assert planned(workflow.run("results/report", "-n", config=settings))["write_ledger_of_tfjs"] == 1


def test_models_that_the_run_does_not_build_are_left_out(workflow):
    settings = ["models=[digits_slim]", *(f"{key}=[{name}]" for key, name in NAMED.items())]
    assert not planned(workflow.run("-n", config=settings)).keys() & {*RULES.values()}


def test_a_ledger_needs_all_samples(workflow):
    settings = ["models=[digits_resnet8]", "evaluate=until_clear", "ledgers=[digits_resnet8/main.int8]"]
    (line,) = errors(workflow.run("-n", config=settings, check=False))
    assert line.startswith("error: config.yaml: ledgers: need all samples")


@pytest.mark.parametrize(
    "key, name, told",
    [
        ("ledgers", "digits_resnt8/main.int8", "there is no model digits_resnt8; did you mean digits_resnet8"),
        ("ledgers", "digits_resnet8/min.int8", "there is no graph min; did you mean main?"),
        ("tensor_errors", "digits_resnet8/main.int9", "there is no TFLite variant int9; did you mean int8"),
        ("nms_sweeps", "digits_resnet8/main.int8", "its card's `evaluation` has not the metric `coco`"),
        ("nms_sweeps", "ssd_mobilenet_v1_shapes/detect_fast.int8", "graphs with TFLite_Detection_PostProcess share"),
        ("tensor_errors", "int8", "'int8' is not a TFLite artifact, <model>/<graph>.<variant>"),
    ],
)
def test_what_cannot_be_had_is_one_line_before_any_job(workflow, key, name, told):
    (line,) = errors(workflow.run("-n", config=[f"{key}=[{name}]"], check=False))
    assert line.startswith(f"error: config.yaml: {key}") and told in line
