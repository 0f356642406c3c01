"""LiteRT's GPU accelerator, on the processor: what it gets wrong is found and named, and the other form is right."""

import json
import shutil

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from conftest import missing
from small_models import Builder, picture_contract

from zoomill import files
from zoomill.tflite import gpu_fault, gpu_form, runtime, swiftshader, tflite_file

pytestmark = pytest.mark.slow
MODEL = "digits_resnet8"
SAMPLES = ("--form", '{"reader": "npy", "label": "class"}', "--metric", '{"name": "top_k"}')


@pytest.fixture(scope="session")
def asked(environment_python, command, tmp_path_factory):
    """Return a function from a file, its contract and further flags to the evidence about it."""
    if not shutil.which("chromium"):
        missing("Chromium, whose SwiftShader stands for a GPU, is not installed")
    python, folder = environment_python("evaluate"), tmp_path_factory.mktemp("gpu")

    def ask(artifact, contract, *flags):
        given = ["--artifact", artifact, "--contract", contract, "--variant", artifact.stem, *flags]
        given += ["--output", folder / "gpu.json"]
        process = command(python, "validate_gpu", *given)
        assert process.returncode == 0, process.stderr
        return files.read_json(folder / "gpu.json")

    return ask


@pytest.fixture(scope="session")
def of_digits(asked, digits):
    """Return a function from a variant to the evidence on golden inputs and samples, made once."""
    known, build = {}, digits.file(f"build/{MODEL}")
    flags = ["--golden", build / "main/golden.npz", "--samples", build / "evaluation.csv"]
    flags += ["--folder", digits.file("sources/digits"), *SAMPLES]

    def ask(variant):
        if variant not in known:
            file = digits.file(f"results/{MODEL}/main.{variant}.tflite")
            known[variant] = asked(file, build / "main/contract.json", *flags)
        return known[variant]

    return ask


@pytest.mark.parametrize("variant", ["float32", "int8_gpu"])
def test_a_right_file_runs_as_a_whole_and_gives_the_same_answers(of_digits, variant):
    found = of_digits(variant)
    assert (found["verdict"], found["known_faults"], found["refused"]) == ("passed", [], [])
    assert found["on_gpu"] == found["operators"] and found["parity"]["gpu"]["inputs"] == 368
    assert found["metric"]["gpu"] == found["metric"]["builtin"] == pytest.approx(0.9833, abs=1e-4)
    assert "SwiftShader" in found["adapter"]


@pytest.mark.parametrize("variant", ["dynamic", "int8"])
def test_the_operator_that_goes_wrong_is_found_by_running_each_alone(of_digits, variant):
    found = of_digits(variant)
    assert (found["verdict"], found["on_gpu"]) == ("failed", found["operators"])
    assert found["failures"][0].startswith("18 of 368 decisions are others than those of LiteRT's kernels")
    assert "; CONV_2D " in found["failures"][-1] and "conv2d_5/BiasAdd_1), alone, is off by 9" in found["failures"][-1]
    assert found["metric"]["gpu"] == pytest.approx(0.9528, abs=1e-4)
    assert found["metric"]["builtin"] == pytest.approx(0.9833, abs=1e-4)
    assert len(found["known_faults"]) == 2 and found["failures"][-1].split("; ")[1].startswith(
        found["known_faults"][0].split(":")[0]
    )


def test_without_samples_nothing_is_said_of_the_answers_and_the_known_fault_is_told(asked, digits):
    build, file = digits.file(f"build/{MODEL}/main"), digits.file(f"results/{MODEL}/main.int8.tflite")
    found = asked(file, build / "contract.json", "--golden")
    assert (found["verdict"], found["passed"], found["failures"]) == ("not tested", False, [])
    assert found["not_tested"][0].startswith("it was run on no evaluation samples") and len(found["not_tested"]) == 3


def test_a_contract_with_questions_is_enough_where_there_are_no_inputs(asked, digits, tmp_path):
    contract = files.read_json(digits.file(f"build/{MODEL}/main/contract.json"))
    contract["inputs"][0]["value_range"] = "? what 0 and 255 of a picture become"
    (tmp_path / "contract.json").write_text(json.dumps(contract))
    found = asked(digits.file(f"results/{MODEL}/main.float32.tflite"), tmp_path / "contract.json")
    assert found["on_gpu"] == found["operators"] > 0


