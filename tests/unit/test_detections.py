"""Decoding, suppression and matching of detections, against values worked out by hand."""

import math

import numpy as np
import pytest
from small_models import options

from zoomill.detection import nms
from zoomill.detection.nms import Detections

WHOLE = [0, 0, 1, 1]
LEFT_HALF = [0, 0, 1, 0.5]
ELSEWHERE = [2, 2, 3, 3]


def array(*rows):
    return np.array(rows, np.float32)


def centred(*corners):
    """Return ycenter, xcenter, height, width of boxes: as anchors, zero encodings decode to the boxes."""
    boxes = array(*corners)
    return np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], axis=1)


def postprocess(corners, scores, **changes):
    """Post-process boxes with their scores, background first."""
    asked = options(num_classes=len(scores[0]) - 1, **changes)
    return nms.postprocess(np.zeros((len(corners), 4), np.float32), array(*scores), centred(*corners), asked)


def found(boxes, classes, scores):
    return Detections(array(*boxes).reshape(-1, 4), np.array(classes, int), np.array(scores, np.float32))


def test_decoding_follows_the_formula_of_faster_r_cnn():
    # Anchor: centre (0.5, 0.4), size 0.2 x 0.1. ty = 10 moves by one height, th = 5 ln 2 doubles it.
    box = nms.decode(array([10, -20, 5 * math.log(2), 0]), array([0.5, 0.4, 0.2, 0.1]), options())
    np.testing.assert_allclose(box, [[0.7 - 0.2, 0.2 - 0.05, 0.7 + 0.2, 0.2 + 0.05]], atol=1e-7)
    assert box.dtype == np.float32


def test_decoding_uses_each_scale_for_its_own_coordinate():
    scales = options(y_scale=1, x_scale=2, h_scale=3, w_scale=4)
    encoding = array([1, 2, 3 * math.log(3), 4 * math.log(5)])
    box = nms.decode(encoding, array([0, 0, 1, 1]), scales)
    np.testing.assert_allclose(box, [[1 - 1.5, 1 - 2.5, 1 + 1.5, 1 + 2.5]], rtol=1e-6)


@pytest.mark.parametrize(
    "box, overlap",
    [(WHOLE, 1), (LEFT_HALF, 0.5), (ELSEWHERE, 0), ([0, 0, 0, 1], 0), ([1, 0, 2, 1], 0), ([0.5, 0.5, 0.5, 0.5], 0)],
    ids=["same", "half", "apart", "no height", "touching", "a point"],
)
def test_iou(box, overlap):
    assert nms.iou(array(*WHOLE), array(box)) == [overlap]


def test_two_degenerate_boxes_do_not_overlap():
    assert nms.iou(array(0, 0, 0, 0), array([0, 0, 0, 0])) == [0]


def test_an_overlap_of_exactly_the_threshold_keeps_both_boxes():
    for threshold, kept in ((0.5, 2), (0.499, 1)):
        result = postprocess([WHOLE, LEFT_HALF], [[0, 0.9], [0, 0.8]], nms_iou_threshold=threshold)
        assert len(result.scores) == kept


def test_a_score_of_exactly_the_threshold_is_kept():
    result = postprocess([WHOLE, ELSEWHERE], [[0, 0.5], [0, 0.499]], nms_score_threshold=0.5)
    assert result.scores.tolist() == [0.5]


def test_a_suppressed_box_suppresses_no_other():
    # Each shares half its area with the next, 1/3 in IoU; the first and the last share nothing.
    boxes = [[0, 0, 1, 1], [0, 0.5, 1, 1.5], [0, 1, 1, 2]]
    result = postprocess(boxes, [[0, 0.9], [0, 0.8], [0, 0.7]], nms_iou_threshold=0.3)
    np.testing.assert_array_equal(result.scores, array(0.9, 0.7))


SAME_PLACE = [WHOLE, WHOLE, ELSEWHERE], [[0, 0.9, 0.1], [0, 0.1, 0.8], [0, 0.7, 0.6]]


