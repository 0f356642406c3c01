"""Sums and values that float16, in which GPUs of phones compute, has no numbers for."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from small_models import Builder

from zoomill.tflite import runtime, tflite_file
from zoomill.tflite.half_range import Sums


def reduction(kind, side, axes=(1, 2), channels=2):
    """Return a model of one reduction over a picture ``[1, side, side, channels]``."""
    builder = Builder()
    start, end = builder.tensor("image", [1, side, side, channels]), builder.tensor("sum", [1, 1, 1, channels])
    axes = builder.tensor("axes", np.array(axes, np.int32))
    builder.operator(kind, [start, axes], [end], schema.ReducerOptionsT(keepDims=True))
    return builder.build([start], [end])


def pool(side, window):
    """Return a model of an average over windows of a picture ``[1, side, side, 2]``."""
    builder, left = Builder(), side - window + 1
    start, end = builder.tensor("image", [1, side, side, 2]), builder.tensor("mean", [1, left, left, 2])
    settings = schema.Pool2DOptionsT(strideW=1, strideH=1, filterWidth=window, filterHeight=window)
    settings.padding = schema.Padding.VALID
    builder.operator("AVERAGE_POOL_2D", [start], [end], settings)
    return builder.build([start], [end])


def squeeze_excite(side, channels=2):
    """Return what EfficientNet has between its convolutions: channels weighed by what their means give."""
    builder = Builder()
    start, end = (builder.tensor(name, [1, side, side, channels]) for name in ("image", "weighed"))
    mean, few, gate = (builder.tensor(name, [1, 1, 1, channels]) for name in ("squeeze", "squeezed", "excite"))
    axes = builder.tensor("axes", np.int32([1, 2]))
    weights = builder.tensor("weights", np.full((channels, 1, 1, channels), 0.01, np.float32))
    bias = builder.tensor("bias", np.zeros(channels, np.float32))
    settings = schema.Conv2DOptionsT(strideW=1, strideH=1, dilationWFactor=1, dilationHFactor=1)
    builder.operator("MEAN", [start, axes], [mean], schema.ReducerOptionsT(keepDims=True))
    builder.operator("CONV_2D", [mean, weights, bias], [few], settings)
    builder.operator("LOGISTIC", [few], [gate])
    builder.operator("MUL", [start, gate], [end], schema.MulOptionsT())
    return builder.build([start], [end])


def sums(model, *pictures):
    """Return what is found over pictures."""
    file, found = runtime.Artifact(tflite_file.serialise(model)).interpreter, Sums(model)
    for picture in pictures:
        file.set_tensor(file.get_input_details()[0]["index"], np.float32(picture))
        file.invoke()
        found.add(file)
    return found


def filled(side, value, channels=2):
    return np.full((1, side, side, channels), value)


def test_a_sum_beyond_float16_is_named_with_its_size_and_one_below_is_not():
    assert sums(reduction("SUM", 100), filled(100, 6.5)).overflows() == []
    (phrase,) = sums(reduction("SUM", 100), filled(100, 6.6), filled(100, 1)).overflows()
    assert phrase.startswith("SUM 1 (sum): its sums go to 66,000, and")


def test_a_mean_is_small_and_its_sum_is_not():
    found = sums(squeeze_excite(112), filled(112, 6))
    assert found.largest() == 6 * 112 * 112
    (phrase,) = found.overflows()
    assert phrase.startswith("MEAN 1 (squeeze): its sums go to 75,264, and a GPU that computes in float16")
    assert sums(squeeze_excite(56), filled(56, 6)).overflows() == []


def test_what_cancels_out_can_still_overflow_on_the_way():
    picture = filled(112, 6)
    picture[:, :56] = -6
    assert sums(reduction("MEAN", 112), picture).largest() == 6 * 112 * 56
    picture[:, :56] = -12
    (phrase,) = sums(reduction("MEAN", 112), picture).overflows()
    assert "75,264" in phrase


@pytest.mark.parametrize(("window", "largest"), [(4, 16 * 3000), (8, 64 * 3000)], ids=["part", "whole"])
def test_an_average_sums_its_window(window, largest):
    found = sums(pool(8, window), filled(8, 3000))
    assert found.largest() == largest
    assert bool(found.overflows()) == (largest > 65504)


def test_a_value_that_no_float16_holds_is_found_without_a_reduction():
    builder = Builder()
    ends = [builder.tensor(name, [1, 2]) for name in ("image", "scaled")]
    factor = builder.tensor("factor", np.float32([1000]))
    builder.operator("MUL", [ends[0], factor], [ends[1]], schema.MulOptionsT())
    model = builder.build(ends[:1], ends[1:])
    assert sums(model, [[65, -65]]).overflows() == []
    (phrase,) = sums(model, [[1, -66]]).overflows()
    assert phrase.startswith("MUL 1 (scaled): its values go to 66,000")


def test_integers_count_by_what_they_stand_for():
    builder = Builder()
    start = builder.quantised("image", [1, 100, 100, 1], 0.1, -128)
    end = builder.quantised("mean", [1, 1, 1, 1], 0.1, -128)
    axes = builder.tensor("axes", np.int32([1, 2]))
    builder.operator("MEAN", [start, axes], [end], schema.ReducerOptionsT(keepDims=True))
    model = builder.build([start], [end])
    file, found = runtime.Artifact(tflite_file.serialise(model)).interpreter, Sums(model)
    file.set_tensor(file.get_input_details()[0]["index"], np.full((1, 100, 100, 1), 127, np.int8))
    file.invoke()
    found.add(file)
    assert found.largest() == pytest.approx(25.5 * 10000)


def test_nan_is_beyond_any_range():
    assert sums(reduction("MEAN", 2), filled(2, np.nan)).overflows()
