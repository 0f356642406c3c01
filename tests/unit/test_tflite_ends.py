"""uint8 ends on int8 files."""

import numpy as np
import pytest
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
