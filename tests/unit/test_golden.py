"""Golden inputs."""

import hashlib

import numpy as np
import pytest
from PIL import Image

from zoomill import golden
from zoomill.errors import UserError


def test_synthetic_pictures_are_the_same_on_every_machine():
    pictures = golden.synthetic_images(2, 48, 64)
    assert [(one.shape, one.dtype) for one in pictures] == [((48, 64, 3), np.uint8)] * 2
    digests = [hashlib.sha256(one.tobytes()).hexdigest()[:16] for one in pictures]
    assert digests == ["165eb5f27990cb00", "f4de6fdffa539dca"]


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "CMYK"])
def test_pictures_of_any_mode_are_read_as_rgb(tmp_path, mode):
    path = tmp_path / "picture.tiff"
    Image.new("RGB", (6, 4), (255, 0, 0)).convert(mode).save(path)
    (found,) = golden.read_images([path])
    assert found.shape == (4, 6, 3) and found.dtype == np.uint8


def test_a_file_that_is_no_picture_is_named(tmp_path):
    (tmp_path / "a.png").write_bytes(b"<html>")
    for name in ("a.png", "missing.png"):
        with pytest.raises(UserError, match=name) as caught:
            golden.read_images([tmp_path / name])
        assert "\n" not in str(caught.value)
