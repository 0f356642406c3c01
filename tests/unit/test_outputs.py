"""What outputs say."""

import numpy as np
import pytest

from zoomill.graph import outputs


def softmax(logits):
    return outputs.activated(logits, "softmax").astype(np.float32)


def test_the_spread_is_over_inputs_not_over_values():
    same = np.tile(np.linspace(-5, 5, 100), (4, 1))
    assert outputs.spread(same) == 0 and not outputs.moves(same)
    moved = same + np.array([-1, 1, -1, 1])[:, None]
    assert outputs.spread(moved) == pytest.approx(1) and outputs.moves(moved)


def test_a_small_spread_beside_a_large_peak_does_not_move():
    values = 1 + 1e-5 * np.random.default_rng(0).normal(size=(8, 10))
    assert not outputs.moves(values)
    assert outputs.moves(values - 1)


def test_numbers_that_are_none_do_not_move():
    assert not outputs.moves(np.array([[0.0, np.nan], [1.0, 2.0]]))
    assert not outputs.moves(np.zeros((3, 0)))


def test_logits_come_back_out_of_a_softmax_but_for_their_mean():
    logits = np.random.default_rng(0).normal(0, 3, (4, 1, 10))
    found = outputs.measured(softmax(logits), "softmax")
    np.testing.assert_allclose(found, logits - logits.mean(-1, keepdims=True), atol=1e-4)


def test_probabilities_that_hardly_move_have_logits_that_do():
    probabilities = softmax(np.array([[20.0, 3.0, 0.0], [20.0, 0.0, 3.0]]))
    assert outputs.spread(probabilities) < 1e-6 and outputs.moves(probabilities, "softmax")


def test_logits_come_back_out_of_a_sigmoid():
    logits = np.linspace(-12, 6, 50)
    found = outputs.measured(outputs.activated(logits, "sigmoid").astype(np.float32), "sigmoid")
    np.testing.assert_allclose(found, logits, rtol=1e-3)


def test_what_does_not_sum_to_one_along_the_last_axis_is_no_softmax():
    values = np.random.default_rng(0).random((4, 10))
    np.testing.assert_array_equal(outputs.measured(values, "softmax"), values)
