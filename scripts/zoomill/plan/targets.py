"""Which targets can be had, and why others cannot."""

import dataclasses
import re

from zoomill.errors import UserError
from zoomill.plan import accelerators, artifact_name, gates, otherwise, variants
from zoomill.plan.names import require
from zoomill.plan.samples import PURPOSES

# Graphs that end before TFLite_Detection_PostProcess.
WITHOUT_OP = ("main", "detect_cut")
# What variants need, and the reason where a card does not have it; KIND is that of its source.
NEEDS = {
    "calibration": "its card has no `calibration`, samples that set the ranges of integers",
    "evaluation": "its card has no `evaluation`, samples and a metric",
    "drop": "its card does not say `drop: {int8: …}`, how much of the metric int8 may lose",
    "toco": "TOCO needs ranges: its card says neither `toco: fake_quant` nor `toco: default_ranges`",
    "pytorch": "litert-torch converts sources of kind pytorch only, and this is KIND",
}
_FAKE_QUANT = (
    "its graph has fake-quant nodes (`toco: fake_quant`), which hold its integers already; take toco_uint8 or tf_int8"
)
_FLOAT_ENDS = "TFLite_Detection_PostProcess gives floats, class numbers among them, that must not be quantised"
_NO_OP = "{} lacks TFLite_Detection_PostProcess; take detect_cut, which ends before it"
_NO_INFERENCE = "its card does not say `tfjs: {inference: true}`, for detectors whose own graph with its NMS is wanted"
_IN_FLOAT = "an Ethos-U computes in integers alone, and its activations are floats; take int8"
# What belongs to an artifact and is made by TFLite Micro, or for it.
_MICRO_METRIC = ("micro_metric", "micro_samples")
_ON_MICRO = ("source", "header", *_MICRO_METRIC)
_LAYERS_ALONE = (
    "of a layers model there is layers.float32.tfjs alone, which was compared with its source when it was made"
)
_SWEEP = ("sweep", "sweep_plot")
# What belongs to a source as it is, which was made of nothing that it could be compared with.
_LEDGER = tuple(f"ledger {end}" for end in artifact_name.LEDGER)
_OF_GIVEN = ("artifact", "metric", "samples", *_LEDGER, *_ON_MICRO, *gates.NAMES)
_GIVEN_ALONE = "a source as it is has nothing it was made of to be compared with"
_NO_SWEEP = "only of variants that are quantised by calibrated ranges there is a sweep, and this is {}; take int8"
_SHARED = "graphs with TFLite_Detection_PostProcess share that of detect_cut; take it"
# What belongs to an artifact and is made of raw heads and true boxes.
_OF_HEADS = ("nms", "heat_map")
_NO_BOXES = "its card's `evaluation` has not the metric `coco`, which knows the true boxes"
_NO_LAYERS = "layers models are for cards of kind keras that say `tfjs: {layers: true}`"


def delivered(card):
    """Return the TFLite variants that are delivered of a model if the configuration asks for them."""
    usual = {"always", card["source"]["kind"], *card["toco"]}
    return card.get("tflite", [row.name for row in variants.rows(format="tflite") if row.usual in usual])


def why_not(card, name):
    """Return why an artifact of a model cannot be had, or None.

    Args:
        card: that of the model.
        name: :class:`zoomill.plan.artifact_name.ArtifactName`, of a graph and a variant that there are.
    """
    row = variants.row(name.format, name.variant)
    missing = [NEEDS[need] for need in row.needs if not has(card, need)]
    if missing:
        return missing[0].replace("KIND", card["source"]["kind"])
    if "fake_quant" in card["toco"] and not row.of_fake_quant:
        return _FAKE_QUANT
    if reason := _why_not_graph(card, name, row):
        return reason
    if name.format == "tflite" and row.name not in card.get("tflite", [row.name]):
        return f"its card lists what can be had, `tflite: [{', '.join(card['tflite'])}]`"
    return None


def _why_not_graph(card, name, row):
    if name.graph == "layers":
        layers = name.format == "tfjs" and card["tfjs"]["layers"] and card["source"]["kind"] == "keras"
        return (None if name.variant == "float32" else _LAYERS_ALONE) if layers else _NO_LAYERS
    if name.graph == "inference":
        return None if name.format == "tfjs" and card["tfjs"]["inference"] else _NO_INFERENCE
    if name.graph in WITHOUT_OP or row.graphs != "without_op":
        return None
    return _FLOAT_ENDS if name.format == "tflite" else _NO_OP.format(variants.FORMATS[name.format])


