"""Scale and zero point of a uint8 input, from the value range in its contract."""

import pytest

from zoomill.errors import UserError
from zoomill.toco import uint8_input


@pytest.mark.parametrize(
    ("value_range", "mean", "std"),
    [
        ([-1, 1], 128, 128),  # the Object Detection API's own
        ([0, 1], 0, 255),
        ([0, 255], 0, 1),
        ([-0.5, 0.5], 128, 256),
        ([[-2, -1, 0], [2, 2, 3]], 102, 51),
        ([10, 20], 0, 12.75),  # zero must be stored exactly
        ([-10, -5], 255, 25.5),
    ],
)
def test_the_lowest_value_is_0_and_zero_is_a_whole_number(value_range, mean, std):
    assert uint8_input.statistics({"name": "x", "value_range": value_range}) == (mean, std)


@pytest.mark.parametrize("promise", [{"name": "x"}, {"name": "x", "value_range": None}])
def test_an_input_without_a_value_range_is_refused(promise):
    with pytest.raises(UserError, match="the input x has no value_range; give it under `inputs` in the card"):
        uint8_input.statistics(promise)
