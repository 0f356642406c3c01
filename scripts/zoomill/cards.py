"""The catalogue: one card for each model, checked against its schema."""

import contextlib
import copy
import difflib
import json
import os
import re

import jsonschema

from zoomill.errors import UserError
from zoomill.inspect.openvino import NO_WAY_BACK
from zoomill.yaml_file import load_yaml

# Names of models and data sets stand in paths, patterns, C and JavaScript, and end in names of files.
_NAME = re.compile("[a-z][a-z0-9_]{0,99}")
# Folders in build/ that are no model's.
_RESERVED = ("javascript",)
# Of what a message quotes, so that it stays a line.
_MOST_QUOTED = 300

# What a TF1 detection checkpoint gives when its card names no graphs: the three of the MLPerf recipe.
_DETECTION_GRAPHS = {
    "detect_cut": {"add_postprocessing_op": False},
    "detect_regular": {"use_regular_nms": True},
    "detect_fast": {"use_regular_nms": False},
}

# Graphs of operators that are not TFLite's alone.
WITHOUT_POSTPROCESS = ("main", "detect_cut")
NO_POSTPROCESS = "OpenVINO lacks TFLite_Detection_PostProcess; take detect_cut, which ends before it"
NO_POSTPROCESS_IN_TFJS = "TensorFlow.js lacks TFLite_Detection_PostProcess; take detect_cut, which ends before it"
NO_EVALUATION = "its card has no `evaluation`, samples and a metric"
NO_CALIBRATION = "its card names no `calibration` samples, which set the ranges of integers"
SHARED = "graphs with TFLite_Detection_PostProcess share that of detect_cut; take it"
LAYERS_ALONE = (
    "of a layers model there is layers.float32.tfjs alone, which was compared with its source when it was made"
)
NO_INFERENCE = "its card does not say `tfjs: {inference: true}`, for detectors whose own graph with its NMS is wanted"
# TFLite variants with integer activations, whose ranges come from samples.
CALIBRATED = ("int8", "int8_io", "uint8_io", "int16x8", "tf_int8")
VARIANTS = ("float32", "float16", "dynamic", *CALIBRATED, "int8_mixed", "toco_float32", "toco_uint8", "torch_float32")
OF_TOCO = ("toco_float32", "toco_uint8")
# Those that ai-edge-quantizer derives from the float32 file.
DERIVED = ("float16", "dynamic", "int8", "int8_io", "uint8_io", "int16x8", "int8_mixed")
# Those that a graph with fake-quant nodes can have: it holds its ranges itself.
OF_FAKE_QUANT = ("float32", *OF_TOCO)


def check(document, schema, path):
    """Check a YAML document against a JSON Schema and fill in the defaults of its top level.

    Raises:
        UserError: one line for the first thing that is wrong, with the key and, for a misspelt key, the nearest.
    """
    validator = _Validator(schema)
    errors = sorted(validator.iter_errors(document), key=lambda error: list(map(str, error.absolute_path)))
    if errors:
        raise UserError(f"{path}: {_explain(errors[0])}")
    _fill(document, schema["properties"])
    return document


def _unique(validator, wanted, items, schema):
    """Find what stands in a list twice, in linear time, which jsonschema's own does not."""
    if isinstance(items, list) and len({json.dumps(item, sort_keys=True, default=str) for item in items}) < len(items):
        yield jsonschema.ValidationError(f"{items!r} has non-unique elements")


_Validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"uniqueItems": _unique})


def _fill(document, properties):
    """Fill in the defaults of a mapping's own keys."""
    for key, rule in properties.items():
        if "default" in rule:
            document.setdefault(key, copy.deepcopy(rule["default"]))


def load_catalogue(folder, schema, broken=None):
    """Return ``{model: card}`` of all cards in ``folder``, sorted by name.

    Args:
        folder: that of the cards.
        schema: of a card.
        broken: gets the error of every card that cannot be read, ``{model: UserError}``; the others are returned.

    Raises:
        UserError: for the first card that cannot be read, without ``broken``.
    """
    cards = {}
    for model in _names(folder):
        with _kept(broken, cards, model):
            cards[model] = _card(os.path.join(folder, f"{model}.yaml"), model, schema)
    return cards


