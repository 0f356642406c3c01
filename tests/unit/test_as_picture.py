"""From inputs back to pictures: what preprocessing did is undone, whatever the contract says."""

import numpy as np
import pytest

from zoomill.inputs import as_picture
from zoomill.inputs.preprocess import Preprocess

PROMISE = {"name": "x", "dtype": "float32", "shape": [1, 4, 6, 3], "layout": "NHWC", "colour": "RGB"}
COLOURS = np.random.RandomState(0).randint(0, 256, (4, 6, 3), np.uint8)


@pytest.mark.parametrize("limits", [[0, 1], [-1, 1], [0, 255], [-128, 127], [1, 0], [[-2, -1, 0], [2, 1, 3]]])
@pytest.mark.parametrize("colour", ["RGB", "BGR"])
@pytest.mark.parametrize(("layout", "shape"), [("NHWC", [1, 4, 6, 3]), ("NCHW", [1, 3, 4, 6])])
def test_an_input_becomes_the_picture_that_it_was_made_of(limits, colour, layout, shape):
    promise = {**PROMISE, "colour": colour, "layout": layout, "shape": shape, "value_range": limits}
    value = Preprocess(promise)(COLOURS)
    assert value.shape == tuple(shape)
    np.testing.assert_array_equal(as_picture.of_input(promise, value), COLOURS)
    np.testing.assert_array_equal(as_picture.of_input(promise, value[0]), COLOURS)


def test_a_grey_input_stays_grey():
    promise = {**PROMISE, "colour": "GRAY", "shape": [1, 4, 6, 1], "value_range": [-1, 1]}
    grey = COLOURS[..., :1]
    np.testing.assert_array_equal(as_picture.of_input(promise, Preprocess(promise)(grey)), grey)


def test_bytes_without_a_range_are_the_picture():
    promise = {**PROMISE, "dtype": "uint8", "value_range": None}
    np.testing.assert_array_equal(as_picture.of_input(promise, COLOURS[None]), COLOURS)


def test_values_beyond_the_range_are_cut_and_what_is_no_number_is_black():
    values = np.array([-3, -1, 0, 1, 3, np.nan, np.inf])
    with np.errstate(invalid="raise"):  # what it would be cast to is the CPU's choice
        assert as_picture.eight_bit(values, (-1, 1)).tolist() == [0, 0, 128, 255, 255, 0, 255]


@pytest.mark.parametrize("shape", [(1, 4, 6, 3), (1, 3, 4, 6), (1, 4, 6, 1), (1, 1, 4, 6)])
def test_channels_of_what_a_model_made_stand_last(shape):
    assert as_picture.channels_last(np.zeros(shape)).shape == (4, 6, min(shape[1], shape[3]))
