"""Contracts of detection graphs."""

import json

import numpy as np
import pytest
from small_models import options

from zoomill.detection import ssd_contract


def heads(low, high, shape=(1, 300, 300, 3)):
    value_range = np.array(low, np.float32), np.array(high, np.float32)
    return ssd_contract.detection_heads("small", shape, value_range, 1917, ["a", "b", "c"], options())


def test_raw_heads_say_what_goes_in_and_what_comes_out():
    found = heads([-1, -1, -1], [1, 1, 1])
    (image,) = found["inputs"]
    assert (image["shape"], image["dtype"], image["layout"]) == ([1, 300, 300, 3], "float32", "NHWC")
    assert (image["colour"], image["value_range"]) == ("RGB", [-1, 1])
    assert [(out["name"], out["shape"]) for out in found["outputs"]] == [
        ("box_encodings", [1, 1917, 4]),
        ("class_predictions", [1, 1917, 1 + 3]),
    ]
    assert found["labels"] == ["a", "b", "c"] and found["label_offset"] == 1
    assert json.loads(json.dumps(found)) == found


def test_a_head_without_background_has_a_column_less():
    ends = np.zeros(3, np.float32), np.ones(3, np.float32)
    found = ssd_contract.detection_heads("small", (1, 9, 9, 3), ends, 7, [], options(), background=False)
    assert found["outputs"][1]["shape"] == [1, 7, 3] and "background" not in found["outputs"][1]["meaning"]


def test_a_range_that_differs_by_channel_is_given_for_each():
    (image,) = heads([-120, -110, -100], [135, 145, 155])["inputs"]
    assert image["value_range"] == [[-120, -110, -100], [135, 145, 155]]


def test_one_channel_is_grey():
    assert heads([0], [1], (1, 96, 96, 1))["inputs"][0]["colour"] == "GRAY"


@pytest.mark.parametrize("classes, rows", [(1, 20), (2, 40)])
def test_post_processing_replaces_the_outputs_and_keeps_the_rest(classes, rows):
    raw = heads([-1], [1])
    asked = options(use_regular_nms=False, max_detections=20, max_classes_per_detection=classes)
    found = ssd_contract.with_postprocess(raw, "detect_fast", asked)
    assert [(out["name"], out["tensor"], out["shape"]) for out in found["outputs"]] == [
        ("detection_boxes", "TFLite_Detection_PostProcess", [1, rows, 4]),
        ("detection_classes", "TFLite_Detection_PostProcess:1", [1, rows]),
        ("detection_scores", "TFLite_Detection_PostProcess:2", [1, rows]),
        ("num_detections", "TFLite_Detection_PostProcess:3", [1]),
    ]
    assert found["postprocess"] == vars(asked) and found["graph"] == "detect_fast"
    assert found["inputs"] == raw["inputs"] and raw["graph"] == "detect_cut"
