"""From outputs to detections in the picture."""

import dataclasses

import numpy as np
import pytest

from zoomill.detection import decode
from zoomill.detection.postprocess import Options
from zoomill.errors import UserError

SSD = Options(
    max_detections=10,
    max_classes_per_detection=1,
    detections_per_class=10,
    use_regular_nms=True,
    nms_score_threshold=0.3,
    nms_iou_threshold=0.6,
    num_classes=2,
    y_scale=10,
    x_scale=10,
    h_scale=5,
    w_scale=5,
)
# Two anchors: centre y, x, height, width.
ANCHORS = np.array([[0.5, 0.5, 0.4, 0.2], [0.2, 0.2, 0.2, 0.2]], np.float32)


def ssd():
    return decode.decoder({"postprocess": vars(SSD)}, ANCHORS, "ssd")


def box(row):
    return pytest.approx(row, abs=1e-6)


def test_raw_ssd_heads_are_decoded_as_the_contract_says():
    scores = np.array([[[0.9, 0.1, 0.8], [0.9, 0.2, 0.1]]], np.float32)  # background, then two classes
    found = ssd()({"box_encodings": np.zeros((1, 2, 4), np.float32), "class_predictions": scores})
    assert found.classes.tolist() == [1] and found.boxes[0].tolist() == box([0.3, 0.4, 0.7, 0.6])


def test_of_detections_only_those_that_count_are_read():
    outputs = {
        "detection_boxes": np.ones((1, 10, 4), np.float32),
        "detection_classes": np.full((1, 10), 1, np.float32),
        "detection_scores": np.full((1, 10), 0.5, np.float32),
        "num_detections": np.array([3], np.float32),
    }
    assert len(ssd()(outputs).scores) == 3


def test_decoded_yolo_rows_turn_to_y_first_and_scores_are_not_multiplied_again():
    rows = np.array([[[0.1, 0.2, 0.3, 0.4, 0.5, 0.45, 0.05]]], np.float32)
    found = decode.decoder({}, None, "yolo", nms_score_threshold=0.1)({"detections": rows})
    assert found.boxes[0].tolist() == box([0.2, 0.1, 0.4, 0.3])
    assert found.classes.tolist() == [0] and found.scores.tolist() == box([0.45])


def test_raw_yolo_heads_take_the_logistic_with_its_right_sign():
    # One cell, one anchor of half the picture: logits of 0 are its middle, large ones are certainty.
    entry = {"kind": "yolo", "anchors": [[0.5, 0.5]], "classes": 2, "scale_x_y": 1, "activation": "logistic"}
    contract = {"outputs": [{"name": "head_0", "decode": entry}]}
    head = np.array([0, 0, 0, 0, 20, 20, -20], np.float32).reshape(1, 1, 1, 7)
    found = decode.decoder(contract, None, "yolo")({"head_0": head})
    assert found.boxes.tolist() == [box([0.25, 0.25, 0.75, 0.75])]
    assert found.classes.tolist() == [0] and found.scores[0] > 0.99


def yolox_rows(cells):
    """Return the output of a 32 x 64 YOLOX with 2 classes: all silent but for ``{cell: row}``."""
    rows = np.zeros((1, 4 * 8 + 2 * 4 + 1 * 2, 7), np.float32)
    for cell, row in cells.items():
        rows[0, cell] = row
    return rows


def yolox(**options):
    options = {"nms_score_threshold": 0.001, **options}
    return decode.decoder({"inputs": [{"shape": [1, 32, 64, 3]}]}, None, "yolox", **options)


def test_yolox_cells_are_counted_row_by_row_from_the_finest_head():
    # The second head starts at cell 32; its cell 5 is row 1, column 1 of 16 x 16 pixels.
    rows = yolox_rows({32 + 5: [0.5, 0.5, 0, np.log(0.5), 0.5, 0.2, 0.8]})
    found = yolox()({"output": rows})
    best = found.boxes[found.classes == 1][0]
    assert best.tolist() == box([(24 - 4) / 32, (24 - 8) / 64, (24 + 4) / 32, (24 + 8) / 64])
    assert sorted(found.scores) == box([0.1, 0.4])


def test_a_yolox_output_of_another_size_is_refused():
    with pytest.raises(UserError, match="has 42 cells, the output 3"):
        yolox()({"output": np.zeros((1, 3, 7), np.float32)})


def test_a_box_counts_for_every_class_or_for_its_best_only():
    rows = yolox_rows({0: [0, 0, 0, 0, 1, 0.6, 0.7]})
    assert sorted(yolox()({"output": rows}).classes) == [0, 1]
    assert yolox(best_class=True)({"output": rows}).classes.tolist() == [1]


def test_suppression_leaves_other_classes_alone_and_keeps_the_best():
    boxes = np.array([[0, 0, 1, 1]] * 3, float)
    scores = np.array([[0.9, 0], [0.8, 0], [0, 0.7]])
    found = decode.Suppression()(boxes, scores)
    assert found.classes.tolist() == [0, 1] and found.scores.tolist() == [0.9, 0.7]
    assert decode.Suppression(max_detections=1)(boxes, scores).scores.tolist() == [0.9]


def test_no_box_above_the_threshold_gives_no_detections():
    found = decode.Suppression(nms_score_threshold=0.95)(np.zeros((2, 4)), np.full((2, 3), 0.9))
    assert len(found.boxes) == len(found.classes) == len(found.scores) == 0


def test_a_lower_threshold_of_the_metric_counts_more_and_keeps_the_rest():
    contract = {"postprocess": {"nms_score_threshold": 0.5, "nms_iou_threshold": 0.9}}
    assert decode.settings(contract, "yolo") == decode.Suppression(0.5, 0.9)
    assert decode.settings(contract, "yolo", nms_score_threshold=0.1) == decode.Suppression(0.1, 0.9)
    ssd = {"postprocess": vars(SSD)}
    assert decode.settings(ssd, "ssd", nms_score_threshold=0) == dataclasses.replace(SSD, nms_score_threshold=0)


def test_detections_of_an_ssd_below_the_threshold_do_not_count():
    outputs = {
        "detection_boxes": np.ones((1, 2, 4), np.float32),
        "detection_classes": np.zeros((1, 2), np.float32),
        "detection_scores": np.array([[0.5, 0.25]], np.float32),
        "num_detections": np.array([2], np.float32),
    }
    assert ssd()(outputs).scores.tolist() == [0.5]


def test_an_ssd_without_post_processing_in_its_contract_is_refused():
    for own in ({}, {"postprocess": {"nms_score_threshold": 0.3}}):
        with pytest.raises(UserError, match="the contract's `postprocess` has no max_detections, max_classes"):
            decode.decoder(own, ANCHORS, "ssd")


def test_an_ssd_takes_no_options_of_its_own():
    with pytest.raises(UserError, match="nms_iou_threshold: an SSD's NMS is set in `postprocess`"):
        decode.decoder({"postprocess": vars(SSD)}, ANCHORS, "ssd", nms_iou_threshold=0.5)
