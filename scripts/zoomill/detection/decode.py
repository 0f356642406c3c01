"""From a detector's outputs to detections in the picture.

Boxes are ymin, xmin, ymax, xmax relative to the input, classes count from 0 for the contract's first label.
"""

import dataclasses

import numpy as np

from zoomill.detection import nms, yolo
from zoomill.detection.nms import Detections
from zoomill.detection.postprocess import Options
from zoomill.errors import UserError

# Cell sizes in pixels of YOLOX's three heads (Ge et al. 2021; yolox/models/yolo_head.py).
YOLOX_STRIDES = (8, 16, 32)


@dataclasses.dataclass(frozen=True)
class Suppression:
    """Which boxes of a YOLO count.

    Attributes:
        nms_score_threshold: lowest score, 0 to 1; without, Darknet's own.
        nms_iou_threshold: overlap (IoU) above which NMS drops a box for a better one of its class, 0 to 1.
        max_detections: how many are kept of each class and in a picture, the best ones; all of them without. COCO's
            evaluation counts 100 of each class.
        best_class: a box counts for its best class only, not for every class above the threshold.
    """

    nms_score_threshold: float = 0.25
    nms_iou_threshold: float = 0.45
    max_detections: int | None = None
    best_class: bool = False

    def __call__(self, boxes, scores):
        """Return the :class:`Detections` that greedy NMS keeps in each class, by falling score.

        Args:
            boxes: float ``[n, 4]``.
            scores: float ``[n, classes]``.
        """
        if self.best_class:
            scores = np.where(scores == scores.max(axis=1, keepdims=True), scores, -1)
        rows, classes = [np.empty(0, int)], [np.empty(0, int)]
        for label in np.flatnonzero(scores.max(axis=0, initial=-1) >= self.nms_score_threshold):
            candidates = np.flatnonzero(scores[:, label] >= self.nms_score_threshold)
            limit = self.max_detections or len(candidates)
            kept = nms.suppress(boxes[candidates], scores[candidates, label], limit, self)
            rows.append(candidates[kept])
            classes.append(np.full(len(kept), label))
        rows, classes = np.concatenate(rows), np.concatenate(classes)
        order = np.argsort(-scores[rows, classes], kind="stable")[: self.max_detections]
        rows, classes = rows[order], classes[order]
        return Detections(boxes[rows], classes, scores[rows, classes])


def settings(contract, kind, **options):
    """Return the post-processing that the contract's ``postprocess`` asks for, with other options of the metric.

    Args:
        contract: contract of the graph.
        kind: as for :func:`decoder`.
        options: for ``ssd`` ``nms_score_threshold`` alone, which cuts the list of detections and changes nothing else;
            else any of :class:`Suppression`.

    Returns:
        :class:`~zoomill.detection.postprocess.Options` or :class:`Suppression`.

    Raises:
        UserError: for options that the kind does not have, and for an SSD without ``postprocess``.
    """
    own = contract.get("postprocess", {})
    if kind != "ssd":
        return Suppression(**{**own, **options})
    if strange := options.keys() - {"nms_score_threshold"}:
        raise UserError(f"metric.decode: {', '.join(strange)}: an SSD's NMS is set in `postprocess` of the card")
    if lacking := [field.name for field in dataclasses.fields(Options) if field.name not in own]:
        raise UserError(
            f"the contract's `postprocess` has no {', '.join(lacking)}: how boxes are decoded and suppressed"
        )
    return Options(**{**own, **options})


def decoder(contract, anchors, kind, **options):
    """Return a function from ``{output name: array}`` to :class:`Detections` relative to the input.

    Args:
        contract: contract of the graph.
        anchors: float32 ``[anchors, 4]`` of an SSD's raw heads: ycenter, xcenter, height, width; else None.
        kind: ``ssd``, raw heads, which the contract's ``postprocess`` tells how to decode, or detections as
            TFLite_Detection_PostProcess gives them; ``yolo``, Darknet heads, decoded or raw; ``yolox``.
        options: as for :func:`settings`.
    """
    asked, read = settings(contract, kind, **options), reader(contract, anchors, kind)

    def detections(outputs):
        if "detection_boxes" in outputs:
            return nms.of_outputs(outputs, asked).above(asked.nms_score_threshold)
        return choose(*read(outputs), asked)

    return detections


def reader(contract, anchors, kind):
    """Return a function from raw heads, ``{output name: array}``, to what NMS chooses from.

    That is boxes float ``[n, 4]`` and scores float ``[n, classes]``, whatever the thresholds; arguments as for
    :func:`decoder`.
    """
    if kind == "ssd":
        coder = settings(contract, kind)
        return lambda outputs: nms.candidates(
            outputs["box_encodings"][0], outputs["class_predictions"][0], anchors, coder
        )
    if kind == "yolo":
        return lambda outputs: _yolo(_decoded(outputs, contract))
    size = contract["inputs"][0]["shape"][1:3]
    return lambda outputs: _yolox(next(iter(outputs.values())), size)


def choose(boxes, scores, asked):
    """Return the :class:`~zoomill.detection.nms.Detections` that NMS keeps of what :func:`reader` has read.

    Args:
        boxes, scores: of one picture.
        asked: what :func:`settings` returned.
    """
    return asked(boxes, scores) if isinstance(asked, Suppression) else nms.choose(boxes, scores, asked)


def _decoded(outputs, contract):
    """Return the boxes of all heads, which the graph or :func:`zoomill.detection.yolo.decode` has decoded."""
    if "detections" in outputs:
        return outputs["detections"]
    return np.concatenate([yolo.decode(outputs[e["name"]], e["decode"]) for e in contract["outputs"]], axis=1)


def _yolo(rows):
    """Read ``[1, boxes, 5 + classes]``: xmin, ymin, xmax, ymax relative, objectness, score of each class."""
    rows = rows[0]
    return rows[:, [1, 0, 3, 2]], rows[:, 5:]


def _yolox(rows, size):
    """Decode ``[1, cells, 5 + classes]``: x, y in cells from each cell's corner, log of width and height in cells.

    Formula: decode_outputs in yolox/models/yolo_head.py; the score is objectness times class probability.
    """
    height, width = size
    grids, strides = [], []
    for stride in YOLOX_STRIDES:
        columns, lines = np.meshgrid(np.arange(width // stride), np.arange(height // stride))
        grids.append(np.stack([columns, lines], axis=-1).reshape(-1, 2))
        strides.append(np.full(len(grids[-1]), stride))
    grid, stride, rows = np.concatenate(grids), np.concatenate(strides)[:, None], rows[0]
    if len(rows) != len(grid):
        raise UserError(f"a YOLOX of {height} x {width} has {len(grid)} cells, the output {len(rows)}")
    centre, half = (rows[:, :2] + grid) * stride, np.exp(rows[:, 2:4]) * stride / 2
    corners = np.concatenate([centre - half, centre + half], axis=1) / [width, height, width, height]
    return corners[:, [1, 0, 3, 2]], rows[:, 4:5] * rows[:, 5:]