def check_c_arrays(wanted):
    """Raise a UserError for a variant that there is no C array of.

    Args:
        wanted: variants that config.yaml names.
    """
    for variant in wanted:
        if reason := variants.row("tflite", variant).no_micro:
            raise UserError(f"config.yaml: c_arrays: {variant} cannot be had: {reason}")


def has(card, need):
    """Tell whether a card has what a key of :data:`NEEDS` stands for."""
    if need == "pytorch":
        return card["source"]["kind"] == "pytorch"
    return "int8" in card["drop"] if need == "drop" else bool(card.get(need))


def check(target, config, catalogue, datasets, broken):
    """Raise a UserError for a target whose model, graph or variant does not exist or cannot be had.

    Args:
        target: as on the command line.
        config: the configuration.
        catalogue, datasets: ``{name: card}``.
        broken: ``{name: UserError}`` of data sets that cannot be read.
    """
    parts = re.fullmatch(r"(?:\./)?(sources|build|results)/([^/]+)(?:/(.*))?", target)
    if not parts or (parts[1] == "results" and parts[3] is None):
        return
    folder, model, file = parts[1], parts[2], parts[3] or ""
    if (folder == "sources" and model in datasets) or (folder, model) == ("build", "javascript"):
        return
    require(model, catalogue, target, "model", broken)
    card, reason = catalogue[model], None
    if folder == "build":
        reason = _check_build(target, card, file, datasets)
    elif folder == "results":
        reason = _check_result(target, config, card, file)
    if reason:
        raise UserError(f"{target}: cannot be had: {reason}")


def _check_build(target, card, file, datasets):
    """Return why a file of a model in build/ cannot be had, or None."""
    if file.startswith("ledger/"):
        return _check_otherwise(target, card, file, datasets)
    graph, _, made = file.partition("/")
    if not made:
        purpose = {f"{purpose}.csv": purpose for purpose in PURPOSES}.get(file)
        return _why_no_samples(card, purpose) if purpose else None
    if file == f"{gates.SOURCE}/contract.json":
        return None if card["source"]["kind"] == "tflite" else _no_given(card)
    require(graph, [*card["graphs"], "inference"], target, "graph")
    if graph == "inference" and not card["tfjs"]["inference"]:
        return _NO_INFERENCE
    raw = re.fullmatch(r"(?!contract\.)([^.]+)\.(?:tflite|log|json)", made)
    if raw and graph != "inference":
        require(raw[1], variants.names(maker="run_toco"), target, "variant of TOCO")
        return why_not(card, artifact_name.ArtifactName("", graph, raw[1], "tflite"))
    if heads := re.fullmatch(r"([^.]+)(\.micro)?\.heads\.zip", made):
        name = artifact_name.ArtifactName("", graph, heads[1], "tflite")
        require(graph, ["detect_cut"], target, "graph whose heads are kept named")
        return _check_artifact(target, card, name, "micro_metric" if heads[2] else "metric")
    if made == "predictions.npz" and not has(card, "evaluation"):
        return NEEDS["evaluation"]
    if made == "golden.npz" and graph not in (*WITHOUT_OP, "inference"):
        return _SHARED
    require(made, _graph_files(card, graph), target, f"file in {graph}/ named")
    return None


def _check_otherwise(target, card, file, datasets):
    """Return why what an artifact scores otherwise cannot be had, or None."""
    found = re.fullmatch(r"ledger/([^./]+)\.([^./]+)(\.tfjs)?\.([^./]+)\.(metric\.json|samples\.jsonl|npz)", file)
    if not found:
        return None
    graph, variant, form, how, end = found.groups()
    name = artifact_name.ArtifactName("", graph, variant, "tfjs" if form else "tflite")
    if reason := _check_artifact(target, card, name, "samples"):
        return reason
    if not how.startswith(otherwise.UNTIL):
        require(how, otherwise.NAMES, target, "way to run an artifact named")
    if end == "npz" and how not in otherwise.for_format("tfjs", browser=True):
        return "predictions are kept of what runs in Chromium alone"
    return otherwise.why_not(card, name, how, datasets[card["evaluation"]["dataset"]]["form"]["reader"])


def _graph_files(card, graph):
    """Return the names of what build/ can hold of a graph, but for TOCO's."""
    own = graph in (*WITHOUT_OP, "inference")
    return [
        *("graph.pb", "contract.json"),
        *(("saved_model", "golden.npz") if own else ()),
        *(("anchors.npy", "anchors.txt") if graph == "detect_cut" else ()),
        *(("pytorch",) if card["source"]["kind"] == "pytorch" else ()),
        *(("predictions.npz",) if graph in WITHOUT_OP and has(card, "evaluation") else ()),
    ]