def test_regular_nms_keeps_boxes_of_other_classes_at_the_same_place():
    result = postprocess(*SAME_PLACE, use_regular_nms=True)
    assert list(zip(result.classes, result.scores, strict=True)) == [
        (0, np.float32(0.9)),
        (1, np.float32(0.8)),
        (0, np.float32(0.7)),
        (1, np.float32(0.6)),
    ]


def test_fast_nms_keeps_one_box_at_one_place_and_its_best_class():
    result = postprocess(*SAME_PLACE, use_regular_nms=False)
    assert list(zip(result.classes, result.scores, strict=True)) == [(0, np.float32(0.9)), (0, np.float32(0.7))]


def test_fast_nms_gives_a_row_for_each_of_the_best_classes():
    scores = [[0, 0.1, 0.9, 0.5], [0, 0.8, 0.2, 0.4]]
    result = postprocess([WHOLE, ELSEWHERE], scores, use_regular_nms=False, max_classes_per_detection=2)
    assert result.classes.tolist() == [1, 2, 0, 2]
    np.testing.assert_array_equal(result.scores, array(0.9, 0.5, 0.8, 0.4))
    np.testing.assert_array_equal(result.boxes, array(WHOLE, WHOLE, ELSEWHERE, ELSEWHERE))


def test_regular_nms_keeps_so_many_boxes_of_a_class_and_so_many_in_all():
    boxes = [[0, i, 1, i + 1] for i in range(4)]
    scores = [[0, 0.9, 0.5], [0, 0.8, 0.45], [0, 0.7, 0.4], [0, 0.6, 0.35]]
    result = postprocess(boxes, scores, detections_per_class=2)
    assert result.classes.tolist() == [0, 0, 1, 1]
    result = postprocess(boxes, scores, detections_per_class=2, max_detections=3)
    np.testing.assert_array_equal(result.scores, array(0.9, 0.8, 0.5))


def test_fast_nms_counts_boxes_and_not_rows():
    boxes = [[0, i, 1, i + 1] for i in range(4)]
    scores = [[0, 0.9, 0.5], [0, 0.8, 0.45], [0, 0.7, 0.4], [0, 0.6, 0.35]]
    changes = {"use_regular_nms": False, "max_detections": 3, "detections_per_class": 1}
    assert len(postprocess(boxes, scores, **changes).scores) == 3
    assert len(postprocess(boxes, scores, max_classes_per_detection=2, **changes).scores) == 6


def test_nothing_above_the_threshold_gives_no_detections():
    for regular in (True, False):
        result = postprocess([WHOLE], [[0.9, 0.1]], use_regular_nms=regular)
        assert result.boxes.shape == (0, 4) and result.classes.shape == result.scores.shape == (0,)


def test_boxes_can_be_cut_at_the_edges():
    whole = options(num_classes=1, use_regular_nms=False)
    anchors = np.array([[0.5, 0.5, 2.0, 0.5]], np.float32)
    heads = np.zeros((1, 4), np.float32), np.ones((1, 2), np.float32), anchors
    assert nms.postprocess(*heads, whole).boxes.tolist() == [[-0.5, 0.25, 1.5, 0.75]]
    for clip in ("before", "after"):
        assert nms.postprocess(*heads, whole, clip).boxes.tolist() == [[0, 0.25, 1, 0.75]]


def test_cutting_boxes_before_nms_can_change_what_overlaps():
    one = options(num_classes=1, use_regular_nms=False, nms_iou_threshold=0.5)
    anchors = np.array([[0.5, 0.5, 1.0, 1.0], [0.5, 1.0, 1.0, 2.0]], np.float32)  # the second sticks out to the right
    heads = np.zeros((2, 4), np.float32), np.array([[0, 0.9], [0, 0.8]], np.float32), anchors
    assert [len(nms.postprocess(*heads, one, clip).scores) for clip in ("before", "after")] == [1, 2]


