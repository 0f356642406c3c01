"""What stands beside a model's files: labels, a licence, and how many classes it has."""

import re

from zoomill import label_files
from zoomill.errors import UserError
from zoomill.inspect import darknet_cfg

_LABELS = re.compile(
    r".*\.names|(.*[_.-])?(labels?|labelmap|label_map|classes|class_names)\.(txt|json|names|pbtxt)", re.I
)
_LICENCES = re.compile(r"(licen[cs]e|copying)(\.(txt|md|rst))?", re.I)
# Larger files are no licence.
_MOST_BYTES = 1 << 20
# Sentences by which SPDX's texts are told, the first that fits counts.
_TEXTS = (
    ("Apache-2.0", r"Apache License\W+Version 2\.0"),
    ("BSD-3-Clause", r"Redistribution and use in source and binary forms.*(Neither the name|names? of .* may not)"),
    ("BSD-2-Clause", r"Redistribution and use in source and binary forms"),
    ("MIT", r"Permission is hereby granted, free of charge, to any person obtaining a copy of this software"),
)


def classes(model):
    """Return the numbers of classes that a model's files allow, a set."""
    if model.source["kind"] == "darknet":
        sections = darknet_cfg.read(model.folder / model.source["config"])[1]
        found = {int(one.options["classes"]) for one in sections if one.options.get("classes", "").isdigit()}
        return found or _sizes(model, 1)
    if model.source["kind"] == "tf1_detection" and model.report:
        return {size - 1 for size in _sizes(model, -1, "raw_detection_scores")}  # the first is the background's
    if model.source["kind"] == "tf1_detection":
        text = _text(model.folder / "pipeline.config") or ""
        return {int(number) for number in re.findall(r"\bnum_classes\s*:\s*(\d+)", text)}
    return _sizes(model, -1)


def _sizes(model, place, name=None):
    """Return the sizes of outputs along a dimension, of those with a name, or of all."""
    shapes = [
        tensor["shape"]
        for graph in model.report["graphs"]
        for signature in graph["signatures"]
        for tensor in signature["outputs"]
        if name in (None, tensor["name"])
    ]
    return {shape[place] for shape in shapes if shape and len(shape) > 1 and shape[place] > 1}


def labels(folder, numbers):
    """Return the labels of a file in a folder, and what to add to a model's class number to get theirs.

    Args:
        folder: of the model.
        numbers: of classes that the model may have.

    Returns:
        File name, list of labels and offset of the first file that fits; else the name of one that does not, or None,
        with None for the labels.
    """
    others = None
    for path in sorted(folder.iterdir()):
        if not (path.is_file() and _LABELS.fullmatch(path.name)):
            continue
        found = _read(path)
        rest, _ = label_files.split(found)
        if found and len(found) in numbers:
            return path.name, rest, len(rest) - len(found)
        if rest and len(rest) in numbers:
            return path.name, rest, 0
        others = others or path.name
    return others, None, 0


def _read(path):
    """Return the labels in a file; none for anything else."""
    try:
        with open(path, "rb") as file:
            return label_files.parse(file.read(label_files.MOST_BYTES + 1), path.name)
    except (OSError, UserError):
        return []


def licence(folder):
    """Return the file of a licence in a folder and the SPDX identifier of its text, each None where not known."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and _LICENCES.fullmatch(path.name):
            text = " ".join((_text(path) or "").split())
            return path.name, next((name for name, sentence in _TEXTS if re.search(sentence, text)), None)
    return None, None


def _text(path):
    """Return a file as text, None where it is none or too large."""
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return None
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None
