"""Which model a file or folder is, and which other files belong to it."""

import dataclasses
import os
import re
from pathlib import Path

from zoomill.errors import UserError

# Files of which each is a model, or a part of one that leads to it.
_MODELS = (".tflite", ".onnx", ".h5", ".hdf5", ".keras", ".pt2", ".pt", ".pth", ".cfg", ".meta", ".pb")
_KINDS = {
    **dict.fromkeys(("graph_def", "meta_graph"), "frozen_graph"),
    **dict.fromkeys(("saved_model", "hub_module"), "saved_model"),
    **dict.fromkeys(("keras", "keras_h5"), "keras"),
    **dict.fromkeys(("tfjs_graph", "tfjs_layers"), "tfjs"),
    **dict.fromkeys(("pytorch_program", "torchscript"), "pytorch"),
}
_VARIABLES = {"Variable", "VariableV2", "VarHandleOp"}
_AVERAGES = "/ExponentialMovingAverage"
_OF_SAVED_MODEL = ("saved_model.pb", "keras_metadata.pb", "fingerprint.pb", "tfhub_module.pb")
_OF_SAVED_MODEL += ("assets/", "assets.extra/", "variables/")
_OF_DETECTION = re.compile(r"pipeline\.config|model\.ckpt\.(meta|index|data-\d+-of-\d+)")
_FROZEN = "frozen_inference_graph.pb"


@dataclasses.dataclass
class Model:
    """A model and its files.

    Attributes:
        source: ``source`` of its card without files and what the report tells.
        folder: that of its files.
        names: of the files, seen from there.
        report: of :mod:`zoomill.inspect.report`, None for a detector that pipeline.config describes.
        questions: what the files leave open, ``{key of source: comment}``.
    """

    source: dict
    folder: Path
    names: list
    report: dict | None = None
    questions: dict = dataclasses.field(default_factory=dict)


def find(path, inspect):
    """Return the :class:`Model` that a file or folder is.

    Args:
        path: of a file, or of a folder with one model.
        inspect: function from a path, and the file of its weights where it has another name, to the report.

    Raises:
        UserError: when there is none, or more than one, or files of it are missing.
    """
    path = Path(path)
    if not path.exists():
        raise UserError(f"{path}: there is no such file or folder")
    file = _chosen(path) if path.is_dir() else _leading(path)
    names = sorted(entry.name for entry in file.parent.iterdir() if entry.is_file())
    if "pipeline.config" in names and file.suffix in (".pb", ".meta", ".config") and file.name != "saved_model.pb":
        return _detection(file, names)
    if file.name == "saved_model.pb":
        return _saved_model(file, inspect)
    if file.suffix == ".cfg":
        return _darknet(file, names, inspect)
    leading = file.parent / _FROZEN if file.suffix == ".meta" and _FROZEN in names else file
    report = inspect(leading)
    if _is_ssd(report):
        of_meta = inspect(file.parent / "model.ckpt.meta") if "model.ckpt.meta" in names else report
        return dataclasses.replace(_detection(leading, names), report=of_meta)
    if file.suffix == ".meta":
        return _checkpoint(_graph_of(file, names, inspect), file, inspect)
    if report["kind"] == "graph_def" and _VARIABLES & report["graphs"][0]["operators"].keys():
        return _checkpoint(file, _meta_of(file, names), inspect, report)
    kind = _KINDS.get(report["kind"], report["kind"])
    if report["kind"] in ("openvino", "keras_weights"):
        raise UserError(f"{path}: {(report['notes'] or ['is no source of a graph'])[-1]}")
    return Model({"kind": kind, "path": file.name}, file.parent, _there(file, report["files"]), report)


def _there(file, others):
    """Return the names of a file and of those beside it, which must be there."""
    if absent := [name for name in others if not (file.parent / name).exists()]:
        raise UserError(f"{file}: {absent[0]}, which belongs to it, is not beside it")
    return [file.name, *others]


def _chosen(folder):
    """Return the file of a folder that leads to its model."""
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
    for name in ("saved_model.pb", "model.json"):
        if name in names and "pipeline.config" not in names:
            return folder / name
    if "pipeline.config" in names:
        return folder / "pipeline.config"
    found = [name for name in names if name.endswith(_MODELS)]
    metas = [name for name in found if name.endswith(".meta")]
    found = metas or found
    if len(found) == 1:
        return folder / found[0]
    inner = [entry for entry in folder.iterdir() if entry.is_dir() and (entry / "saved_model.pb").exists()]
    if not found and len(inner) == 1:
        return inner[0] / "saved_model.pb"
    if found:
        raise UserError(f"{folder}: holds several models: {', '.join(found)}; name the file of one")
    raise UserError(f"{folder}: holds no model that can be told; name its file")


