"""The catalogue: one card for each model, checked against its schema."""

import copy
import difflib
import os
import re

import jsonschema

from zoomill.errors import UserError
from zoomill.yaml_file import load_yaml

# What a TF1 detection checkpoint gives when its card names no graphs: the three of the MLPerf recipe.
_DETECTION_GRAPHS = {
    "detect_cut": {"add_postprocessing_op": False},
    "detect_regular": {"use_regular_nms": True},
    "detect_fast": {"use_regular_nms": False},
}


def check(document, schema, path):
    """Check a YAML document against a JSON Schema and fill in the defaults of its top level.

    Raises:
        UserError: one line for the first thing that is wrong, with the key and, for a misspelt key, the nearest.
    """
    validator = jsonschema.Draft202012Validator(schema)
    errors = sorted(validator.iter_errors(document), key=lambda error: list(map(str, error.absolute_path)))
    if errors:
        raise UserError(f"{path}: {_explain(errors[0])}")
    _fill(document, schema["properties"])
    return document


def _fill(document, properties):
    """Fill in the defaults of a mapping's own keys."""
    for key, rule in properties.items():
        if "default" in rule:
            document.setdefault(key, copy.deepcopy(rule["default"]))


def load_catalogue(folder, schema):
    """Return ``{model: card}`` of all cards in ``folder``, sorted by name."""
    cards = {}
    for name in sorted(os.listdir(folder)):
        if name.endswith(".yaml"):
            path = os.path.join(folder, name)
            card = check(load_yaml(path), schema, f"models/{name}")
            _fill(card["source"], schema["$defs"][card["source"]["kind"]]["properties"])
            if card["source"]["kind"] == "tf1_detection":
                card.setdefault("graphs", copy.deepcopy(_DETECTION_GRAPHS))
                card["graphs"].setdefault("detect_cut", _DETECTION_GRAPHS["detect_cut"])
                card.setdefault("tflite", ["float32", "float16", "dynamic", "toco_float32"])
                _check_graphs(card, f"models/{name}")
            else:
                card["graphs"] = {"main": {}}
                card.setdefault("tflite", ["float32", "float16", "dynamic"])
            cards[name[: -len(".yaml")]] = card
    return cards


def postprocess_options(card, graph):
    """Return the options of a graph's TFLite_Detection_PostProcess that the card sets, the graph's own first."""
    own = {key: value for key, value in card["graphs"][graph].items() if key != "add_postprocessing_op"}
    return {**card["postprocess"], **own}


def nearest(name, names):
    """Return ``; did you mean a or b?``, or the whole list when nothing is near."""
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    return f"; there are: {', '.join(names)}"


def _check_graphs(card, path):
    """Raise a UserError for options that no op can have together."""
    for graph in card["graphs"]:
        options = postprocess_options(card, graph)
        several = options.get("max_classes_per_detection", 1) > 1
        if several and options.get("use_regular_nms", True) and graph != "detect_cut":
            raise UserError(
                f"{path}: graphs.{graph}: max_classes_per_detection is for fast NMS only; set use_regular_nms: false"
            )


def _explain(error):
    """Say in one line what a schema error means."""
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    where = f"{where.lstrip('.')}: " if where else ""
    if error.validator == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        patterns = error.schema.get("patternProperties", {})
        unknown = next(k for k in error.instance if k not in known and not any(re.search(p, k) for p in patterns))
        return f"{where}unknown key {unknown}" + ("" if patterns else nearest(unknown, known))
    if error.validator == "oneOf":
        choices = "; ".join(" with ".join(choice["required"]) for choice in error.validator_value)
        return f"{where}needs exactly one of these: {choices.replace('digest', 'digest: null')}"
    return f"{where}{error.message}"
