"""TFLite Micro: running files, what it says of those that it refuses, and the memory that they take."""

import os
import sys

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from small_models import (
    Builder,
    dense,
    dense_contract,
    heads,
    heads_contract,
    integer_convolution,
    options,
    picture_classifier,
    rounded,
    run,
    with_metadata,
)

from zoomill.detection import nms
from zoomill.tflite import metadata, micro, runtime, tflite_file

ANCHORS = 6


def convolution(weights=np.int8):
    """Return a convolution of floats, with integer weights."""
    builder = Builder()
    start, end = builder.tensor("x", [1, 4, 4, 1]), builder.tensor("y", [1, 4, 4, 2])
    kernel = builder.quantised("weights", np.ones((2, 1, 1, 1), weights), [0.5, 0.25], 0)
    settings = schema.Conv2DOptionsT()
    settings.strideH = settings.strideW = settings.dilationHFactor = settings.dilationWFactor = 1
    builder.operator("CONV_2D", [start, kernel, builder.tensor("bias", np.zeros(2, np.float32))], [end], settings)
    return builder.build([start], [end])


def detector(asked):
    """Return a file that is nothing but TFLite_Detection_PostProcess, as grafts are: without shapes."""
    model = heads(ANCHORS, 4)
    random = np.random.default_rng(1)
    tflite_file.append_postprocess(model, random.random((ANCHORS, 4)).astype(np.float32) + 0.5, asked)
    tflite_file.set_signature(model, heads_contract(asked, ANCHORS))
    return tflite_file.serialise(model)


def named(model, contract):
    """Return the bytes of a model that has the signature of its contract."""
    tflite_file.set_signature(model, contract)
    return tflite_file.serialise(model)


FEED = np.array([[0.1, -2, 3, 4]], np.float32)


@pytest.mark.parametrize("signature", [True, False])
def test_a_file_runs_by_its_signature_or_by_its_tensors(signature):
    contract = dense_contract()
    if signature:
        data = named(dense(), contract)
    else:
        contract["inputs"][0]["tensor"], contract["outputs"][0]["tensor"] = "input;left;over", "output"
        data = tflite_file.serialise(dense())
    found = runtime.Artifact(data, "micro")(contract, {contract["inputs"][0]["tensor"]: FEED})
    np.testing.assert_allclose(found["y"], run(dense(), FEED)[0], atol=1e-5)


def test_integers_are_fed_and_read_as_by_litert(tmp_path):
    contract = dense_contract(4)
    data = named(rounded(np.int8, 1 / 64, 5), contract)
    found, expected = (runtime.Artifact(data, kernels)(contract, {"image": FEED}) for kernels in ("micro", "builtin"))
    np.testing.assert_array_equal(found["y"], expected["y"])
    (tmp_path / "a.tflite").write_bytes(data)
    runtime.Artifact(tmp_path / "a.tflite", "micro").check(contract)


def test_integers_without_one_scale_pass_as_they_are():
    details = micro.Interpreter(tflite_file.serialise(convolution(np.float32))).get_input_details()
    assert [(one["name"], one["dtype"], one["quantization"]) for one in details] == [("x", np.float32, (0.0, 0))]
    (integers,) = micro.Interpreter(tflite_file.serialise(integer_convolution()[0])).get_output_details()
    assert integers["dtype"] == np.int8 and integers["quantization"] == (pytest.approx(0.03), 10)


def test_a_refusal_has_the_operator_and_the_reason_of_tflite_micro(capfd):
    with pytest.raises(RuntimeError) as caught:
        micro.Interpreter(tflite_file.serialise(convolution()))
    assert str(caught.value) == "CONV_2D (operator 0): Hybrid models are not supported on TFLite Micro"
    assert capfd.readouterr().err == ""


def test_an_operator_that_tflite_micro_does_not_have_is_named():
    builder = Builder()
    ends = builder.tensor("x", [1]), builder.tensor("y", [1])
    builder.operator("Resampler", ends[:1], ends[1:])
    with pytest.raises(RuntimeError, match="Failed to get registration from op code CUSTOM, which are Resampler"):
        micro.Interpreter(tflite_file.serialise(builder.build(list(ends[:1]), list(ends[1:]))))


