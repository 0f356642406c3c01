"""What is mended behind ai-edge-quantizer."""

import numpy as np
from small_models import Builder

from zoomill.tflite import quantiser, tflite_file

BIAS = np.array([-5.5, 1.0, 0.25], np.float32)


def with_bias(stored, scales=None):
    """Return a model of one constant, ``bias``."""
    builder = Builder()
    index = builder.tensor("bias", stored)
    if scales is not None:
        found = builder.graph.tensors[index].quantization
        found.scale, found.zeroPoint = np.array(scales, np.float32), np.zeros(len(scales), np.int64)
        found.quantizedDimension = 0
    return builder.build([], [index])


def test_a_bias_cut_at_the_ends_of_int32_is_written_anew_and_no_other_changes():
    scales = [2.0**-31, 2.0**-33, 2.0**-10]
    cut = np.array([-(2**31) + 1, 2**31 - 1, 255], np.int64)
    model = with_bias(cut, scales)
    quantiser.restore_biases(model, with_bias(BIAS))
    stored = tflite_file.constant(model, model.subgraphs[0].tensors[0])
    assert stored.tolist() == [round(-5.5 * 2**31), 2**33, 255]


def test_a_bias_of_int32_stays_as_it_is():
    cut = np.array([-(2**31) + 1, 2**31 - 1, 255], np.int32)
    model = with_bias(cut, [2.0**-31] * 3)
    quantiser.restore_biases(model, with_bias(BIAS))
    assert tflite_file.constant(model, model.subgraphs[0].tensors[0]).tolist() == cut.tolist()
