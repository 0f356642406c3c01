"""Drawn pictures, and choosing those on which a detector finds something."""

import hashlib

import numpy as np

from zoomill.inputs import drawn_pictures


def redness(pictures):
    """Return how red and how blue pictures are, as if these were the scores of two classes."""
    means = np.stack([one.reshape(-1, 3).mean(axis=0) for one in pictures]) / 255
    return np.clip(means[:, [0, 2]] - means[:, [1, 1]], 0, 1)


def test_drawn_pictures_are_the_same_on_every_machine():
    pictures = drawn_pictures.draw(3, 48, 64)
    assert [(one.shape, one.dtype) for one in pictures] == [((48, 64, 3), np.uint8)] * 3
    digests = [hashlib.sha256(one.tobytes()).hexdigest()[:16] for one in pictures]
    assert digests == ["047e134536001db7", "ecfd9f4adee07ead", "e012ca0dbb776844"]


def test_no_two_drawn_pictures_are_alike_and_they_use_the_whole_range():
    pictures = drawn_pictures.draw(40, 32, 32)
    assert len({one.tobytes() for one in pictures}) == 40
    assert np.min(pictures) == 0 and np.max(pictures) == 255
    assert np.median([one.std() for one in pictures]) > 30


def test_pictures_are_chosen_and_changed_until_much_is_found_of_every_class():
    chosen = drawn_pictures.detected(redness, 24, 24)
    assert len(chosen) == 8 and len({one.tobytes() for one in chosen}) == 8
    pool = redness(drawn_pictures.draw(64, 24, 24))
    found = redness(chosen)
    assert (found.max(axis=0) >= pool.max(axis=0)).all()
    assert np.sort(found.max(axis=1))[0] > np.median(pool.max(axis=1))


def test_the_choice_is_the_same_each_time_and_lives_with_a_detector_that_finds_nothing():
    blind = [drawn_pictures.detected(lambda pictures: np.zeros((len(pictures), 3)), 16, 16) for _ in range(2)]
    np.testing.assert_array_equal(*blind)
