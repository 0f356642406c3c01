"""Activations whose integers do not reach as far as their calibration."""

import pytest
from small_models import rounded

from zoomill.tflite import tflite_descent

RANGES = {"input": [-1.28, 1.27], "output": [-1.28, 1.27], "in_float": [-9, 9]}


def test_ranges_as_they_were_calibrated_are_no_failure():
    assert tflite_descent.cut_ranges(rounded("int8", 0.01, 0), RANGES) == []
    assert tflite_descent.cut_ranges(rounded("int8", 0.02, 0), RANGES) == []


def test_a_step_may_be_missing_as_behind_a_softmax():
    assert tflite_descent.cut_ranges(rounded("int8", 1 / 256, -128), {"input": [0, 1], "output": [0, 1]}) == []


@pytest.mark.parametrize("scale, zero_point", [(0.005, 0), (0.01, -3), (0.01, 3)])
def test_a_cut_range_is_named(scale, zero_point):
    phrases = tflite_descent.cut_ranges(rounded("int8", scale, zero_point), RANGES)
    assert [phrase.split()[0] for phrase in phrases] == ["input", "output"]
    assert all("from -1.28 to 1.27 in its calibration" in phrase for phrase in phrases)