def test_stderr_is_whole_again_after_a_refusal(capfd):
    with pytest.raises(RuntimeError):
        micro.Interpreter(tflite_file.serialise(convolution()))
    print("said later", file=sys.stderr, flush=True)
    os.write(2, b"and past Python\n")
    assert capfd.readouterr().err == "said later\nand past Python\n"


def test_the_arena_is_told_in_its_parts():
    arena = micro.tried(named(dense(), dense_contract())).arena()
    assert arena["head"] + arena["tail"] == arena["total"] and arena["head"] >= 4 * 300
    larger = micro.tried(named(dense(units=3000), dense_contract(3000))).arena()
    assert larger["head"] - arena["head"] == 4 * 2700


def test_metadata_are_left_behind():
    data = named(picture_classifier(), {**dense_contract(), "inputs": [{"name": "x", "tensor": "image"}]})
    assert micro.deployed(data) == data
    told = with_metadata({"labels.txt": b"a"})
    assert micro.deployed(told) == metadata.stripped(told, None) != told


FAST = options(use_regular_nms=False)
SEVERAL = options(use_regular_nms=False, max_classes_per_detection=2)


@pytest.mark.parametrize(("asked", "rows"), [(options(), 10), (SEVERAL, 20)], ids=["regular", "fast"])
def test_a_detector_gets_the_shapes_of_its_outputs(asked, rows):
    data = micro.deployed(detector(asked))
    outputs = tflite_file.describe(tflite_file.parse(data, None))["outputs"]
    assert [one["shape"] for one in outputs] == [[1, rows, 4], [1, rows], [1, rows], [1]]
    assert micro.deployed(data) == data


@pytest.mark.parametrize("asked", [options(), FAST], ids=["regular", "fast"])
def test_a_detector_gives_what_litert_gives(asked):
    data, contract = detector(asked), heads_contract(asked, ANCHORS)
    random = np.random.default_rng(0)
    feed = {"boxes": random.normal(size=(1, ANCHORS, 4)), "scores": random.random((1, ANCHORS, 4))}
    feed = {name: array.astype(np.float32) for name, array in feed.items()}
    found, expected = (
        nms.of_outputs(runtime.Artifact(data, kernels)(contract, feed), asked) for kernels in ("micro", "reference")
    )
    assert len(expected.scores) > 2
    for field in ("boxes", "classes", "scores"):
        np.testing.assert_array_equal(getattr(found, field), getattr(expected, field))


def test_the_operators_that_it_looks_up_are_those_that_are_used():
    builder = Builder()
    ends = [builder.tensor(name, [1, 4]) for name in "xyz"]
    builder.operator("RELU", ends[:1], ends[1:2])
    builder.operator("LOGISTIC", ends[1:2], ends[2:])
    model = builder.build(ends[:1], ends[2:])
    tflite_file.add_operator_code(model, schema.BuiltinOperator.TANH)
    assert micro.needed_operators(tflite_file.serialise(model)) == ["LOGISTIC", "RELU"]
    assert micro.needed_operators(detector(options())) == ["TFLite_Detection_PostProcess"]


@pytest.mark.parametrize(("scales", "refused"), [([0.5], False), ([0.5, 0.25], True)])
def test_weights_with_a_scale_for_each_channel_that_are_widened_first_are_refused_as_answers_would_be_wrong(
    scales, refused
):
    builder = Builder()
    start, end = builder.tensor("x", [1, 3]), builder.tensor("y", [1, 2])
    stored = builder.quantised("stored", np.ones((2, 3), np.int8), scales, 0)
    wide = builder.tensor("wide", [2, 3])
    builder.operator("DEQUANTIZE", [stored], [wide])
    builder.operator("FULLY_CONNECTED", [start, wide], [end], schema.FullyConnectedOptionsT())
    data = tflite_file.serialise(builder.build([start], [end]))
    if refused:
        with pytest.raises(RuntimeError, match="DEQUANTIZE takes one scale, where stored has one for each channel"):
            micro.tried(data)
    else:
        assert micro.tried(data).arena()["total"] > 0
