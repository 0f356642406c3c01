"""The ends of int8 files: floats made integers, and int8 made uint8."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from small_models import Builder

from zoomill.tflite import tflite_ends, tflite_file


@pytest.fixture
def rectified():
    """A model with y = max(x, 0) in int8, both of scale 0.5 and zero point -28."""
    builder = Builder()
    x, y = builder.tensor("x", [1, 256], np.int8), builder.tensor("y", [1, 256], np.int8)
    for index, scale in ((x, 0.5), (y, 0.5)):
        quantisation = builder.graph.tensors[index].quantization
        quantisation.scale, quantisation.zeroPoint = [scale], [-28]
    builder.operator("RELU", [x], [y])
    return builder.build([x], [y])


def test_an_output_that_is_also_read_inside_is_read_as_integers():
    """As ai-edge-quantizer leaves it: the operator behind reads the floats of the output."""
    builder = Builder()
    x, quantised = builder.tensor("x", [1, 4]), builder.tensor("logits", [1, 4], np.int8)
    logits, behind = builder.tensor("logits", [1, 4]), builder.tensor("y", [1, 4], np.int8)
    for index in (quantised, behind):
        quantisation = builder.graph.tensors[index].quantization
        quantisation.scale, quantisation.zeroPoint = [0.5], [0]
    builder.operator("QUANTIZE", [x], [quantised])
    builder.operator("DEQUANTIZE", [quantised], [logits])
    builder.operator("RELU", [logits], [behind])
    model = builder.build([x], [logits, behind])
    relu = model.subgraphs[0].operators[2]
    assert tflite_file.takes_floats_for_integers(model, relu)
    tflite_ends.reconnect(model)
    assert relu.inputs == [quantised] and not tflite_file.takes_floats_for_integers(model, relu)


def test_uint8_ends_hold_the_same_values(rectified):
    tflite_ends.recast(rectified)
    interpreter = Interpreter(model_content=tflite_file.serialise(rectified))
    interpreter.allocate_tensors()
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert (taken["name"], given["name"]) == ("x", "y")
    for details in (taken, given):
        assert details["dtype"] == np.uint8 and details["quantization"] == (0.5, 100)
    every = np.arange(256, dtype=np.uint8)[None]
    interpreter.set_tensor(taken["index"], every)
    interpreter.invoke()
    assert (interpreter.get_tensor(given["index"]) == np.maximum(every, 100)).all()


def labelled(order):
    """Return y = -x beside the place of its largest value, quantised as far as ai-edge-quantizer does: not at all."""
    builder = Builder()
    x, y, place = builder.tensor("x", [1, 4]), builder.tensor("y", [1, 4]), builder.tensor("place", [1], np.int64)
    builder.operator("NEG", [x], [y])
    settings = schema.ArgMaxOptionsT()
    settings.outputType = schema.TensorType.INT64
    builder.operator("ARG_MAX", [y, builder.tensor("axis", np.array(1, np.int32))], [place], settings)
    return builder.build([x], [[y, place], [place, y]][order])


@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
@pytest.mark.parametrize("order", [0, 1])
def test_float_outputs_become_integers_and_those_of_another_dtype_stay(order, dtype):
    model, shift = labelled(order), 128 * (dtype == np.uint8)
    tflite_ends.round_off(model, {"x": [-1, 1.55], "y": [-1.55, 1]})
    if shift:
        tflite_ends.recast(model)
    interpreter = Interpreter(model_content=tflite_file.serialise(model))
    interpreter.allocate_tensors()
    outputs = {entry["dtype"]: entry["index"] for entry in interpreter.get_output_details()}
    assert set(outputs) == {dtype, np.int64}
    (given,) = interpreter.get_input_details()
    interpreter.set_tensor(given["index"], (np.array([[-28, -27, -128, 0]]) + shift).astype(dtype))
    interpreter.invoke()
    assert interpreter.get_tensor(outputs[np.int64]).tolist() == [2]
    assert (interpreter.get_tensor(outputs[dtype]).astype(int) - shift).tolist() == [[27, 26, 127, -1]]


def test_an_end_that_is_cast_already_loses_its_cast():
    builder = Builder()
    x, y = builder.tensor("x", [1, 4]), builder.tensor("y", [1, 4])
    inner = [builder.quantised(name, [1, 4], 0.5, 0) for name in ("a", "b")]
    builder.operator("QUANTIZE", [x], inner[:1])
    builder.operator("RELU", inner[:1], inner[1:])
    builder.operator("DEQUANTIZE", inner[1:], [y])
    model = builder.build([x], [y])
    tflite_ends.round_off(model, {})
    assert tflite_file.operators(model) == {"RELU": 1} and [*model.subgraphs[0].outputs] == inner[1:]
