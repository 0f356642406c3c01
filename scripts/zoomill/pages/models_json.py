"""The models as a page finds them: entries with the keys of pigallery, in its two generations.

Facts about pigallery: docs/web.md. Its page runs all models under ``classify`` and ``detect``; the entries of other
tasks stand under ``various``. An entry says under ``caveats`` what pigallery's own code does not do and decode.js does.
"""

import math

from zoomill.detection import decode
from zoomill.pages import output_kind
from zoomill.pages.shows import shows

_SECTIONS = {"image-classification": "classify", "object-detection": "detect"}
# What the older page runs a detector with.
_ENGINES = {"ssd": "ssd", "detections": "ssd", "yolo": "yolo", "yolo_heads": "yolo", "yolox": "yolo"}
_ENDS = ("Identity", "Reshape", "Squeeze")


def section(task):
    """Return the section of a task."""
    return _SECTIONS.get(task, "various")


def classes(contract, how):
    """Return classes.json: for detectors ``{class number: {id, displayName}}``, otherwise ``[[number, name], …]``.

    Args:
        contract: contract of the graph.
        how: its :func:`zoomill.pages.output_kind.kind`.
    """
    labels = contract["labels"]
    if how in output_kind.BOXES:
        # A detector's own NMS and, after a background, the columns of its raw scores count from 1.
        first = output_kind.first_class(contract, how)
        if how == "ssd":
            first = contract["outputs"][1]["shape"][2] - contract["postprocess"]["num_classes"]
        return {str(index): {"id": index, "displayName": name} for index, name in enumerate(labels, first)}
    return [[str(index), name] for index, name in enumerate(labels)]


def entries(model, contract, card, artifacts, document, samples):
    """Return the entries of one graph, ``{"newer": …, "older": …}``.

    Args:
        model: name of the model.
        contract: contract of the graph.
        card: ``title``, ``task``, ``decode`` and ``metric`` of the model.
        artifacts: ``{variant: {"modelPath", "bytes", "sha256"}}``, of which the first is the one to load.
        document: model.json of the first.
        samples: paths of pictures to run it on.
    """
    how, promise = output_kind.kind(contract, card), contract["inputs"][0]
    own = contract["graph"] == "inference"
    common = {
        "name": f"{card['title']}, with its own NMS" if own else card["title"],
        "modelPath": next(iter(artifacts.values()))["modelPath"],
        "classes": f"{model}/classes.json",
        "task": card["task"],
        "dtype": promise["dtype"],
        "shape": promise["shape"],
        "colour": promise["colour"],
        "inputRange": promise["value_range"],
        "shows": shows(contract, card),
        "decoder": None if own else f"{model}/decode.js",
        "variants": artifacts,
        "samples": samples,
        "caveats": caveats(contract, how),
    }
    newer, older = _keys(contract, how, document)
    return {"newer": {**common, **newer}, "older": {**common, **older}}


def _keys(contract, how, document):
    """Return the keys that differ between newer and older pages."""
    promise, shown = contract["inputs"][0], output_kind.shown_from(contract, how)
    newer, older = {"scaleScore": 1, "map": tensors(contract, how)}, {"map": tensors(contract, how)}
    if output_kind.is_picture(promise):
        low, high = (min(end) if isinstance(end, list) else end for end in promise["value_range"])
        side = promise["shape"][2]
        newer |= {"tensorSize": side, "normalizeInput": 1 if high - low == 255 else (high - low) / 255}
        older |= {"useFloat": "float" in promise["dtype"], "inputMin": low, "inputMax": high}
        older["size" if how in output_kind.BOXES else "tensorSize"] = side
    if how in output_kind.BOXES:
        nms = decode.settings(contract, how)
        score, overlap = (float(f"{value:.6g}") for value in (shown, nms.nms_iou_threshold))
        most = min(output_kind.MOST_BOXES, nms.max_detections or output_kind.MOST_BOXES)
        # The offset is added here.
        newer |= {"minScore": score, "maxResults": most, "iouThreshold": overlap, "offset": 0, "softmax": False}
        older |= {"score": score, "topK": most, "overlap": overlap, "offset": 0, "exec": _ENGINES[how]}
    elif how == "classes":
        first = output_kind.first_class(contract, how)
        done = is_probability(document, contract["outputs"][0])
        background = 0 if first else -1
        scores = {"offset": first, "background": background}  # the offset is subtracted here
        newer |= {"minScore": shown, "maxResults": output_kind.MOST_CLASSES, "softmax": not done, **scores}
        older |= {"score": shown, "topK": output_kind.MOST_CLASSES, "modelType": "graph", **scores}
        # The older page takes the softmax of everything. Of a probability of 1 among n it makes e / (e + n - 1).
        columns = contract["outputs"][0]["shape"][-1]
        older["scoreScale"] = round((math.e + columns - 1) / math.e, 3) if done else 1
    return newer, older


def tensors(contract, how):
    """Return which outputs are boxes, scores and classes, null where an output has no such tensor."""
    if how == "detections":
        return {name: f"detection_{name}" for name in ("boxes", "scores", "classes")}
    if how == "ssd":
        return {"boxes": "box_encodings", "scores": "class_predictions", "classes": None}
    return {output["name"]: output["name"] for output in contract["outputs"]}


def caveats(contract, how):
    """Return one sentence for everything that pigallery's own code does not do, and the model's decode.js does."""
    promise = contract["inputs"][0]
    found = []
    if len(contract["inputs"]) > 1 or not output_kind.is_picture(promise):
        found.append("its input is no picture")
    else:
        low, high = promise["value_range"]
        nhwc = promise["layout"] == "NHWC"
        rows, columns = promise["shape"][1:3] if nhwc else promise["shape"][2:4]
        if isinstance(low, list):
            found.append("its channels have ranges of their own: normalizeInput is one number")
        elif low:
            found.append(f"its input goes from {low:g} to {high:g}: normalizeInput scales and cannot shift")
        if not nhwc or promise["colour"] != "RGB":
            found.append(f"its input is {promise['colour']} {promise['layout']}: the page gives RGB NHWC")
        if rows != columns:
            found.append(f"its input is {rows} high and {columns} wide: tensorSize is one number")
    if how in output_kind.RAW_BOXES:
        found.append("its boxes are decoded and suppressed by decode.js")
    return found


def is_probability(document, output):
    """Tell whether an output has gone through a softmax or logistic function already.

    Args:
        document: model.json.
        output: entry of the contract.
    """
    nodes = {node["name"]: node for node in document["modelTopology"]["node"]}
    node = nodes[document["signature"]["outputs"][output["name"]]["name"].partition(":")[0]]
    while node["op"] in _ENDS:
        node = nodes[node["input"][0].partition(":")[0]]
    return node["op"] in ("Softmax", "Sigmoid") or "probabilit" in (output["meaning"] or "")
