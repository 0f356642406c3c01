"""Ranges of tensors, and inputs that were made for another model."""

import numpy as np
import pytest
from small_models import Builder

from zoomill.errors import UserError
from zoomill.tflite import calibration, tflite_file

CONTRACT = {
    "inputs": [{"name": "x", "tensor": "x", "dtype": "float32", "shape": [1, 4], "value_range": [-1, 1]}],
    "outputs": [{"name": "y", "tensor": "y", "dtype": "float32", "shape": [1, 4]}],
}


@pytest.fixture
def negation(tmp_path):
    """A .tflite file with y = -x."""
    builder = Builder()
    x, y = builder.tensor("x", [1, 4]), builder.tensor("y", [1, 4])
    builder.operator("NEG", [x], [y])
    path = tmp_path / "negation.tflite"
    path.write_bytes(tflite_file.serialise(builder.build([x], [y])))
    return path


def feeds(*rows):
    return [{"x": np.array([row], np.float32)} for row in rows]


def test_ranges_are_those_of_all_samples_and_hold_zero(negation):
    found = calibration.ranges(negation, CONTRACT, feeds([0.5, 1, 2, 3], [0.25, 1, 4, 0.5]))
    assert found == {"x": [0, 4], "y": [-4, 0]}


def test_ranges_are_rounded_outwards(negation):
    found = calibration.ranges(negation, CONTRACT, feeds([-0.123441, 0, 0, 98765.4]))
    assert found == {"x": [-0.1235, 98770], "y": [-98770, 0.1235]}
    again = calibration.ranges(negation, CONTRACT, feeds([-0.12344100001, 0, 0, 98765.4]))
    assert again == found


def test_no_samples_and_no_numbers_are_refused(negation):
    with pytest.raises(UserError, match="no samples"):
        calibration.ranges(negation, CONTRACT, [])
    with pytest.raises(UserError, match="tensor x is not finite"):
        calibration.ranges(negation, CONTRACT, feeds([np.nan, 0, 0, 1]))


@pytest.mark.parametrize("ends", [(0, 1), (-1, 0), (0, 255), (-0.4, 0.4), (-2, 2)], ids=str)
def test_inputs_of_another_normalisation_are_refused(ends):
    made = feeds([ends[0], 0, 0, ends[1]])
    with pytest.raises(
        UserError, match=f"x goes from -1 to 1, the calibration samples from {ends[0]:g} to {ends[1]:g}"
    ):
        list(calibration.check_inputs(CONTRACT, made))


def test_inputs_that_fill_the_range_pass_on():
    made = feeds([-0.9, 0, 0, 0], [0, 0, 0, 1.0])
    assert list(calibration.check_inputs(CONTRACT, made)) == made


def test_random_inputs_fill_their_range_integers_too():
    inputs = [
        {"name": "tokens", "tensor": "t", "dtype": "int32", "shape": [1, 8], "value_range": [0, 5000]},
        {"name": "x", "tensor": "x", "dtype": "float32", "shape": [1, 8], "value_range": [-2, 6]},
    ]
    count, feeds = calibration.feeds(None, {"inputs": inputs})
    feeds = list(feeds)
    assert len(feeds) == count
    for name, low, high in (("t", 0, 5000), ("x", -2, 6)):
        values = np.concatenate([feed[name] for feed in feeds])
        assert low <= values.min() < low + 0.05 * (high - low) and high - 0.05 * (high - low) < values.max() <= high
