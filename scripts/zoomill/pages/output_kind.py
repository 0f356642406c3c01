"""How the inputs and outputs of a contract are to be read."""

from zoomill.detection import decode

# Tasks whose only output has a score for each class.
_CLASSIFIES = ("image-classification", "keyword-spotting")
# Kinds of outputs that give boxes, and of them those before non-maximum suppression.
RAW_BOXES = ("ssd", "yolo", "yolo_heads", "yolox")
BOXES = (*RAW_BOXES, "detections")
# How much is shown of a classifier and of a detector, and from which score of a classifier: what pigallery shows of its
# own (client/shared/models.js).
MOST_CLASSES, MOST_BOXES, _CLASS = 3, 20, 0.2
# A detector whose threshold is lower (the Object Detection API writes 1e-8) is made to be measured over all of its
# curve, not to be looked at: a picture would be full of boxes. Shown are scores from the second on, as cards have it.
_MEASURED_BELOW, _BOX = 0.1, 0.3


def kind(contract, card):
    """Return how the outputs of a graph are read.

    Args:
        contract: contract of the graph.
        card: ``task`` of the model, and ``decode`` of its evaluation, which alone can tell a YOLOX.

    Returns:
        ``ssd``, raw heads; ``yolo``, decoded boxes of a Darknet network; ``yolo_heads``, raw ones; ``yolox``;
        ``detections``, boxes, classes and scores after NMS; ``classes``, a score for each class; ``named``, others.
    """
    outputs = contract["outputs"]
    names = {output["name"] for output in outputs}
    if card["decode"].get("kind") == "yolox" and is_picture(contract["inputs"][0]):
        return "yolox"
    if names == {"box_encodings", "class_predictions"} and "postprocess" in contract:
        return "ssd"
    if all("decode" in output for output in outputs):
        return "yolo_heads"
    if names == {"detections"} and card["task"] == "object-detection":
        return "yolo"
    if {"detection_boxes", "detection_classes", "detection_scores", "num_detections"} <= names:
        return "detections"
    return "classes" if card["task"] in _CLASSIFIES and len(outputs) == 1 else "named"


def scored(contract, card):
    """Return the contract of a classifier with the one output that the card's metric names, if it names one.

    Args:
        contract: contract of the graph.
        card: ``task`` of the model, and ``output`` of its metric or None.
    """
    if card["task"] not in _CLASSIFIES or card["output"] is None:
        return contract
    return {**contract, "outputs": [output for output in contract["outputs"] if output["name"] == card["output"]]}


def first_class(contract, how):
    """Return which number in the outputs stands for the first label: that of a column, or that of a detection.

    Args:
        contract: contract of the graph.
        how: its :func:`kind`.
    """
    if how == "classes":
        return max(0, -contract["label_offset"])
    # A network of the Object Detection API gives the numbers of the data set, which count from 1.
    return 1 - contract["label_offset"] if how == "detections" else 0


def shown_from(contract, how):
    """Return the lowest score worth showing to a person, 0 to 1, None where outputs are no scores.

    Args:
        contract: contract of the graph.
        how: its :func:`kind`.
    """
    if how not in BOXES:
        return _CLASS if how == "classes" else None
    usual = decode.Suppression.nms_score_threshold
    own = contract.get("postprocess", {}).get("nms_score_threshold", usual)
    return _BOX if own < _MEASURED_BELOW else own


def is_picture(promise):
    """Tell whether an input of a contract is a picture whose 8-bit values have a place in its range."""
    return bool(promise["layout"] and promise["colour"] and promise["value_range"])


def class_count(contract, how):
    """Return how many classes a graph tells apart, None where that is not what it does; ``how`` is its :func:`kind`."""
    outputs = contract["outputs"]
    if how == "ssd":
        return contract["postprocess"]["num_classes"]
    if how == "yolo_heads":
        return outputs[0]["decode"]["classes"]
    if how in ("yolo", "yolox"):
        return outputs[0]["shape"][-1] - 5
    if how == "classes":
        return outputs[0]["shape"][-1] - first_class(contract, how)
    return len(contract["labels"]) or None if how == "detections" else None
