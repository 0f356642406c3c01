"""From samples to inputs."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from zoomill.errors import UserError
from zoomill.inputs.preprocess import Preprocess, read_picture

PROMISE = {
    "name": "picture",
    "dtype": "float32",
    "shape": [1, 4, 4, 3],
    "layout": "NHWC",
    "colour": "RGB",
    "value_range": [-1, 1],
}


def flat(height, width, colour=(255, 0, 51)):
    return np.full((height, width, 3), colour, np.uint8)


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "CMYK"])
def test_pictures_of_any_mode_are_read_as_rgb(tmp_path, mode):
    path = tmp_path / "picture.tiff"
    Image.new("RGB", (6, 4), (255, 0, 0)).convert(mode).save(path)
    found = read_picture(path)
    assert found.shape == (4, 6, 3) and found.dtype == np.uint8


def test_a_file_that_is_no_picture_is_named(tmp_path):
    (tmp_path / "a.png").write_bytes(b"<html>")
    for name in ("a.png", "missing.png"):
        with pytest.raises(UserError, match=name) as caught:
            read_picture(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_a_picture_of_400_megapixels_is_refused_before_it_is_unpacked(tmp_path):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    for edge in (20_000, 10_000):  # above both of Pillow's limits, and above the lower one
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", edge, edge, 8, 2, 0, 0, 0))
        path = tmp_path / "huge.png"
        path.write_bytes(
            b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
        )
        with pytest.raises(UserError, match=r"huge\.png: is no picture that can be read .*exceeds limit"):
            read_picture(path)


def test_a_picture_gets_the_size_and_range_of_the_input():
    found = Preprocess(PROMISE)(flat(9, 5))
    assert found.shape == (1, 4, 4, 3) and found.dtype == np.float32
    assert np.allclose(found[0, 2, 3], [1, -1, -0.6])


def test_colour_layout_and_range_are_those_of_the_contract():
    planes = {**PROMISE, "shape": [1, 3, 4, 4], "layout": "NCHW", "colour": "BGR", "value_range": [0, 255]}
    assert Preprocess(planes)(flat(4, 4))[0, :, 1, 1].tolist() == [51, 0, 255]
    each = {**PROMISE, "value_range": [[0, -1, -2], [1, 1, 2]]}
    assert np.allclose(Preprocess(each)(flat(4, 4))[0, 0, 0], [1, -1, -1.2])


def test_grey_inputs_take_colour_and_grey_pictures():
    grey = {**PROMISE, "shape": [1, 4, 4, 1], "colour": "GRAY", "value_range": [0, 1]}
    assert np.allclose(Preprocess(grey)(flat(4, 4, (100, 100, 100))), 100 / 255)
    assert np.allclose(Preprocess(grey)(np.full((4, 4, 1), 100, np.uint8)), 100 / 255)


def test_a_crop_is_the_middle_in_the_right_shape():
    wide = np.zeros((4, 12, 3), np.uint8)
    wide[:, 4:8] = 255
    assert (Preprocess(PROMISE, fit="crop")(wide) == 1).all()
    assert not (Preprocess(PROMISE)(wide) == 1).all()


def test_a_letterbox_keeps_the_whole_and_its_boxes_are_undone():
    prepare = Preprocess(PROMISE, fit="letterbox", padding=0)
    found = prepare(np.full((4, 8, 3), 255, np.uint8))
    assert (found[0, :2] == 1).all() and (found[0, 2:] == -1).all()
    whole = prepare.box_to_picture(np.array([[0, 0, 0.5, 1.0]]), (4, 8))
    assert np.allclose(whole, [[0, 0, 1, 1]])


@pytest.mark.parametrize("picture", [(4, 8), (9, 5), (90, 360), (4, 4)])
def test_a_letterbox_in_the_middle_is_darknets_and_its_boxes_are_undone(picture):
    """Sizes and place by the integers of letterbox_image; 360 * (416 / 360) is below 416 in floats."""
    height, width = picture
    prepare = Preprocess({**PROMISE, "shape": [1, 416, 416, 3]}, fit="letterbox", centred=True, padding=127.5)
    rows, columns = (height * 416 // width, 416) if width > height else (416, width * 416 // height)
    top, left = (416 - rows) // 2, (416 - columns) // 2
    found = prepare(flat(height, width, (255, 255, 255)))[0]
    assert (found[top : top + rows, left : left + columns] == 1).all()
    assert (found == 1).sum() == rows * columns * 3 and set(np.unique(found)) <= {0, 1}
    box = np.array([[top, left, top + rows, left + columns]]) / 416
    np.testing.assert_allclose(prepare.box_to_picture(box, picture), [[0, 0, 1, 1]], atol=1e-12)


def test_what_the_contract_says_of_a_pictures_size_holds_unless_the_card_says_otherwise():
    promise = {**PROMISE, "preprocess": {"fit": "letterbox", "padding": 0}}
    assert Preprocess.of(promise, {"centred": True}) == Preprocess(promise, "letterbox", padding=0, centred=True)
    assert Preprocess.of(promise, {"fit": "stretch"}).fit == "stretch"
    assert Preprocess.of(PROMISE, {}) == Preprocess(PROMISE)


def test_a_cropped_picture_has_no_boxes():
    with pytest.raises(UserError, match="use fit: stretch or letterbox"):
        Preprocess(PROMISE, fit="crop").box_to_picture(np.zeros((1, 4)), (4, 4))


def test_an_input_that_is_no_picture_takes_values_and_scales_bytes():
    vector = {**PROMISE, "shape": [1, 4], "layout": None, "value_range": [0, 1]}
    assert Preprocess(vector)(np.array([[0, 51], [102, 255]], np.uint8)).tolist() == [
        [0, np.float32(0.2), np.float32(0.4), 1]
    ]
    values = np.array([[5, -7], [0, 1]], np.float32)
    assert Preprocess(vector)(values).tolist() == [[5, -7, 0, 1]]


def test_a_sample_of_another_size_is_refused():
    vector = {**PROMISE, "shape": [1, 4], "layout": None}
    with pytest.raises(UserError, match=r"a sample has shape \[5\], the input picture \[1, 4\]"):
        Preprocess(vector)(np.zeros(5, np.float32))


def test_without_antialias_only_the_nearest_four_pixels_count():
    stripes = np.zeros((1, 8, 3), np.uint8)
    stripes[:, ::4] = 200
    promise = {**PROMISE, "shape": [1, 1, 2, 3], "value_range": [0, 255]}
    assert Preprocess(promise, antialias=False)(stripes)[0, 0, :, 0].tolist() == [0, 0]
    assert Preprocess(promise)(stripes)[0, 0, :, 0].min() > 30


def test_without_antialias_an_enlarged_picture_repeats_its_edges():
    two = np.array([[[0] * 3, [100] * 3]], np.uint8)
    promise = {**PROMISE, "shape": [1, 1, 4, 3], "value_range": [0, 255]}
    assert Preprocess(promise, antialias=False)(two)[0, 0, :, 0].tolist() == [0, 25, 75, 100]
