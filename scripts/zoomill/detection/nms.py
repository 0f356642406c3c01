"""Decoding, non-maximum suppression and matching of detections, in NumPy.

A second implementation of TFLite_Detection_PostProcess (tensorflow/lite/kernels/detection_postprocess.cc), so that
the op in an artifact can be checked against the source model's raw heads.
"""

import dataclasses

import numpy as np

# Boxes that NMS takes at once.
_AT_ONCE = 64


@dataclasses.dataclass(frozen=True)
class Detections:
    """Detections in one image.

    Attributes:
        boxes: float32 ``[n, 4]``: ymin, xmin, ymax, xmax, relative to the image.
        classes: int ``[n]``, 0 is the first class after the background.
        scores: float32 ``[n]``.
    """

    boxes: np.ndarray
    classes: np.ndarray
    scores: np.ndarray

    def above(self, threshold):
        """Return the detections whose score is at least ``threshold``."""
        kept = self.scores >= threshold
        return Detections(self.boxes[kept], self.classes[kept], self.scores[kept])


def of_outputs(outputs, options):
    """Return the rows that count of the four outputs of TFLite_Detection_PostProcess.

    The op counts boxes, for which fast NMS writes a row for each of their best classes.

    Args:
        outputs: ``{output name: array}``.
        options: :class:`zoomill.detection.postprocess.Options` of the op.
    """
    count = int(outputs["num_detections"][0]) * options.max_classes_per_detection
    return Detections(
        outputs["detection_boxes"][0, :count],
        outputs["detection_classes"][0, :count].astype(int),
        outputs["detection_scores"][0, :count],
    )


def decode(encodings, anchors, options):
    """Turn box encodings ``[anchors, 4]`` into boxes ``[anchors, 4]`` (Ren et al. 2015, equation 2).

    Args:
        encodings: float32 ty, tx, th, tw.
        anchors: float32 ycenter, xcenter, height, width.
        options: the scales of :class:`zoomill.detection.postprocess.Options`.
    """
    scales = np.array([options.y_scale, options.x_scale, options.h_scale, options.w_scale], np.float32)
    encodings = encodings / scales
    centre = encodings[:, :2] * anchors[:, 2:] + anchors[:, :2]
    half = np.exp(encodings[:, 2:]) * anchors[:, 2:] * np.float32(0.5)
    return np.concatenate([centre - half, centre + half], axis=1)


def iou(first, second):
    """Return the overlaps (intersection over union, 0 to 1) of boxes ``[…, 4]``, which are broadcast."""
    shared = _shared(first, second, 0) * _shared(first, second, 1)
    union = _area(first) + _area(second) - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def suppress(boxes, scores, limit, options):
    """Return the indices that greedy NMS keeps, by falling score, at most ``limit``.

    Some boxes at a time are compared with those that are kept, and those that are left with each other: NumPy is slow
    box by box, and most boxes come after the last one that is kept.
    """
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] >= options.nms_score_threshold]
    kept = np.empty(0, int)
    for start in range(0, len(order), _AT_ONCE):
        if len(kept) >= limit:
            break
        some = order[start : start + _AT_ONCE]
        some = some[_apart(boxes[some], boxes[kept], options).all(axis=1)]
        apart, free = _apart(boxes[some], boxes[some], options), np.ones(len(some), bool)
        for one in range(len(some)):
            if free[one]:
                free[one + 1 :] &= apart[one, one + 1 :]
        kept = np.concatenate([kept, some[free]])
    return kept[:limit]


def postprocess(encodings, scores, anchors, options, clip=None):
    """Compute what the op computes.

    Args:
        encodings: float32 ``[anchors, 4]``.
        scores: float32 ``[anchors, 1 + classes]``, background first.
        anchors: float32 ``[anchors, 4]``: ycenter, xcenter, height, width.
        options: :class:`zoomill.detection.postprocess.Options`. Fast NMS gives ``max_classes_per_detection`` rows for
            each box, its best classes.
        clip: ``before`` or ``after`` to cut the boxes at the edges of the image before or after NMS. The op does not;
            the Object Detection API did it before at first, and after in later releases.
    """
    boxes, scores = candidates(encodings, scores, anchors, options)
    if clip == "before":
        boxes = np.clip(boxes, 0, 1)
    found = choose(boxes, scores, options)
    return dataclasses.replace(found, boxes=np.clip(found.boxes, 0, 1)) if clip == "after" else found


def candidates(encodings, scores, anchors, options):
    """Return boxes float32 ``[anchors, 4]`` and scores ``[anchors, classes]`` that NMS chooses from.

    Args:
        encodings, scores, anchors: as for :func:`postprocess`.
        options: scales and number of classes of :class:`zoomill.detection.postprocess.Options`.
    """
    return decode(encodings, anchors, options), scores[:, -options.num_classes :]


def choose(boxes, scores, options):
    """Return the :class:`Detections` that the op's NMS keeps of :func:`candidates`."""
    if options.use_regular_nms:
        rows, classes = _regular(boxes, scores, options)
        order = np.argsort(-scores[rows, classes], kind="stable")[: options.max_detections]
        rows, classes = rows[order], classes[order]
    else:
        best = np.argsort(-scores, axis=1, kind="stable")[:, : options.max_classes_per_detection]
        kept = suppress(boxes, scores.max(axis=1), options.max_detections, options)
        rows, classes = np.repeat(kept, best.shape[1]), best[kept].ravel()
    return Detections(boxes[rows], classes, scores[rows, classes])