def test_the_other_form_is_int8_bit_for_bit_on_the_processor(digits):
    contract = files.read_json(digits.file(f"build/{MODEL}/main/contract.json"))
    before, after = (digits.file(f"results/{MODEL}/main.{name}.tflite") for name in ("int8", "int8_gpu"))
    assert 1.05 < after.stat().st_size / before.stat().st_size < 1.1
    with np.load(digits.file(f"build/{MODEL}/main/golden.npz")) as golden:
        for picture in golden["picture"]:
            first, second = (runtime.Artifact(path)(contract, {"picture": picture}) for path in (before, after))
            np.testing.assert_array_equal(first["probabilities"], second["probabilities"])
    evidence = files.read_json(digits.file(f"results/{MODEL}/main.int8_gpu.tflite.json"))
    assert evidence["verdict"] == "passed" and evidence["descent"]["constants"] > 10


def test_a_file_of_anybody_can_be_rewritten_and_one_that_needs_nothing_is_refused(
    digits, command, environment_python, tmp_path
):
    python, out = environment_python("litert"), tmp_path / "out.tflite"
    for variant in ("dynamic", "float32"):
        file = digits.file(f"results/{MODEL}/main.{variant}.tflite")
        process = command(python, "rewrite_for_gpu", "--tflite", file, "--output", out)
        assert process.returncode == (variant == "float32"), process.stderr
    assert "has no 1x1 convolution with a stride and int8 weights; take it as it is" in process.stderr
    contract = files.read_json(digits.file(f"build/{MODEL}/main/contract.json"))
    assert runtime.Artifact(out)(contract, {"picture": np.zeros((1, 16, 16, 1), np.float32)})


@pytest.fixture
def small(asked, tmp_path):
    """Return a function from a small model of a picture, and the value of all pixels, to the evidence."""

    def ask(model, side, value=0.0):
        end = model.subgraphs[0].tensors[model.subgraphs[0].outputs[0]]
        end.name = b"scores"
        (tmp_path / "a.tflite").write_bytes(tflite_file.serialise(model))
        (tmp_path / "contract.json").write_text(json.dumps(picture_contract([*map(int, end.shape)], side)))
        np.savez(tmp_path / "golden.npz", image=np.full((2, side, side, 3), value, np.float32))
        return asked(tmp_path / "a.tflite", tmp_path / "contract.json", "--golden", tmp_path / "golden.npz")

    return ask


def reduced(side, kind="MEAN"):
    """Return a model of one reduction over a picture."""
    builder = Builder()
    start, end = builder.tensor("image", [1, side, side, 3]), builder.tensor("scores", [1, 1, 1, 3])
    axes = builder.tensor("axes", np.int32([1, 2]))
    builder.operator(kind, [start, axes], [end], schema.ReducerOptionsT(keepDims=True))
    return builder.build([start], [end])


def test_a_sum_that_float16_has_no_number_for_fails_a_file_that_is_right_in_float32(small):
    found = small(reduced(112), 112, 6.0)
    assert found["failures"] == [
        "MEAN 1 (scores): its sums go to 75,264, and a GPU that computes in float16 has no number beyond 65,504"
    ]
    spared = small(reduced(112), 112, 5.0)
    assert spared["failures"] == [] and spared["largest_sum"] == 5 * 112 * 112


