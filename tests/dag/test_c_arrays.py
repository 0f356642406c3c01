"""Which C arrays are made, and what they are called."""

import re

import pytest
from plans import commands, errors, planned

STARTER = "ssd_mobilenet_v1_shapes"


def names(plan):
    """Return ``{artifact: name in C}`` of the C arrays that a dry run would write."""
    written = [command for command in commands(plan) if "/write_c_array.py" in command]
    return dict(re.search(r"--tflite results/(\S+)\.tflite \\\n --name (\S+)", command).groups() for command in written)


@pytest.mark.parametrize(
    "artifact, name",
    [
        ("digits_resnet8/main.int8_io", "resnet8_digit_classification"),
        ("digits_resnet8/main.float32", "resnet8_digit_classification_float32"),
        ("digits_slim/main.int16x8", "digits_slim_int16x8"),
        (f"{STARTER}/detect_cut.toco_float32", f"{STARTER}_detect_cut_toco_float32"),
    ],
)
@pytest.mark.parametrize("end", ["cc", "h"])
def test_artifacts_can_be_had_as_c_arrays(workflow, artifact, name, end):
    plan = workflow.run(f"results/{artifact}.{end}", "-n", "-p")
    assert names(plan) == {artifact: name}


def test_the_configuration_adds_c_arrays_of_every_graph_that_can_have_the_variant(workflow):
    settings = [f"models=[{STARTER},digits_resnet8]", "c_arrays=[int8,toco_float32]"]
    plan = workflow.run("results/SHA256SUMS", "-n", "-p", config=settings)
    graphs = ["detect_cut", "detect_regular", "detect_fast"]
    expected = {f"{STARTER}/{graph}.{variant}" for graph in graphs for variant in ("int8", "toco_float32")}
    assert set(names(plan)) == expected | {"digits_resnet8/main.int8"}
    assert len(set(names(plan).values())) == len(names(plan))


def test_no_c_array_is_made_unless_it_is_asked_for(workflow):
    assert "write_c_array" not in planned(workflow.run("-n"))


def test_a_variant_that_is_none_is_refused(workflow):
    plan = workflow.run("-n", config=["c_arrays=[int3]"], check=False)
    assert plan.returncode != 0 and "error: config.yaml: c_arrays[0]: 'int3' is not one of" in plan.stdout


@pytest.mark.parametrize("variant, said", [("float16", "weights of float16"), ("dynamic", "weights of int8 and float")])
def test_a_variant_that_tflite_micro_does_not_run_is_refused_before_any_job(workflow, variant, said):
    reason = f"cannot be had: TFLite Micro has no kernels for {said}"
    (line,) = errors(workflow.run("-n", config=[f"c_arrays=[{variant}]"], check=False))
    assert line.startswith(f"error: config.yaml: c_arrays: {variant} {reason}")
    for end in ("cc", "h", "micro.metric.json"):
        target = f"results/digits_resnet8/main.{variant}.{end}"
        (line,) = errors(workflow.run(target, "-n", check=False))
        assert line.startswith(f"error: {target}: {reason}")


def test_c_arrays_of_evaluated_models_are_scored_by_the_kernels_that_run_them(workflow):
    found = {}
    for evaluate in (True, False):
        settings = ["models=[digits_resnet8]", "c_arrays=[int8_io]", f"evaluate={evaluate}"]
        lines = commands(workflow.run("-n", "-p", config=settings))
        found[evaluate] = [command for command in lines if "/evaluate_tflite.py" in command and "--kernels" in command]
    assert found[False] == [] and len(found[True]) == 1
    assert "--output results/digits_resnet8/main.int8_io.micro.metric.json" in found[True][0]
    assert "--kernels micro" in found[True][0]
