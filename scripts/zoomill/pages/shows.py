"""What a page draws of the outputs that decode.js reads."""

from zoomill.pages import output_kind

# Tasks whose model makes a picture, and the range of its values where the contract does not say it; None: the input's.
_MAKES_PICTURES = {"image-generation": None, "super-resolution": None, "image-segmentation": [0, 1]}
_CHANNELS = (1, 3)


def shows(contract, card):
    """Return ``kind`` and, of an output that is drawn, its name ``output`` and how it is read.

    ``detections`` and ``classes`` are what decode.js returns. ``picture`` has ``range``, the values of black and white.
    ``landmarks`` has ``dimensions``, how many values a point has, x and y first, and ``unit``: ``edge``, parts of the
    picture's edges, ``pixels`` of the input, or the values at both edges. ``values`` is all else.

    Args:
        contract: contract of the graph.
        card: ``task`` of the model, ``decode`` of its evaluation, and ``metric``, the whole of it.
    """
    how = output_kind.kind(contract, card)
    if how in output_kind.BOXES:
        return {"kind": "detections"}
    if how == "classes":
        return {"kind": "classes"}
    if card["task"] in _MAKES_PICTURES:
        for output in filter(_is_picture, contract["outputs"]):
            return {"kind": "picture", "output": output["name"], "range": _range(contract, card, output)}
    if card["task"] == "landmarks":
        for output in contract["outputs"]:
            if found := _points(output, card["metric"]):
                return {"kind": "landmarks", "output": output["name"], **found}
    return {"kind": "values"}


def _is_picture(output):
    shape = output["shape"]
    return len(shape) == 4 and (shape[3] in _CHANNELS or shape[1] in _CHANNELS)


def _range(contract, card, output):
    """Return the values of black and white as the metric takes them: the contract's, or the input's."""
    said = output.get("value_range") or card["metric"].get("range") or _MAKES_PICTURES[card["task"]]
    low, high = said or contract["inputs"][0]["value_range"]
    # An input's channels may have ranges of their own.
    return [min(low), max(high)] if isinstance(low, list) else [low, high]


def _points(output, metric):
    """Return dimensions and unit of an output with points, None of another."""
    own = metric.get("name") == "landmarks" and metric.get("output", output["name"]) == output["name"]
    meaning = output["meaning"] or ""
    if not own and "x, y" not in meaning and "value_range" not in output:
        return None
    dimensions = metric.get("dimensions", 2) if own else 3 if "x, y, z" in meaning else 2
    pixels = "size" not in metric if own else "pixels" in meaning
    return {"dimensions": dimensions, "unit": output.get("value_range") or ("pixels" if pixels else "edge")}