def _why_no_samples(card, purpose):
    """Return why a model has no list of samples for a purpose, or None."""
    if not has(card, purpose):
        return NEEDS[purpose]
    return None if isinstance(card[purpose], dict) else f"its card says `{purpose}: random`, which takes no samples"


def _check_result(target, config, card, file):
    """Return why a file of a model in results/ cannot be had, or None."""
    if file in ("source.metric.json", "source.samples.jsonl"):
        return None if has(card, "evaluation") else NEEDS["evaluation"]
    if file == "browser.json" and not config["tfjs"]:
        return "config.yaml names no `tfjs` variants to run in a browser"
    found = artifact_name.of_graph(target) or artifact_name.parse(target)
    if found and found[1] == "backends":
        return _check_graph(target, config, card, found[0])
    return _check_artifact(target, card, *found) if found else None


def _check_graph(target, config, card, name):
    """Return why something that belongs to all files of a graph cannot be had, or None."""
    if name.graph == gates.SOURCE:
        return _GIVEN_ALONE
    require(name.graph, [*card["graphs"], *(["inference", "layers"] if name.format == "tfjs" else [])], target, "graph")
    return None if _configured(card, config, name) else "config.yaml names no variant of the graph that can be had"


def _check_artifact(target, card, name, what):
    """Return why something that belongs to an artifact cannot be had, or None."""
    if name.graph == gates.SOURCE:
        return _check_given(card, target, name, what)
    others = ["inference", "layers"] if name.format == "tfjs" else []
    require(name.graph, [*card["graphs"], *others], target, "graph")
    require(name.variant, variants.names(format=name.format), target, f"{variants.FORMATS[name.format]} variant")
    # A calibration serves all variants, those that the card does not list too.
    return (what != "calibration" and why_not(card, name)) or _why_not_file(card, name, what)


def _configured(card, config, name):
    """Tell whether the configuration asks for a file of a graph that can be run in several ways."""
    asked = [(form, variant) for form in ("tflite", "tfjs") for variant in config[form]]
    files = [dataclasses.replace(name, format=form, variant=variant) for form, variant in asked]
    return any(not why_not(card, file) for file in files if file.format == "tfjs" or file.variant in delivered(card))


def _no_given(card):
    return f"only a source that is a .tflite file is taken as it is, and this is {card['source']['kind']}"


def _check_given(card, target, name, what):
    """Return why something that belongs to a source as it is cannot be had, or None."""
    require(name.variant, [gates.GIVEN], target, "variant of a source as it is")
    if card["source"]["kind"] != "tflite":
        return _no_given(card)
    fitting = name.format == "tflite" and what in _OF_GIVEN
    return _why_not_file(card, name, what) if fitting else _GIVEN_ALONE


def _why_not_file(card, name, what):
    """Return why a file that belongs to an artifact cannot be had though the artifact can, or None."""
    if name.graph == "layers" and what != "artifact":
        return _LAYERS_ALONE
    rows = variants.rows(format=name.format, name=name.variant)  # none of a source as it is
    if what.partition(" ")[0] in accelerators.NAMES and not all(row.integers for row in rows):
        return _IN_FLOAT
    if what in _ON_MICRO and (reasons := [row.no_micro for row in rows if row.no_micro]):
        return reasons[0]
    if what in ("metric", "samples", *_LEDGER, *_MICRO_METRIC) and not has(card, "evaluation"):
        return NEEDS["evaluation"]
    if what == "calibration" and not has(card, "calibration"):
        return NEEDS["calibration"]
    if what in _OF_HEADS and card.get("evaluation", {}).get("metric", {}).get("name") != "coco":
        return _NO_BOXES
    of_shared = ("calibration", "tensors", "plot", "record", *_SWEEP, *_OF_HEADS)
    if name.graph not in (*WITHOUT_OP, "inference") and what in of_shared:
        return _SHARED
    if what in _SWEEP:
        return _why_no_sweep(card, name)
    if what == "record" and not variants.row(name.format, name.variant).record:
        recorded = variants.names(format=name.format, record=True)
        return f"only {' and '.join(recorded)} has a record of how it was found"
    return None


def _why_no_sweep(card, name):
    """Return why a variant cannot be made of some of a card's calibration samples and scored, or None."""
    row = variants.row(name.format, name.variant)
    if not (row.calibrated and row.maker == "quantise_tflite"):
        return _NO_SWEEP.format(name.variant)
    return _why_no_samples(card, "calibration") or _why_no_samples(card, "evaluation")
