"""Non-maximum suppression of many boxes at once, against the loop that it stands for."""

import numpy as np
import pytest
from small_models import options

from zoomill.detection import nms

F32 = np.float32
NUMBERS = (0, 1, 63, 64, 65, 200)


def one_by_one(boxes, scores, limit, options):
    """Return what greedy NMS keeps, box by box; overlaps as the textbook has them."""
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] >= options.nms_score_threshold]
    kept = []
    while len(order) and len(kept) < limit:
        best, order = order[0], order[1:]
        kept.append(best)
        order = order[overlaps(boxes[best], boxes[order]) <= options.nms_iou_threshold]
    return np.array(kept, int)


def overlaps(box, boxes):
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    union = np.prod(box[2:] - box[:2]) + np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) - shared
    return np.where(union > 0, shared / np.where(union > 0, union, 1), 0)


def corners(centres, sizes):
    return np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)


BOXES = {
    "here and there": lambda draw, n: corners(draw.random((n, 2), F32), draw.random((n, 2), F32) * F32(0.3)),
    "crowded": lambda draw, n: corners(draw.random((n, 2), F32) * F32(0.1), draw.random((n, 2), F32) * F32(0.3)),
    # Overlaps of 1/2, 1/3, 1/5: some are exactly the threshold.
    "on a grid": lambda draw, n: corners(draw.integers(0, 4, (n, 2)), draw.integers(0, 4, (n, 2))).astype(F32),
    "all the same": lambda draw, n: np.tile(draw.random(4, F32), (n, 1)),
    "points": lambda draw, n: np.tile(draw.integers(0, 3, (n, 2)), 2).astype(F32),
    "inside out": lambda draw, n: draw.random((n, 4), F32),
    "enormous": lambda draw, n: draw.standard_normal((n, 4)).astype(F32) * F32(1e20),
    "tiny": lambda draw, n: draw.random((n, 4), F32) * F32(1e-22),
    "in double precision": lambda draw, n: corners(draw.random((n, 2)), draw.random((n, 2)) * 0.3),
}
SCORES = {
    "any": lambda draw, n: draw.random(n, F32),
    "tied": lambda draw, n: draw.integers(0, 4, n).astype(F32) / F32(4),
    "the same": lambda draw, n: np.full(n, 0.5, F32),
    "partly none": lambda draw, n: np.where(draw.random(n) < 0.5, draw.random(n, F32), F32(-np.inf)),
}


@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
@pytest.mark.parametrize("boxes", BOXES.values(), ids=BOXES)
@pytest.mark.parametrize("scores", SCORES.values(), ids=SCORES)
def test_many_at_once_keep_what_one_by_one_keeps(boxes, scores):
    draw = np.random.default_rng(0)
    for number in NUMBERS:
        given = boxes(draw, number), scores(draw, number)
        for limit in (1, 64, number):
            for least, overlap in ((0, 0), (1e-8, 0.5), (0.5, 1 / 3)):
                asked = options(nms_score_threshold=least, nms_iou_threshold=overlap)
                expected = one_by_one(*given, limit, asked)
                kept = nms.suppress(*given, limit, asked)
                assert kept.dtype == expected.dtype and kept.tolist() == expected.tolist()


@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
@pytest.mark.parametrize("boxes", BOXES.values(), ids=BOXES)
def test_overlaps_of_many_have_the_bits_of_those_of_one(boxes):
    drawn = boxes(np.random.default_rng(1), 100)
    found = nms.iou(drawn[:, None], drawn)
    assert found.tobytes() == np.stack([overlaps(box, drawn) for box in drawn]).tobytes()