def _card(path, model, schema):
    """Return a card with all that it leaves out."""
    where = f"models/{model}.yaml"
    _check_name(model, where, "model")
    document = load_yaml(path, where)
    _refuse_openvino(document, where)
    card = check(document, schema, where)
    _fill(card["source"], schema["$defs"][card["source"]["kind"]]["properties"])
    _fill(card["tfjs"], schema["properties"]["tfjs"]["properties"])
    if card["source"]["kind"] == "tf1_detection":
        card.setdefault("graphs", copy.deepcopy(_DETECTION_GRAPHS))
        card["graphs"].setdefault("detect_cut", _DETECTION_GRAPHS["detect_cut"])
        _check_graphs(card, where)
    else:
        card["graphs"] = {"main": {}}
    _check_tfjs(card, where)
    card.setdefault("c_name", model)
    return card


def _names(folder):
    """Return the names of the cards in a folder, sorted."""
    return sorted(name[: -len(".yaml")] for name in os.listdir(folder) if name.endswith(".yaml"))


def _check_name(name, where, kind):
    """Raise a UserError for a card whose name cannot stand wherever that of a model or data set does."""
    if not _NAME.fullmatch(name):
        raise UserError(
            f"{where}: the file's name is the {kind}'s: up to 100 small letters, digits and underscores, a letter first"
        )
    if name in _RESERVED:
        raise UserError(f"{where}: {name} is the name of a folder in build/; give the file another one")


@contextlib.contextmanager
def _kept(broken, cards, name):
    """Keep a UserError about a card in ``broken``, if there is one, and take the card out of ``cards``."""
    try:
        yield
    except UserError as error:
        if broken is None:
            raise
        broken[name] = error
        cards.pop(name, None)


def _refuse_openvino(document, path):
    """Raise a UserError for an IR as a source; the schema could only say that there is no such kind."""
    source = document.get("source") if isinstance(document, dict) else None
    if isinstance(source, dict) and (source.get("kind") == "openvino" or str(source.get("path")).endswith(".xml")):
        raise UserError(f"{path}: source: {NO_WAY_BACK}")


def load_datasets(folder, schema, definitions, broken=None):
    """Return ``{data set: card}`` of all data sets in ``folder``, sorted by name.

    Args:
        folder: that of the cards and the indices.
        schema: of such a card.
        definitions: ``$defs`` of the schema of a model's card.
        broken: as for :func:`load_catalogue`.
    """
    schema = {**schema, "$defs": definitions}
    found = {}
    for name in _names(folder):
        with _kept(broken, found, name):
            where = f"datasets/{name}.yaml"
            _check_name(name, where, "data set")
            found[name] = check(load_yaml(os.path.join(folder, f"{name}.yaml"), where), schema, where)
            if not os.path.exists(os.path.join(folder, f"{name}.csv")):
                raise UserError(f"{where}: there is no datasets/{name}.csv, the list of its samples")
    return found


def check_datasets(catalogue, datasets, broken=None):
    """Find cards that name a data set that is not there, and data sets with a model's name.

    Args:
        catalogue, datasets: ``{name: card}``; those that are broken are taken out, if ``broken`` is given.
        broken: as for :func:`load_catalogue`, with the errors of data sets that are broken already.
    """
    for model in catalogue.keys() & datasets:
        with _kept(broken, datasets, model):
            raise UserError(f"datasets/{model}.yaml: a model has this name too; rename one")
    for model, card in list(catalogue.items()):
        with _kept(broken, catalogue, model):
            for purpose in ("calibration", "evaluation"):
                chosen = card.get(purpose)
                if isinstance(chosen, dict) and chosen["dataset"] not in datasets:
                    raise _no_dataset(chosen["dataset"], f"models/{model}.yaml: {purpose}", datasets, broken)


def _no_dataset(name, where, datasets, broken):
    """Return the error for a data set that is broken or not there."""
    if broken and name in broken:
        return broken[name]
    return UserError(f"{where}: there is no data set {name}{nearest(name, list(datasets))}")


def check_c_names(catalogue, models):
    """Raise a UserError when two of some models have one name in C, so that one program could not hold both."""
    known = {}
    for model in sorted(models):
        name = catalogue[model]["c_name"]
        if (other := known.setdefault(name, model)) != model:
            raise UserError(f"models/{model}.yaml: c_name: {name} is that of models/{other}.yaml; change one")


def delivered(card):
    """Return the TFLite variants of which config.yaml chooses: the card's list, or the usual ones without."""
    if "tflite" in card:
        return card["tflite"]
    kind = card["source"]["kind"]
    own = ["toco_float32"] * (kind == "tf1_detection") + ["torch_float32"] * (kind == "pytorch")
    if "fake_quant" in card["toco"]:
        return ["float32", "toco_uint8", *own]
    return ["float32", "float16", "dynamic", *(CALIBRATED if "calibration" in card else ()), *own]


