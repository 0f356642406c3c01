"""The catalogue as a list. Needs no more than PyYAML."""

import os

from zoomill.yaml_file import load_yaml

_FORMATS = (".tflite", ".openvino", ".tfjs")


def models(paths, results):
    """Return an entry for each card, sorted by name.

    Args:
        paths: of the cards.
        results: folder of the artifacts.

    Returns:
        ``[{"model", "task", "source": kind, "bytes": sum of its files, None where one's is not known, "licence",
        "built": names of the artifacts that stand in results}, …]``.
    """
    return [_model(path, results) for path in sorted(paths, key=os.path.basename)]


def _model(path, results):
    card = load_yaml(path)
    model = os.path.basename(path).removesuffix(".yaml")
    sizes = [file.get("size") for file in card["source"]["files"]]
    folder = os.path.join(results, model)
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return {
        "model": model,
        "task": card["task"],
        "source": card["source"]["kind"],
        "bytes": None if None in sizes else sum(sizes),
        "licence": card["licence"],
        "built": [name for name in names if name.endswith(_FORMATS)],
    }


def rows(entries):
    """Return the rows of a table of such entries, headings first."""
    return [("model", "task", "source", "bytes", "licence", "built here"), *map(_row, entries)]


def _row(entry):
    size = "unknown" if entry["bytes"] is None else f"{entry['bytes']:,}"
    number = f"{len(entry['built'])} artifacts" if entry["built"] else "no"
    return entry["model"], entry["task"], entry["source"], size, entry["licence"], number
