"""Golden inputs."""

import hashlib

import numpy as np

from zoomill import golden


def test_synthetic_pictures_are_the_same_on_every_machine():
    pictures = golden.synthetic_images(2, 48, 64)
    assert [(one.shape, one.dtype) for one in pictures] == [((48, 64, 3), np.uint8)] * 2
    digests = [hashlib.sha256(one.tobytes()).hexdigest()[:16] for one in pictures]
    assert digests == ["165eb5f27990cb00", "f4de6fdffa539dca"]
