"""The floating-point copy of an integer .tflite file: against NumPy, and against the integers themselves."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from small_models import CONVOLUTION_INPUT, Builder, dense, integer_convolution, run

from zoomill.errors import UserError
from zoomill.sources import tflite_floats
from zoomill.tflite import tflite_file

RELU = schema.ActivationFunctionType.RELU
RANDOM = np.random.default_rng(1)
PICTURE = RANDOM.uniform(-2, 2, (1, 5, 5, 3)).astype(np.float32)
UINT8 = {"dtype": np.uint8, "points": 131}


def copied(model):
    """Return the floating-point copy of a model."""
    return tflite_floats.float_copy(model, "m.tflite")


def convolved(weights, bias, low=-np.inf, high=np.inf):
    """Return what NumPy makes of the picture."""
    return np.clip(PICTURE.astype(np.float64) @ weights.T + bias, low, high)


@pytest.mark.parametrize("options", [{}, UINT8], ids=["int8 by channel", "uint8"])
def test_the_copy_computes_with_what_the_integers_stand_for(options):
    model, weights, bias = integer_convolution(**options)
    np.testing.assert_allclose(run(copied(model), PICTURE)[0], convolved(weights, bias), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("options", [{}, {"output": (0.03, -128)}, UINT8], ids=["int8 by channel", "cut at 0", "uint8"])
def test_the_integers_are_a_rounding_of_the_copy(options):
    model, _, _ = integer_convolution(**options)
    ends, (scale, zero_point) = np.iinfo(options.get("dtype", np.int8)), options.get("output", (0.03, 10))
    stored = RANDOM.integers(ends.min, ends.max, PICTURE.shape).astype(ends.dtype)
    found = run(copied(model), (CONVOLUTION_INPUT[0] * (stored - np.float32(CONVOLUTION_INPUT[1]))).astype(np.float32))
    expected = np.clip(found[0] / scale + zero_point, ends.min, ends.max)
    (rounded,) = run(model, stored)
    assert len(np.unique(rounded)) > 20
    assert np.abs(expected - rounded).max() < 0.6


def test_a_range_that_starts_at_zero_is_a_relu():
    model, weights, bias = integer_convolution(output=(0.03, -128))
    assert convolved(weights, bias).min() < -1
    np.testing.assert_allclose(run(copied(model), PICTURE)[0], convolved(weights, bias, 0), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
def test_a_range_of_zero_to_six_is_a_relu6(dtype):
    model, weights, bias = integer_convolution(dtype, (6 / 255, np.iinfo(dtype).min))
    assert convolved(weights, bias).max() > 6.5
    assert convolved(weights, bias).min() < -1
    np.testing.assert_allclose(run(copied(model), PICTURE)[0], convolved(weights, bias, 0, 6), rtol=1e-6, atol=1e-6)


def test_a_range_that_calibration_found_cuts_nothing():
    model, weights, bias = integer_convolution(output=(0.001, -127))
    np.testing.assert_allclose(run(copied(model), PICTURE)[0], convolved(weights, bias), rtol=1e-6, atol=1e-6)


def test_fused_activation_functions_stay():
    model, weights, bias = integer_convolution(fused=RELU)
    np.testing.assert_allclose(run(copied(model), PICTURE)[0], convolved(weights, bias, 0), rtol=1e-6, atol=1e-6)


def chain(*steps):
    """Return operators from tensor to tensor, each ``(operator, tensor behind it)``, from a float input of four."""
    builder = Builder()
    tensors = [builder.tensor("input", [1, 4])]
    for place, (name, quantisation) in enumerate(steps):
        add = builder.quantised if quantisation else builder.tensor
        tensors.append(add(f"t{place}", [1, 4], *quantisation))
        builder.operator(name, tensors[-2:-1], tensors[-1:])
    return builder.build(tensors[:1], tensors[-1:])


VALUES = np.array([[-3.3, -0.123, 0.123, 8.7]], np.float32)


def test_quantise_and_dequantise_hand_on_what_they_get():
    model = chain(("QUANTIZE", (0.1, 0)), ("QUANTIZE", (0.2, -7)), ("DEQUANTIZE", ()))
    assert np.abs(run(model, VALUES)[0] - VALUES).max() > 0.01
    np.testing.assert_array_equal(run(copied(model), VALUES)[0], VALUES)


@pytest.mark.parametrize("scale, high", [(0.1, np.inf), (6 / 255, 6)])
def test_quantising_again_to_a_range_that_starts_at_zero_is_an_activation(scale, high):
    model = chain(("QUANTIZE", (0.1, 0)), ("QUANTIZE", (scale, -128)), ("DEQUANTIZE", ()))
    np.testing.assert_array_equal(run(copied(model), VALUES)[0], VALUES.clip(0, high))


def test_int8_weights_of_a_float_operator_become_floats():
    builder, weights = Builder(), RANDOM.integers(-127, 127, (300, 4)).astype(np.int8)
    ends = [builder.tensor("input", [1, 4]), builder.tensor("output", [1, 300])]
    settings = schema.FullyConnectedOptionsT()
    settings.asymmetricQuantizeInputs = True
    inner = builder.quantised("weights", weights, 0.01, 0)
    builder.operator("FULLY_CONNECTED", [ends[0], inner, -1], ends[1:], settings)
    model = builder.build(ends[:1], ends[1:])
    np.testing.assert_allclose(run(copied(model), VALUES)[0], VALUES @ (0.01 * weights.T), rtol=1e-5, atol=1e-5)
    assert not copied(model).subgraphs[0].operators[0].builtinOptions.asymmetricQuantizeInputs


def test_float16_weights_become_floats_and_nothing_is_left_to_do():
    model = dense(units=3)
    graph, weights = model.subgraphs[0], np.arange(12).reshape(3, 4).astype(np.float16) / 7
    stored = schema.TensorT()
    stored.name, stored.shape, stored.type = b"half", [3, 4], schema.TensorType.FLOAT16
    stored.buffer = len(model.buffers)
    model.buffers.append(schema.BufferT())
    model.buffers[-1].data = np.frombuffer(weights.tobytes(), np.uint8)
    graph.tensors.append(stored)
    graph.tensors[1].buffer = 0
    operator = schema.OperatorT()
    operator.opcodeIndex = tflite_file.add_operator_code(model, schema.BuiltinOperator.DEQUANTIZE)
    operator.inputs, operator.outputs = [len(graph.tensors) - 1], [1]
    graph.operators.insert(0, operator)
    assert tflite_file.operators(copied(model)) == {"FULLY_CONNECTED": 1}
    np.testing.assert_allclose(run(copied(model), VALUES)[0], run(model, VALUES)[0], rtol=1e-6)


def test_constants_that_share_a_buffer_keep_their_own_scales():
    builder, stored = Builder(), np.array([[1, 2, 3, 4]], np.int8)
    start, end = builder.tensor("input", [1, 4]), builder.tensor("output", [1, 4])
    places = [builder.quantised(name, stored, scale, 0) for name, scale in (("a", 1), ("b", 10))]
    builder.graph.tensors[places[1]].buffer = builder.graph.tensors[places[0]].buffer
    floats = [builder.tensor(name, [1, 4]) for name in ("c", "d", "e")]
    builder.operator("DEQUANTIZE", places[:1], floats[:1])
    builder.operator("DEQUANTIZE", places[1:], floats[1:2])
    builder.operator("ADD", floats[:2], floats[2:], schema.AddOptionsT())
    builder.operator("ADD", [start, floats[2]], [end], schema.AddOptionsT())
    np.testing.assert_allclose(run(copied(builder.build([start], [end])), VALUES)[0], VALUES + 11 * stored)


def test_the_model_itself_stays_as_it_is():
    model, _, _ = integer_convolution(output=(0.03, -128))
    before = tflite_file.serialise(model)
    copied(model)
    assert tflite_file.serialise(model) == before


def test_integers_stored_in_an_unknown_form_are_refused():
    model, _, _ = integer_convolution()
    model.subgraphs[0].tensors[1].type = schema.TensorType.INT4
    with pytest.raises(UserError, match="m.tflite: how weights is quantised is not known"):
        copied(model)


def test_a_file_of_floats_has_no_quantised_types():
    assert tflite_file.quantised_types(dense()) == []
    assert tflite_file.quantised_types(integer_convolution()[0]) == ["int8"]