def _leading(file):
    """Return the file that says what the model is, of which ``file`` is a part."""
    stem = re.sub(r"\.(index|data-\d+-of-\d+|weights)$", "", file.name)
    for name in (f"{stem}.meta", f"{stem}.cfg") if stem != file.name else ():
        if (file.parent / name).exists():
            return file.parent / name
    return file


def _is_ssd(report):
    """Tell a detector of the TF1 Object Detection API whose graph ends behind its NMS, from all but Faster R-CNN."""
    graph = report["graphs"][0] if report["kind"] in ("graph_def", "meta_graph") else {}
    outputs = {tensor["name"] for signature in graph.get("signatures", []) for tensor in signature["outputs"]}
    return {"detection_boxes", "detection_scores"} <= outputs and "CropAndResize" not in graph["operators"]


def _detection(file, names):
    frozen = [name for name in names if name.endswith(".pb") and name not in _OF_SAVED_MODEL]
    frozen = [file.name] if file.suffix == ".pb" else [_FROZEN] if _FROZEN in frozen else frozen
    parts = [name for name in names if _OF_DETECTION.fullmatch(name)]
    if len(frozen) > 1 or not frozen and len(parts) < 2:
        found = ", ".join(frozen) or "no model.ckpt and no frozen graph"
        raise UserError(f"{file}: beside pipeline.config there are {found}; name the file of one frozen graph")
    if "model.ckpt.index" in parts and not any(name.startswith("model.ckpt.data") for name in parts):
        raise UserError(f"{file}: model.ckpt.data-*, which belongs to model.ckpt.index, is not beside it")
    other = {"frozen_graph": frozen[0]} if frozen and frozen[0] != _FROZEN else {}
    return Model({"kind": "tf1_detection", **other}, file.parent, [*frozen, *parts])


def _saved_model(file, inspect):
    inside = [entry.relative_to(file.parent).as_posix() for entry in file.parent.rglob("*") if entry.is_file()]
    names = sorted(name for name in inside if name.startswith(_OF_SAVED_MODEL))
    report = inspect(file.parent)
    stored = any(name.startswith("variables/") for name in names)
    if not stored and any(_VARIABLES & graph["operators"].keys() for graph in report["graphs"]):
        raise UserError(f"{file}: variables/, which belongs to it, is not beside it")
    return Model({"kind": "saved_model", "path": "."}, file.parent, names, report)


def _darknet(file, names, inspect):
    beside = [name for name in names if name.endswith(".weights")]
    own = file.with_suffix(".weights").name
    weights = own if own in beside or len(beside) != 1 else beside[0]
    found = _there(file, [weights])
    report = inspect(file, file.parent / weights if weights != own else None)
    return Model({"kind": "darknet", "config": file.name, "weights": weights}, file.parent, found, report)


def _graph_of(meta, names, inspect):
    """Return the inference graph beside a meta graph, which may be one of training, or the meta graph itself."""
    graphs = [meta.parent / name for name in names if name.endswith(".pb")]
    fitting = [graph for graph in graphs if _VARIABLES & inspect(graph)["graphs"][0]["operators"].keys()]
    return fitting[0] if len(fitting) == 1 else meta


def _meta_of(graph, names):
    found = [name for name in names if name.endswith(".meta") and f"{name[:-5]}.index" in names]
    if len(found) != 1:
        many = "several" if found else "no"
        raise UserError(f"{graph}: has variables, and there is {many} checkpoint (.meta, .index, .data-*) beside it")
    return graph.parent / found[0]


def _checkpoint(graph, meta, inspect, report=None):
    """Return the model of a graph and of the checkpoint of a meta graph."""
    of_meta = inspect(meta)
    prefix, kept = meta.name.removesuffix(".meta"), of_meta["checkpoint"]
    if not kept:
        raise UserError(f"{meta}: its checkpoint, {prefix}.index, is not beside it")
    averages = any(variable["name"].endswith(_AVERAGES) for variable in kept["variables"])
    names = [graph.name, *sorted(os.path.basename(name) for name in meta.parent.glob(f"{prefix}.[di]*"))]
    source = {"kind": "tf1_checkpoint", "graph": graph.name, "checkpoint": prefix}
    source["variables"] = "moving_averages" if averages else "raw"
    question = {"variables": "the checkpoint has moving averages; say `raw` for the variables themselves"}
    report = of_meta if graph == meta else report or inspect(graph)
    if not any(signature["inputs"] for signature in report["graphs"][0]["signatures"]):
        raise UserError(f"{meta}: is a graph of training without inputs; put the inference graph (.pb) beside it")
    return Model(source, graph.parent, names, report, question if averages else {})
