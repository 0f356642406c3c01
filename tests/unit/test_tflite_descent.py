"""A quantised file beside the float file it was derived from."""

import copy

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from small_models import Builder, dense, subtraction

from zoomill.tflite import tflite_descent, tflite_file


def quantised(weights=None, scale=None, relu=False):
    """Return :func:`dense` with int8 weights, one scale a row, and a cast before and behind."""
    exact = dense(relu=relu)
    _, kernel, bias = (array(exact, index) for index in range(3))
    scale = np.abs(kernel).max(1) / 127 if scale is None else scale
    weights = np.rint(kernel / scale[:, None]).astype(np.int8) if weights is None else weights
    builder = Builder()
    start, inner = builder.tensor("input", [1, 4], np.int8), builder.tensor("cast", [1, 4])
    kernel = builder.tensor("weights", weights)
    stored = builder.graph.tensors[kernel].quantization
    stored.scale, stored.zeroPoint = scale.astype(np.float32), np.zeros(len(scale), np.int64)
    stored.quantizedDimension = 0
    middle, end = builder.tensor("middle", [1, 300]), builder.tensor("output", [1, 300], np.int8)
    settings = schema.FullyConnectedOptionsT()
    settings.fusedActivationFunction, settings.asymmetricQuantizeInputs = int(relu), True
    builder.operator("DEQUANTIZE", [start], [inner], schema.DequantizeOptionsT())
    builder.operator("FULLY_CONNECTED", [inner, kernel, builder.tensor("bias", bias)], [middle], settings)
    builder.operator("QUANTIZE", [middle], [end], schema.QuantizeOptionsT())
    return builder.build([start], [end])


def array(model, index):
    tensor = model.subgraphs[0].tensors[index]
    return tflite_file.constant(model, tensor)


def phrases(exact, model):
    return tflite_descent.differences(exact, model)[0]


def test_rounding_is_no_difference():
    found, figures = tflite_descent.differences(dense(), quantised())
    assert found == [] and figures["constants"] == 2 and 0.4 < figures["largest_step"] <= 0.5


def test_the_file_itself_is_no_different():
    assert tflite_descent.differences(dense(), dense()) == ([], {"constants": 2, "largest_step": 0.0})


def test_one_weight_that_is_a_step_off_is_named():
    wrong = array(quantised(), 2).copy()
    wrong[7, 2] += 1 if wrong[7, 2] < 100 else -1
    (phrase,) = phrases(dense(), quantised(wrong))
    assert phrase.startswith("FULLY_CONNECTED 1: weights;also;fused is up to ") and "steps of its scale off" in phrase


def test_a_scale_of_another_row_is_named():
    scale = np.abs(array(dense(), 1)).max(1) / 127
    assert "steps of its scale off" in phrases(dense(), quantised(array(quantised(), 2), np.roll(scale, 1)))[0]


def test_a_bias_that_moved_is_named():
    model = quantised()
    bias = array(model, 5).copy()
    bias[3] += 0.01
    model.buffers[model.subgraphs[0].tensors[5].buffer].data = np.frombuffer(bias.tobytes(), np.uint8)
    assert phrases(dense(), model) == ["FULLY_CONNECTED 1: 1 of 300 values of bias differ"]


def test_another_activation_is_named():
    assert phrases(dense(relu=True), quantised()) == ["FULLY_CONNECTED 1: fusedActivationFunction is 0 instead of 1"]


def test_an_operator_too_few_is_named():
    model = quantised()
    del model.subgraphs[0].operators[1]
    assert phrases(dense(), model) == ["operator 1 is nothing, in the float file FULLY_CONNECTED"]


@pytest.mark.parametrize("wrong", [subtraction(order=("y", "x")), subtraction(outputs=("sum", "difference"))])
def test_other_wiring_is_named(wrong):
    (phrase,) = phrases(subtraction(), wrong)
    assert "reads other tensors" in phrase or "outputs come from other operators" in phrase


def test_float16_is_as_near_as_it_can_be():
    model = copy.deepcopy(dense())
    tensor = model.subgraphs[0].tensors[1]
    halves = array(model, 1).astype(np.float16)
    tensor.type = schema.TensorType.FLOAT16
    model.buffers[tensor.buffer].data = np.frombuffer(halves.tobytes(), np.uint8)
    assert phrases(dense(), model) == []
    halves[0, 0] = np.nextafter(halves[0, 0], np.float16(9))
    halves[0, 1] = np.nextafter(halves[0, 1], np.float16(9))
    model.buffers[tensor.buffer].data = np.frombuffer(halves.tobytes(), np.uint8)
    assert "of 1200 values of weights" in phrases(dense(), model)[0]


def test_a_bias_in_other_steps_than_activation_by_weights_is_named():
    """Kernels do not look at its scale; such a file gives another bias than its numbers say."""
    builder = Builder()
    tensors = [
        builder.tensor("x", [1, 4], np.int8),
        builder.tensor("w", np.ones((2, 4), np.int8)),
        builder.tensor("b", np.array([5, 7], np.int32)),
        builder.tensor("y", [1, 2], np.int8),
    ]
    for index, scale in zip(tensors, (0.5, 0.25, 0.125, 1.0), strict=True):
        stored = builder.graph.tensors[index].quantization
        stored.scale, stored.zeroPoint = np.array([scale], np.float32), np.array([0], np.int64)
    builder.operator("FULLY_CONNECTED", tensors[:3], tensors[3:], schema.FullyConnectedOptionsT())
    model = builder.build(tensors[:1], tensors[3:])
    assert phrases(model, model) == []
    builder.graph.tensors[tensors[0]].quantization.scale *= 2
    assert phrases(model, model) == ["FULLY_CONNECTED 1: b has another scale than activation by weights"]