def match(expected, other, tolerance=0.01, **changes):
    return nms.match(expected, other, options(**changes), tolerance)


def test_equal_detections_match_in_any_order():
    ours = found([WHOLE, ELSEWHERE], [0, 1], [0.9, 0.8])
    theirs = found([ELSEWHERE, WHOLE], [1, 0], [0.8, 0.9])
    result = match(ours, theirs)
    assert (result.expected, result.found, result.matched) == (2, 2, 2)
    assert result.complete and result.score_difference == 0 and result.lowest_iou == 1


def test_a_pair_needs_the_same_class_and_half_its_area():
    ours = found([WHOLE, ELSEWHERE], [0, 1], [0.9, 0.8])
    other_class = match(ours, found([WHOLE, ELSEWHERE], [0, 2], [0.9, 0.8]))
    assert (other_class.matched, other_class.missing, other_class.surplus) == (1, 1, 1)
    half = match(ours, found([LEFT_HALF, ELSEWHERE], [0, 1], [0.9, 0.75]), 0.1)
    assert half.matched == 2 and half.lowest_iou == 0.5
    assert half.score_difference == pytest.approx(0.05)
    less = match(ours, found([[0, 0, 1, 0.4], ELSEWHERE], [0, 1], [0.9, 0.8]))
    assert (less.matched, less.missing, less.surplus, less.complete) == (1, 1, 1, False)


def test_a_pair_needs_nearly_the_same_score():
    result = match(found([WHOLE], [0], [0.9]), found([WHOLE, LEFT_HALF], [0, 0], [0.5, 0.89]))
    assert (result.matched, result.surplus) == (1, 1) and result.lowest_iou == 0.5


def test_one_detection_is_nobodys_partner_twice():
    result = match(found([WHOLE, WHOLE], [0, 0], [0.9, 0.8]), found([WHOLE], [0], [0.9]))
    assert (result.matched, result.missing) == (1, 1)


def test_a_lonely_detection_near_the_score_threshold_is_borderline_on_either_side():
    nothing = found([], [], [])
    for score, borderline in ((0.305, 1), (0.32, 0)):
        one = found([WHOLE], [0], [score])
        lost, gained = match(one, nothing), match(nothing, one)
        assert (lost.borderline, lost.missing) == (borderline, 1 - borderline)
        assert (gained.borderline, gained.surplus) == (borderline, 1 - borderline)


def test_a_full_list_ends_at_its_lowest_score():
    ours, theirs = found([WHOLE], [0], [0.805]), found([ELSEWHERE], [1], [0.8])
    result = match(ours, theirs, max_detections=1)
    assert (result.borderline, result.missing, result.surplus) == (2, 0, 0)
    assert match(ours, theirs, max_detections=2).missing == 1


def test_rows_for_further_classes_do_not_make_a_list_full():
    """Two boxes of four, two rows each: a lost box is missing, whatever the score of the last row."""
    boxes, fast = [WHOLE, WHOLE, ELSEWHERE, ELSEWHERE], {"use_regular_nms": False, "max_classes_per_detection": 2}
    ours = found([*boxes, [5, 5, 6, 6], [5, 5, 6, 6]], [0, 1, 0, 1, 0, 1], [0.9, 0.8, 0.7, 0.65, 0.6, 0.5])
    theirs = found(boxes, [0, 1, 0, 1], [0.9, 0.8, 0.7, 0.65])
    assert match(ours, theirs, max_detections=4, **fast).missing == 2


def test_counts_of_images_add_up():
    total = nms.Match()
    total.add(match(found([WHOLE], [0], [0.9]), found([LEFT_HALF], [0], [0.85]), 0.1))
    total.add(match(found([WHOLE], [0], [0.9]), found([], [], [])))
    assert (total.expected, total.found, total.matched, total.missing) == (2, 1, 1, 1)
    assert total.score_difference == pytest.approx(0.05) and total.lowest_iou == 0.5