def test_a_refused_operator_is_named_and_a_file_of_nothing_else_does_not_apply(small):
    builder = Builder()
    start, inner, end = (
        builder.tensor(*one) for one in (("image", [1, 4, 4, 3]), ("a", [1, 4, 4, 3]), ("b", [2, 2, 4, 3]))
    )
    builder.operator("RELU", [start], [inner])
    places = builder.tensor("places", np.int32([[0, 1], [2, 3]]))
    settings = schema.GatherOptionsT(axis=1)
    shape = builder.tensor("flat", [1, 2, 2, 4, 3])
    builder.operator("GATHER", [inner, places], [shape], settings)
    size = builder.tensor("size", np.int32([2, 2, 4, 3]))
    builder.operator("RESHAPE", [shape, size], [end], schema.ReshapeOptionsT())
    found = small(builder.build([start], [end]), 4)
    assert found["on_gpu"] < found["operators"] == 3
    assert found["refused"][0].startswith("GATHER: ")
    alone = Builder()
    ends = [alone.tensor("image", [1, 4, 4, 3]), alone.tensor("b", [1, 2, 2, 4, 3])]
    alone.operator("GATHER", [ends[0], alone.tensor("places", np.int32([[0, 1], [2, 3]]))], [ends[1]], settings)
    none = small(alone.build(ends[:1], ends[1:]), 4)
    assert (none["verdict"], none["passed"]) == ("does not apply", True)
    assert none["reason"].startswith("the GPU runs none of its operators: GATHER: ")


# Weights, with a scale for each channel or one for all, activations, stride, kernel, and whether the GPU goes wrong.
CONVOLUTIONS = [
    ("float32", 0, "float32", 2, 1, False),
    ("int8", 4, "float32", 2, 1, True),
    ("int8", 1, "float32", 2, 1, True),
    ("int8", 4, "int8", 2, 1, True),
    ("int8", 1, "int8", 2, 1, True),
    ("int8", 4, "int8", 3, 1, True),
    ("int8", 4, "int8", 1, 1, False),
    ("int8", 4, "int8", 2, 2, False),
    ("int8", 4, "int8", 2, 3, False),
    ("uint8", 1, "uint8", 2, 1, False),
]


def convolution(weights, scales, values, stride, kernel):
    """Return a convolution of ``[1, 8, 8, 4]``."""
    random, builder, left = np.random.default_rng(3), Builder(), -(-8 // stride)
    shapes, point = {"x": [1, 8, 8, 4], "y": [1, left, left, 4]}, 3 if values == "int8" else 120
    numbers = random.integers(0, 100, (4, kernel, kernel, 4)) - 50 * (weights != "uint8")
    held = numbers.astype(weights)
    held = (
        builder.quantised("w", held, [0.01] * scales, point * (weights == "uint8"))
        if scales
        else builder.tensor("w", held)
    )
    if values == "float32":
        ends = [builder.tensor(name, shape) for name, shape in shapes.items()]
        bias = builder.tensor("b", np.zeros(4, np.float32))
    else:
        ends = [builder.quantised(name, shape, 0.1, point, np.dtype(values)) for name, shape in shapes.items()]
        bias = builder.quantised("b", np.zeros(4, np.int32), [0.001] * scales, 0)
    settings = schema.Conv2DOptionsT(strideW=stride, strideH=stride, dilationWFactor=1, dilationHFactor=1)
    builder.operator("CONV_2D", [ends[0], held, bias], [ends[1]], settings)
    builder.model.operatorCodes[0].version = 5 if weights == "int8" else 3
    return builder.build(ends[:1], ends[1:])


@pytest.mark.parametrize(("weights", "scales", "values", "stride", "kernel", "wrong"), CONVOLUTIONS)
def test_the_known_fault_is_that_of_the_accelerator_and_the_other_form_has_it_not(
    weights, scales, values, stride, kernel, wrong
):
    if not shutil.which("chromium"):
        missing("Chromium, whose SwiftShader stands for a GPU, is not installed")
    model, folder = convolution(weights, scales, values, stride, kernel), swiftshader.find("chromium")
    assert bool(gpu_form.phrases(model)) == wrong
    for rewritten in (False, True) if wrong else (False,):
        if rewritten:
            gpu_form.rewrite(model)
        interpreter = runtime.Artifact(tflite_file.serialise(model), "reference").interpreter
        start = interpreter.get_input_details()[0]
        drawn = np.random.default_rng(1).integers(0, 100, start["shape"])
        interpreter.set_tensor(start["index"], drawn.astype(start["dtype"]))
        interpreter.invoke()
        found = gpu_fault.first_wrong(folder, model, interpreter)
        assert bool(found) == (wrong and not rewritten), found
