"""SSD anchors against values worked out from the paper's formulas (Liu et al. 2016, section 2.2)."""

import math

import numpy as np
import pytest

from zoomill.detection import anchors
from zoomill.errors import UserError
from zoomill.sources.tf1_detection import pipeline_config


@pytest.fixture
def generated(tmp_path):
    """Return a function from the text of an ssd_anchor_generator, feature maps and image size to anchors."""

    def generate(text, feature_maps, image_size=(300, 300)):
        path = tmp_path / "pipeline.config"
        path.write_text(
            "model { ssd { image_resizer { fixed_shape_resizer {} }"
            f" anchor_generator {{ ssd_anchor_generator {{ {text} }} }} }} }}"
        )
        ssd, _ = pipeline_config.read_pipeline(path)
        return anchors.ssd_anchors(ssd.anchor_generator.ssd_anchor_generator, feature_maps, image_size)

    return generate


def sizes(corners):
    """Return height and width of each anchor."""
    return corners[:, 2:] - corners[:, :2]


def centres(corners):
    return (corners[:, :2] + corners[:, 2:]) / 2


def test_scales_are_spaced_evenly_between_the_least_and_the_greatest(generated):
    text = "num_layers: 3 min_scale: 0.2 max_scale: 0.8 aspect_ratios: 1 interpolated_scale_aspect_ratio: 0"
    found = generated(text + " reduce_boxes_in_lowest_layer: false", [(1, 1)] * 3)
    np.testing.assert_allclose(sizes(found), [[0.2, 0.2], [0.5, 0.5], [0.8, 0.8]], rtol=1e-6)


def test_an_interpolated_box_stands_between_two_scales_and_the_last_one_before_the_whole_image(generated):
    text = "num_layers: 2 min_scale: 0.2 max_scale: 0.8 aspect_ratios: 1 reduce_boxes_in_lowest_layer: false"
    first, between, second, last = sizes(generated(text, [(1, 1)] * 2))[:, 0]
    assert (first, second) == (pytest.approx(0.2), pytest.approx(0.8))
    assert (between, last) == (pytest.approx(math.sqrt(0.2 * 0.8)), pytest.approx(math.sqrt(0.8 * 1)))


def test_an_aspect_ratio_is_width_to_height_at_the_same_area(generated):
    text = "num_layers: 1 min_scale: 0.5 aspect_ratios: 4 aspect_ratios: 0.25 interpolated_scale_aspect_ratio: 0"
    found = generated(text + " reduce_boxes_in_lowest_layer: false", [(1, 1)])
    np.testing.assert_allclose(sizes(found), [[0.25, 1], [1, 0.25]], rtol=1e-6)


def test_the_lowest_layer_has_three_boxes_unless_that_is_switched_off(generated):
    text = "num_layers: 2 min_scale: 0.2 max_scale: 0.8 aspect_ratios: 1 aspect_ratios: 2 aspect_ratios: 0.5"
    root = math.sqrt(2)
    found = sizes(generated(text, [(1, 1)] * 2))
    assert len(found) == 3 + 4
    np.testing.assert_allclose(found[:3], [[0.1, 0.1], [0.2 / root, 0.2 * root], [0.2 * root, 0.2 / root]], rtol=1e-6)
    assert len(generated(text + " reduce_boxes_in_lowest_layer: false", [(1, 1)] * 2)) == 4 + 4


def test_centres_are_those_of_the_cells_row_by_row_with_the_shape_varying_fastest(generated):
    text = "num_layers: 1 min_scale: 0.5 aspect_ratios: 1 aspect_ratios: 2 interpolated_scale_aspect_ratio: 0"
    found = generated(text + " reduce_boxes_in_lowest_layer: false", [(2, 4)])
    cells = [(y, x) for y in (0.25, 0.75) for x in (0.125, 0.375, 0.625, 0.875)]
    np.testing.assert_allclose(centres(found)[::2], cells, atol=1e-7)
    np.testing.assert_allclose(centres(found)[1::2], cells, atol=1e-7)
    assert found.dtype == np.float32


def test_scales_refer_to_the_shorter_side_of_the_image(generated):
    text = "num_layers: 1 min_scale: 0.5 aspect_ratios: 1 interpolated_scale_aspect_ratio: 0"
    text += " reduce_boxes_in_lowest_layer: false"
    np.testing.assert_allclose(sizes(generated(text, [(1, 1)], (100, 200))), [[0.5, 0.25]], rtol=1e-6)
    np.testing.assert_allclose(sizes(generated(text, [(1, 1)], (400, 100))), [[0.125, 0.5]], rtol=1e-6)


def test_base_anchor_sizes_multiply_the_scales(generated):
    text = "num_layers: 1 min_scale: 0.5 aspect_ratios: 1 interpolated_scale_aspect_ratio: 0"
    text += " reduce_boxes_in_lowest_layer: false base_anchor_height: 0.5 base_anchor_width: 2"
    np.testing.assert_allclose(sizes(generated(text, [(1, 1)])), [[0.25, 1]], rtol=1e-6)


def test_explicit_scales_replace_the_spaced_ones(generated):
    text = "num_layers: 2 scales: 0.3 scales: 0.4 aspect_ratios: 1 reduce_boxes_in_lowest_layer: false"
    found = sizes(generated(text, [(1, 1)] * 2))[:, 0]
    np.testing.assert_allclose(found, [0.3, math.sqrt(0.3 * 0.4), 0.4, math.sqrt(0.4)], rtol=1e-6)


def test_strides_and_offsets_are_in_pixels_of_each_direction(generated):
    text = "num_layers: 1 min_scale: 0.5 aspect_ratios: 1 interpolated_scale_aspect_ratio: 0"
    text += " reduce_boxes_in_lowest_layer: false height_stride: 16 width_stride: 32"
    found = centres(generated(text + " height_offset: 4 width_offset: 0", [(2, 2)], (64, 128)))
    np.testing.assert_allclose(found, [[0.0625, 0], [0.0625, 0.25], [0.3125, 0], [0.3125, 0.25]], atol=1e-7)
    half = centres(generated(text, [(1, 1)], (64, 128)))  # half a stride where no offset is given
    np.testing.assert_allclose(half, [[0.125, 0.125]], atol=1e-7)


def test_another_number_of_layers_than_the_graph_has_is_refused(generated):
    with pytest.raises(UserError, match=r"num_layers 6.* 5 prediction layers"):
        generated("num_layers: 6 aspect_ratios: 1", [(1, 1)] * 5)


@pytest.mark.parametrize("field", ["scales: 0.3", "height_stride: 16", "height_offset: 8"])
def test_a_list_with_another_number_of_layers_is_refused(generated, field):
    with pytest.raises(UserError, match=field.split(":")[0]):
        generated(f"num_layers: 2 aspect_ratios: 1 {field}", [(2, 2), (1, 1)])


def test_the_usual_ssd_of_300_pixels_has_1917_anchors(generated):
    text = "num_layers: 6 min_scale: 0.2 max_scale: 0.95 " + " ".join(
        f"aspect_ratios: {ratio}" for ratio in (1, 2, 0.5, 3, 0.3333)
    )
    found = generated(text, [(side, side) for side in (19, 10, 5, 3, 2, 1)])
    assert found.shape == (1917, 4)


def test_center_size_turns_corners_into_what_the_op_expects():
    corners = np.array([[0, 0.25, 1, 0.75], [-0.5, 0, 0.5, 2]], np.float32)
    found = anchors.center_size(corners)
    assert found.tolist() == [[0.5, 0.5, 1, 0.5], [0, 1, 1, 2]]
    assert found.dtype == np.float32
