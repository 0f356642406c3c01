"""Biases that ai-edge-quantizer cuts are mended, and nothing else."""

import copy

import numpy as np
import pytest
from small_models import Builder, schema

from zoomill.tflite import biases, tflite_descent, tflite_file

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
    biases.restore(model, with_bias(BIAS))
    stored = tflite_file.constant(model, model.subgraphs[0].tensors[0])
    assert stored.tolist() == [round(-5.5 * 2**31), 2**33, 255]


def test_a_bias_of_int32_stays_as_it_is():
    cut = np.array([-(2**31) + 1, 2**31 - 1, 255], np.int32)
    model = with_bias(cut, [2.0**-31] * 3)
    biases.restore(model, with_bias(BIAS))
    assert tflite_file.constant(model, model.subgraphs[0].tensors[0]).tolist() == cut.tolist()


# Two channels of hardly any weight, and a usual one.
WEIGHTS = np.array([[1e-9, -2e-10], [1e-9, 0], [0.5, -1.27]], np.float32)
FLOATS = np.array([-2.5, 2**-1.5, 0.3], np.float32)
STEP = 2.0**-5


def convolution(stored=None, kernel=WEIGHTS, scales=None):
    """Return a 1x1 convolution of two channels to three, in float or, with a stored bias, in integers."""
    builder = Builder()
    kernel, cut = kernel.reshape(3, 1, 1, 2), stored is not None
    if cut:
        whole = np.rint(kernel / np.reshape(scales, (-1, 1, 1, 1))).clip(-127, 127).astype(np.int8)
        start, end = (builder.quantised(name, [1, 1, 1, size], STEP, 3) for name, size in (("x", 2), ("y", 3)))
        weights = builder.quantised("kernel", whole, scales, 0)
        bias = builder.quantised("bias", stored, STEP * np.asarray(scales), 0)
    else:
        start, end = (builder.tensor(name, [1, 1, 1, size]) for name, size in (("x", 2), ("y", 3)))
        weights, bias = builder.tensor("kernel", kernel), builder.tensor("bias", FLOATS)
    settings = schema.Conv2DOptionsT()
    settings.strideH = settings.strideW = 1
    builder.operator("CONV_2D", [start, weights, bias], [end], settings)
    return builder.build([start], [end])


def tensors(model):
    """Return scales and stored numbers of weights and bias."""
    found = {tensor.name.decode(): tensor for tensor in model.subgraphs[0].tensors}
    return [(found[name].quantization.scale, tflite_file.constant(model, found[name])) for name in ("kernel", "bias")]


def cut_bias(scales):
    whole = np.rint(FLOATS.astype(np.float64) / (STEP * np.asarray(scales)))
    return whole.clip(-(2**31), 2**31 - 1).astype(np.int32)


def test_a_channel_whose_bias_is_cut_gets_the_smallest_scale_by_which_it_fills_half_the_range_and_no_other_changes():
    scales = [2.0**-40, 2.0**-27, 0.01]
    model = convolution(cut_bias(scales), scales=scales)
    assert tensors(model)[1][1][0] == -(2**31) and tflite_descent.differences(convolution(), model)[0]
    (before, kernel), (_, bias) = tensors(copy.deepcopy(model))
    biases.widen(model, convolution())
    (after, anew), (steps, stored) = tensors(model)
    assert after[0] == np.float32(2.5 / STEP / 2**30) and stored[0] == -(2**30)
    assert after[1:].tolist() == before[1:].tolist() and stored[1:].tolist() == bias[1:].tolist()
    assert anew[1:].tolist() == kernel[1:].tolist() and not anew[0].any()
    assert steps == pytest.approx(STEP * after.astype(float), rel=1e-6)
    phrases, figures = tflite_descent.differences(convolution(), model)
    assert phrases == [] and figures["largest_step"] <= 0.5


def test_with_one_scale_for_all_channels_all_are_stored_anew():
    scales, kernel = [2.0**-40], WEIGHTS * 1e-9
    model = convolution(cut_bias(scales), kernel, scales)
    biases.widen(model, convolution(kernel=kernel))
    (after, _), (_, stored) = tensors(model)
    assert after.tolist() == [np.float32(2.5 / STEP / 2**30)] and stored[0] == -(2**30)
    assert tflite_descent.differences(convolution(kernel=kernel), model)[0] == []


def test_a_file_without_a_cut_bias_keeps_its_bytes():
    scales = [2.0**-24, 2.0**-27, 0.01]
    model = convolution(cut_bias(scales), scales=scales)
    before = tflite_file.serialise(copy.deepcopy(model))
    biases.widen(model, convolution())
    assert tflite_file.serialise(model) == before
