"""Options of TFLite_Detection_PostProcess."""

import dataclasses

import numpy as np
import pytest
from flatbuffers import flexbuffers
from hypothesis import given
from hypothesis import strategies as st
from small_models import OPTIONS, options

from zoomill.detection.postprocess import Options
from zoomill.errors import UserError
from zoomill.sources.tf1_detection import pipeline_config

SCORE = st.floats(0, 1)
SCALE = st.floats(1e-3, 1e3)
COUNT = st.integers(1, 2**31 - 1)


@st.composite
def any_options(draw):
    """Draw options that an op can have."""
    regular = draw(st.booleans())
    classes = draw(COUNT)
    return Options(
        max_detections=draw(COUNT),
        max_classes_per_detection=1 if regular else draw(st.integers(1, classes)),
        detections_per_class=draw(COUNT),
        use_regular_nms=regular,
        nms_score_threshold=draw(SCORE),
        nms_iou_threshold=draw(SCORE),
        num_classes=classes,
        y_scale=draw(SCALE),
        x_scale=draw(SCALE),
        h_scale=draw(SCALE),
        w_scale=draw(SCALE),
    )


def test_floats_are_rounded_to_float32_and_the_rest_keeps_its_type():
    found = options(nms_iou_threshold=0.6, nms_score_threshold=0, max_detections=7)
    assert found.nms_iou_threshold == float(np.float32(0.6)) != 0.6
    assert isinstance(found.nms_score_threshold, float)
    assert type(found.max_detections) is int and type(found.use_regular_nms) is bool


@given(any_options())
def test_custom_options_of_a_file_give_back_the_same_options(asked):
    assert Options.from_custom_options(asked.to_custom_options()) == asked


@given(any_options())
def test_options_survive_json(asked):
    assert Options(**dataclasses.asdict(asked)) == asked


def test_custom_options_have_sorted_keys_and_nothing_but_the_options():
    stored = flexbuffers.Loads(bytes(options().to_custom_options()))
    assert list(stored) == sorted(OPTIONS)


def test_options_that_old_exporters_left_out_are_those_of_the_op():
    old = {key: value for key, value in OPTIONS.items() if key not in ("use_regular_nms", "detections_per_class")}
    found = Options.from_custom_options(flexbuffers.Dumps(old))
    assert (found.use_regular_nms, found.detections_per_class) == (False, 100)


def test_differences_name_the_option_what_was_found_and_what_was_asked_for():
    asked = options(use_regular_nms=True, detections_per_class=7)
    found = options(use_regular_nms=False, detections_per_class=100)
    assert asked.differences(found) == [
        "detections_per_class is 100, asked for 7",
        "use_regular_nms is False, asked for True",
    ]
    assert asked.differences(options(detections_per_class=7)) == []


def test_several_classes_are_for_fast_nms_only():
    assert options(use_regular_nms=False, max_classes_per_detection=2).max_classes_per_detection == 2
    with pytest.raises(UserError, match="max_classes_per_detection 2 .* use_regular_nms"):
        options(use_regular_nms=True, max_classes_per_detection=2)


def test_more_classes_for_each_detection_than_there_are_would_leave_rows_unwritten():
    with pytest.raises(UserError, match="max_classes_per_detection 4"):
        options(use_regular_nms=False, max_classes_per_detection=4, num_classes=3)


def test_a_pipeline_gives_its_thresholds_maxima_and_scales(tmp_path):
    config = tmp_path / "pipeline.config"
    config.write_text(
        """model { ssd {
          num_classes: 5
          image_resizer { fixed_shape_resizer {} }
          anchor_generator { ssd_anchor_generator {} }
          box_coder { faster_rcnn_box_coder { y_scale: 1 x_scale: 2 height_scale: 3 width_scale: 4 } }
          post_processing { batch_non_max_suppression {
            score_threshold: 0.25 iou_threshold: 0.5 max_detections_per_class: 11 max_total_detections: 22
          } }
        } }"""
    )
    ssd, _ = pipeline_config.read_pipeline(config)
    assert Options.from_pipeline(ssd) == Options(
        max_detections=22,
        max_classes_per_detection=1,
        detections_per_class=11,
        use_regular_nms=True,
        nms_score_threshold=0.25,
        nms_iou_threshold=0.5,
        num_classes=5,
        y_scale=1,
        x_scale=2,
        h_scale=3,
        w_scale=4,
    )