def why_not(card, graph, variant):
    """Return why a graph cannot be had as a TFLite variant, or None."""
    kind = card["source"]["kind"]
    if variant == "torch_float32" and kind != "pytorch":
        return f"litert-torch converts sources of kind pytorch only, and this is {kind}"
    if variant == "toco_uint8" and not card["toco"]:
        return "TOCO needs ranges: its card says neither `toco: fake_quant` nor `toco: default_ranges`"
    if "fake_quant" in card["toco"] and variant not in OF_FAKE_QUANT:
        return (
            "its graph has fake-quant nodes (`toco: fake_quant`), behind which weights stay in float, and with which "
            "TensorFlow makes int8 files that no runtime can prepare; take toco_uint8"
        )
    if variant in CALIBRATED and "calibration" not in card:
        return NO_CALIBRATION
    if variant == "int8_mixed":
        if missing := [key for key in ("calibration", "evaluation") if key not in card]:
            return f"its card has no `{missing[0]}`, without which nothing says which operators must stay in float"
        if "int8" not in card["drop"]:
            return "its card does not say `drop: {int8: …}`, how much of the metric int8 may lose"
    if variant.endswith("_io") and graph not in ("main", "detect_cut"):
        return "TFLite_Detection_PostProcess gives floats, class numbers among them, that must not be quantised"
    if variant not in card.get("tflite", [variant]):
        return f"its card lists what can be had, `tflite: [{', '.join(card['tflite'])}]`"
    return None


def samples_why_not(card, purpose):
    """Return why a model has no list of samples for a purpose, or None."""
    if purpose not in card:
        return NO_EVALUATION if purpose == "evaluation" else NO_CALIBRATION
    return None if isinstance(card[purpose], dict) else f"its card says `{purpose}: random`, which takes no samples"


def graph_files(card, graph):
    """Return the names of what build/ can hold of a graph, but for TOCO's."""
    own = graph in (*WITHOUT_POSTPROCESS, "inference")
    return [
        *("graph.pb", "contract.json"),
        *(("saved_model", "golden.npz") if own else ()),
        *(("anchors.npy", "anchors.txt") if graph == "detect_cut" else ()),
        *(("pytorch.onnx", "pytorch.npz") if card["source"]["kind"] == "pytorch" else ()),
        *(("predictions.npz",) if graph in WITHOUT_POSTPROCESS and "evaluation" in card else ()),
    ]


def tfjs_why_not(card, graph):
    """Return why a model cannot be had as a TensorFlow.js model of a graph, or None."""
    if graph == "layers":
        wanted = card["tfjs"]["layers"] and card["source"]["kind"] == "keras"
        return None if wanted else "layers models are for cards of kind keras that say `tfjs: {layers: true}`"
    if graph in tfjs_graphs(card):
        return None
    return NO_INFERENCE if graph == "inference" else NO_POSTPROCESS_IN_TFJS


def tfjs_graphs(card):
    """Return the graphs that a model can have as TensorFlow.js models."""
    own = ["inference"] if card["tfjs"]["inference"] else []
    return [graph for graph in card["graphs"] if graph in WITHOUT_POSTPROCESS] + own


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


def _check_tfjs(card, path):
    """Raise a UserError for a TensorFlow.js model that no source of the card's kind gives."""
    for key, kind in (("layers", "keras"), ("inference", "tf1_detection")):
        if card["tfjs"][key] and card["source"]["kind"] != kind:
            found = card["source"]["kind"]
            raise UserError(f"{path}: tfjs.{key}: only sources of kind {kind} have it, and this is {found}")


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
        return f"{where}unknown key {_quoted(unknown)}" + ("" if patterns else nearest(unknown, known))
    if error.validator == "oneOf":
        choices = "; ".join(
            choice.get("const") or " with ".join(choice["required"]) for choice in error.validator_value
        )
        return f"{where}needs exactly one of these: {choices.replace('digest', 'digest: null')}"
    if error.validator == "pattern" and "title" in error.schema:
        return f"{where}{_quoted(repr(error.instance))} is not {error.schema['title']}"
    return f"{where}{_quoted(error.message)}"


def _quoted(text):
    return text if len(text) <= _MOST_QUOTED else f"{text[:_MOST_QUOTED]}…"
