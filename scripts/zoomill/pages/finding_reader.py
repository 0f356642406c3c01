"""From outputs of a graph, or of its source, to what was found, in a form of :mod:`zoomill.pages.findings`."""

import numpy as np

from zoomill.detection import decode, head_names, nms
from zoomill.detection.nms import Detections
from zoomill.inputs import as_picture
from zoomill.inputs.preprocess import Preprocess
from zoomill.pages import findings, output_kind, shows

# The forms by what :func:`zoomill.pages.shows.shows` says of a contract.
_FORMS = {"detections": "boxes", "classes": "classes", "landmarks": "points", "picture": "picture"}


def form(contract, card):
    """Return the form of what a graph finds, ``boxes``, ``classes``, ``points`` or ``picture``, None for any other.

    Args:
        contract: contract of the graph.
        card: ``task`` of the model, ``decode`` and ``output`` of its metric, and ``metric``, the whole of it.
    """
    contract = output_kind.scored(contract, card)
    chosen = _FORMS.get(shows.shows(contract, card)["kind"])
    # Without options nobody knows how many rows of a NMS count.
    lacking = "max_classes_per_detection" not in contract.get("postprocess", {})
    return None if lacking and output_kind.kind(contract, card) == "detections" else chosen


def of_artifact(contract, card, anchors):
    """Return a function from ``{output name: array}`` of a graph to what was found; it has a :func:`form`.

    Args:
        contract, card: as for :func:`form`.
        anchors: float32 ``[anchors, 4]`` of an SSD: ycenter, xcenter, height, width; else None.
    """
    contract = output_kind.scored(contract, card)
    how, shown = output_kind.kind(contract, card), shows.shows(contract, card)
    if shown["kind"] == "detections":
        kind = {"detections": "ssd", "yolo_heads": "yolo"}.get(how, how)
        least = output_kind.shown_from(contract, how)
        read = decode.decoder(contract, anchors, kind, nms_score_threshold=least)
        return lambda outputs: _best(read(outputs))
    if shown["kind"] == "classes":
        (output,), first = contract["outputs"], output_kind.first_class(contract, how)
        return lambda outputs: findings.Classes(outputs[output["name"]].ravel(), first, output_kind.MOST_CLASSES)
    (output,) = (entry for entry in contract["outputs"] if entry["name"] == shown["output"])
    if shown["kind"] == "picture":
        return lambda outputs: findings.Picture(
            as_picture.channels_last(outputs[output["name"]].reshape(output["shape"])), shown["range"]
        )
    low, high = _edges(shown["unit"], contract["inputs"][0])
    return lambda outputs: findings.Points(
        (outputs[output["name"]].reshape(-1, shown["dimensions"])[:, :2] - low) / (high - low)
    )


def _edges(unit, promise):
    """Return the coordinates x, y of the upper left and the lower right corner of an input."""
    if unit == "pixels":
        return 0, np.array(Preprocess(promise).size[::-1])
    return (0, 1) if unit == "edge" else unit


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
