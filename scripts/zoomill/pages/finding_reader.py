"""From outputs of a graph, or of its source, to what was found, in a form of :mod:`zoomill.pages.findings`."""

import numpy as np

from zoomill.detection import decode, head_names, nms
from zoomill.detection.nms import Detections
from zoomill.inputs import as_picture
from zoomill.pages import findings, output_kind

# Tasks of models whose output is a picture; that of those with points.
_PICTURES, _POINTS = ("image-generation", "super-resolution"), "landmarks"
_PICTURE_AXES, _POINT_SIZES = 4, (2, 3)


def form(contract, card):
    """Return the form of what a graph finds, ``boxes``, ``classes``, ``points`` or ``picture``, None for any other.

    Args:
        contract: contract of the graph.
        card: ``task`` of the model, ``decode`` and ``output`` of its metric.
    """
    contract = output_kind.scored(contract, card)
    how = output_kind.kind(contract, card)
    if how in output_kind.BOXES:
        # Without options nobody knows how many rows of a NMS count.
        known = contract.get("postprocess", {})
        return "boxes" if how != "detections" or "max_classes_per_detection" in known else None
    if how == "classes":
        return how
    shape = (_output(contract, card) or {"shape": []})["shape"]
    if card["task"] in _PICTURES and len(shape) == _PICTURE_AXES and {shape[1], shape[3]} & {1, 3}:
        return "picture"
    return "points" if card["task"] == _POINTS and len(shape) > 1 and shape[-1] % _size(shape) == 0 else None


def _output(contract, card):
    """Return the output that shows what was found: the one that the metric names, or the only one; else None."""
    found = [entry for entry in contract["outputs"] if entry["name"] == card["output"]] or contract["outputs"]
    return found[0] if len(found) == 1 else None


def _size(shape):
    """Return how many coordinates a point has, by the last axis of an output where each has a row; else two."""
    return shape[-1] if len(shape) > len(_POINT_SIZES) and shape[-1] in _POINT_SIZES else _POINT_SIZES[0]


def of_artifact(contract, card, anchors):
    """Return a function from ``{output name: array}`` of a graph to what was found; it has a :func:`form`.

    Args:
        contract, card: as for :func:`form`.
        anchors: float32 ``[anchors, 4]`` of an SSD: ycenter, xcenter, height, width; else None.
    """
    chosen, contract = form(contract, card), output_kind.scored(contract, card)
    how, entry = output_kind.kind(contract, card), _output(contract, card)
    if chosen == "boxes":
        kind = {"detections": "ssd", "yolo_heads": "yolo"}.get(how, how)
        shown = output_kind.shown_from(contract, how)
        read = decode.decoder(contract, anchors, kind, nms_score_threshold=shown)
        return lambda outputs: _best(read(outputs))
    if chosen == "classes":
        first = output_kind.first_class(contract, how)
        return lambda outputs: findings.Classes(outputs[entry["name"]].ravel(), first, output_kind.MOST_CLASSES)
    limits = entry.get("value_range")
    if chosen == "picture":
        limits = limits or contract["inputs"][0]["value_range"] or (0, 255)
        return lambda outputs: findings.Picture(
            as_picture.channels_last(outputs[entry["name"]].reshape(entry["shape"])), limits
        )
    low, high = limits or (0, 1)
    size = _size(entry["shape"])
    return lambda outputs: findings.Points((outputs[entry["name"]].reshape(-1, size)[:, :2] - low) / (high - low))


def of_source(contract, card, anchors):
    """Return a function from a row of golden arrays by tensor name to what the source found; arguments as above.

    Of an SSD those are the detections of the source's own NMS, where it has one, else what ours makes of its heads.
    """
    if anchors is None or "postprocess" not in contract:
        read = of_artifact(contract, card, anchors)
        return lambda row: read({entry["name"]: row[entry["tensor"]] for entry in contract["outputs"]})
    shown = output_kind.shown_from(contract, "ssd")
    options = decode.settings(contract, "ssd", nms_score_threshold=shown)

    def read(row):
        if "detection_boxes" not in row:
            return _best(nms.postprocess(row[head_names.BOXES], row[head_names.SCORES], anchors, options))
        count = int(row["num_detections"])
        classes = row["detection_classes"][:count].astype(int) - 1  # the source counts from 1
        own = Detections(row["detection_boxes"][:count], classes, row["detection_scores"][:count])
        return _best(own.above(shown))

    return read


def _best(detections):
    """Return as many detections as are shown, the best ones, in falling order of scores."""
    order = np.argsort(-detections.scores, kind="stable")[: output_kind.MOST_BOXES]
    return findings.Boxes(Detections(detections.boxes[order], detections.classes[order], detections.scores[order]))