def like(detected, one, boxes, classes, scores, tolerance):
    """Tell which of some boxes ``[n, 4]`` with class and score are one of the detections.

    Args:
        detected: :class:`Detections`, and ``one`` the row that is looked for.
        boxes, classes, scores: the candidates; a single class stands for all.
        tolerance: ``score``, ``coordinate``, largest differences; or ``overlap``, the smallest IoU, in place of
            ``coordinate``: boxes without area overlap nothing.

    Returns:
        bool ``[n]``.
    """
    box = detected.boxes[one]
    same = (classes == detected.classes[one]) & (np.abs(scores - detected.scores[one]) <= tolerance["score"])
    coordinates = np.abs(boxes - box).max(axis=1) <= tolerance["coordinate"]
    return same & (coordinates | (iou(box, boxes) >= tolerance["overlap"]))


def explained(detected, one, boxes, scores, tolerance):
    """Tell whether some anchor, of ``boxes`` ``[anchors, 4]`` and ``scores`` ``[anchors, classes]``, is a detection."""
    label = detected.classes[one]
    if not 0 <= label < scores.shape[1]:
        return False
    return bool(like(detected, one, boxes, label, scores[:, label], tolerance).any())


def _shared(first, second, side):
    """Return how long the sides of boxes overlap: 0, from top to bottom; 1, from left to right."""
    lows = np.maximum(first[..., side], second[..., side])
    return np.clip(np.minimum(first[..., side + 2], second[..., side + 2]) - lows, 0, None)


def _area(boxes):
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def _apart(boxes, others, options):
    """Tell of each of the boxes, row by row, which of the others leave it."""
    return iou(boxes[:, None], others) <= options.nms_iou_threshold


def _regular(boxes, scores, options):
    """Return rows and classes that NMS for each class keeps, class by class, perhaps without some that are cut later.

    What is below the last place of the list so far needs no NMS: it drops nothing above it.
    """
    kept, floor = {}, options.nms_score_threshold
    for label in np.argsort(-scores.max(axis=0), kind="stable"):
        eligible = np.where(scores[:, label] >= floor, scores[:, label], -np.inf)
        kept[label] = suppress(boxes, eligible, options.detections_per_class, options)
        listed = np.sort(np.concatenate([scores[rows, one] for one, rows in kept.items()]))
        if len(listed) >= options.max_detections:
            floor = listed[-options.max_detections]
    labels = sorted(kept)
    return np.concatenate([kept[label] for label in labels]), np.repeat(labels, [len(kept[one]) for one in labels])


@dataclasses.dataclass
class Match:
    """How far the detections of two implementations agree.

    Attributes:
        expected, found, matched: numbers of detections, and of pairs of the same class and, within the tolerance,
            score, with an IoU of at least 0.5.
        missing, surplus: detections without a partner, not counting borderline ones.
        borderline: detections without a partner whose score is within the tolerance of the score below which one
            of the sides reports nothing.
        score_difference: largest difference in a pair.
        lowest_iou: smallest overlap of a pair, 1 without pairs.
    """

    expected: int = 0
    found: int = 0
    matched: int = 0
    missing: int = 0
    surplus: int = 0
    borderline: int = 0
    score_difference: float = 0.0
    lowest_iou: float = 1.0

    @property
    def complete(self):
        """Tell whether every detection has its partner."""
        return not self.missing and not self.surplus

    def add(self, other):
        """Add the counts of another image."""
        for name in ("expected", "found", "matched", "missing", "surplus", "borderline"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.score_difference = max(self.score_difference, other.score_difference)
        self.lowest_iou = min(self.lowest_iou, other.lowest_iou)


def match(expected, found, options, tolerance):
    """Pair the detections of two implementations, each with what is nearest in place and score.

    Args:
        expected, found: :class:`Detections` of the same image.
        options: the :class:`zoomill.detection.postprocess.Options` both ran with.
        tolerance: difference in score that a pair may have, and that may push a detection over an edge.
    """
    result = Match(expected=len(expected.scores), found=len(found.scores))
    free = np.ones(len(found.scores), bool)
    for box, label, score in zip(expected.boxes, expected.classes, expected.scores, strict=True):
        overlap = iou(box, found.boxes)
        apart = np.abs(found.scores - score)
        partners = np.flatnonzero(free & (found.classes == label) & (overlap >= 0.5) & (apart <= tolerance))
        if len(partners):
            best = partners[(overlap - apart)[partners].argmax()]
            free[best] = False
            result.matched += 1
            result.score_difference = max(result.score_difference, float(apart[best]))
            result.lowest_iou = min(result.lowest_iou, float(overlap[best]))
        elif score <= edge(found, options) + tolerance:
            result.borderline += 1
        else:
            result.missing += 1
    lonely = found.scores[free]
    result.surplus = int((lonely > edge(expected, options) + tolerance).sum())
    result.borderline += len(lonely) - result.surplus
    return result


def edge(detections, options):
    """Return the score below which an implementation reported nothing."""
    rows = options.max_classes_per_detection
    full = len(detections.scores) >= options.max_detections * rows
    return detections.scores[-rows] if full else options.nms_score_threshold
