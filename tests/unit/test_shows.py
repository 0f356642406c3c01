"""What a page is told to draw of the outputs of a model."""

import pytest

from zoomill.pages.shows import shows

IMAGE = {"name": "x", "dtype": "float32", "shape": [1, 8, 8, 3], "layout": "NHWC", "colour": "RGB"}
CORNERS = "x, y of the tip and of the other corners, in parts of the edge"


def shown(task, *outputs, value_range=(-1, 1), **metric):
    """Return what is drawn of outputs ``(name, shape, meaning, more)`` of a model with such a metric."""
    promises = [{"name": name, "shape": shape, "meaning": meaning, **more} for name, shape, meaning, more in outputs]
    contract = {"inputs": [{**IMAGE, "value_range": list(value_range)}], "outputs": promises}
    return shows(contract, {"task": task, "decode": {}, "metric": metric})


def test_boxes_and_classes_are_drawn_as_decode_js_returns_them():
    assert shown("object-detection", ("detections", [1, 5, 7], "", {})) == {"kind": "detections"}
    assert shown("image-classification", ("p", [1, 5], "", {})) == {"kind": "classes"}


@pytest.mark.parametrize(
    ("task", "more", "metric", "value_range", "expected"),
    [
        ("image-generation", {}, {}, (-1, 1), [-1, 1]),
        ("super-resolution", {"value_range": [-1, 1]}, {}, (0, 1), [-1, 1]),
        ("super-resolution", {}, {"name": "psnr", "range": [0, 255]}, (0, 1), [0, 255]),
        ("image-generation", {}, {}, ([-2, -1.5, -1], [2, 1, 3]), [-2, 3]),
        ("image-segmentation", {}, {}, (-1, 1), [0, 1]),
    ],
)
def test_a_picture_has_the_range_of_its_contract_its_metric_or_its_input(task, more, metric, value_range, expected):
    sure = "sure", [1, 1], "", {}
    found = shown(task, sure, ("made", [1, 16, 16, 1], "picture", more), value_range=value_range, **metric)
    assert found == {"kind": "picture", "output": "made", "range": expected}


@pytest.mark.parametrize(
    ("meaning", "more", "metric", "expected"),
    [
        (CORNERS, {}, {}, (2, "edge")),
        ("x, y, z of 3 points, in pixels", {}, {}, (3, "pixels")),
        ("", {}, {"name": "landmarks", "size": 48}, (2, "edge")),
        ("", {}, {"name": "landmarks", "dimensions": 3}, (3, "pixels")),
        (None, {"value_range": [-1, 1]}, {}, (2, [-1, 1])),
    ],
)
def test_points_have_the_unit_that_their_contract_metric_or_meaning_tells(meaning, more, metric, expected):
    found = shown("landmarks", ("points", [1, 6], meaning, more), **metric)
    assert found == {"kind": "landmarks", "output": "points", "dimensions": expected[0], "unit": expected[1]}


def test_what_nobody_has_described_is_shown_as_values():
    assert shown("landmarks", ("y", [1, 6], "", {})) == {"kind": "values"}
    assert shown("image-generation", ("y", [1, 6], "", {})) == shown("other", ("y", [1, 6], "", {}))
