"""Small programs that feed a model and read its outputs, written from its contract."""

import os

import numpy as np

from zoomill import escape
from zoomill.detection import decode
from zoomill.errors import UserError
from zoomill.pages import output_kind


def facts(contract, card):
    """Return what the templates know.

    Args:
        contract: contract of the graph.
        card: ``title`` and ``task`` of the model; ``preprocess``, how pictures are prepared, see
            :class:`zoomill.inputs.preprocess.Preprocess`; ``decode`` of its evaluation, whose ``kind`` alone counts.

    Raises:
        UserError: for YOLO heads that are not all read in one way.
    """
    how, outputs = output_kind.kind(contract, card), contract["outputs"]
    result = {
        "title": card["title"],
        "graph": contract["graph"],
        "kind": how,
        "inputs": contract["inputs"],
        "outputs": outputs,
        "names": [output["name"] for output in outputs],
        "labelled": how != "named",
        "boxes": how in output_kind.BOXES,
        "first": output_kind.first_class(contract, how),
        "picture": None,
    }
    if len(contract["inputs"]) == 1 and output_kind.is_picture(contract["inputs"][0]):
        result["picture"] = picture(contract["inputs"][0], card["preprocess"])
    if how == "ssd":
        result["nms"] = contract["postprocess"]
        result["columns"] = outputs[1]["shape"][2]
    elif how in output_kind.RAW_BOXES:
        result["nms"] = vars(decode.settings(contract, how))
        result["strides"] = decode.YOLOX_STRIDES
        heads = [output["decode"] for output in outputs if "decode" in output]
        if len({(head["activation"], head["classes"]) for head in heads}) > 1:
            raise UserError(f"{contract['model']}: its YOLO heads are read in different ways; decode them in the graph")
        result["row"] = 5 + output_kind.class_count(contract, how)
    elif how == "detections":
        result["rows"] = contract.get("postprocess", {}).get("max_classes_per_detection", 1)
    return result


def picture(promise, preprocess):
    """Return size, colour and range of a picture, and how it gets them.

    Args:
        promise: entry of a contract that is one.
        preprocess: that of the card.
    """
    nchw = promise["layout"] == "NCHW"
    channels, rows, columns = (promise["shape"][index] for index in ((1, 2, 3) if nchw else (3, 1, 2)))
    low, high = promise["value_range"]
    span = [b - a for a, b in zip(low, high, strict=True)] if isinstance(low, list) else high - low
    chosen = {"fit": "stretch", "part": 1, "padding": 114, "centred": False, "antialias": True}
    chosen |= {**promise.get("preprocess", {}), **preprocess}
    size = {"height": rows, "width": columns, "channels": channels}
    whole = "float" not in promise["dtype"]
    return {**size, **chosen, "colour": promise["colour"], "nchw": nchw, "low": low, "span": span, "integer": whole}


def render(template, known):
    """Return a program.

    Args:
        template: path of a Jinja2 template.
        known: what :func:`facts` returned.
    """
    import jinja2

    loader = jinja2.FileSystemLoader(os.path.dirname(os.path.abspath(template)))
    options = {"trim_blocks": True, "lstrip_blocks": True, "keep_trailing_newline": True}
    environment = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined, autoescape=False, **options)
    environment.filters |= {"python": repr, "line": escape.line, "docstring": escape.docstring}
    return environment.get_template(os.path.basename(template)).render(known)


def data(contract, anchors=()):
    """Return what the programs read from decode.json: labels, and the anchors of raw heads.

    Args:
        contract: contract of the graph.
        anchors: path of anchors.npy, float32 ``[anchors, 4]``: ycenter, xcenter, height, width; or nothing.
    """
    stored = {"labels": contract["labels"]}
    for path in anchors:
        # The shortest decimals that give the same float32.
        stored["anchors"] = [[float(str(value)) for value in anchor] for anchor in np.load(path)]
    return stored
