"""What is told about a .tflite file inside of it: a buffer of TFLite metadata, and a ZIP of files at the end.

Ultralytics' files have the ZIP alone, with a metadata.json in it.
"""

import io
import json
import re
import zipfile

from zoomill import label_files
from zoomill.errors import UserError
from zoomill.inspect import metadata_tables, report

ENTRY = "TFLITE_METADATA"
# A ZIP with labels is far smaller; what is before is not looked at.
_TAIL = 1 << 22
_ULTRALYTICS = "metadata.json"
_GENERAL = ("name", "description", "version", "author", "license")
# Of what a hostile file may have any number of.
_MOST_FILES, _MOST_SHOWN, _MOST_TEXT = 20, 8, 300
_LABELS = re.compile(r"[^/]*label[^/]*\.txt", re.I)


def packed(data):
    """Return ``{name: function that returns its content}`` of the files in the ZIP at the end of a .tflite file.

    Args:
        data: content of the file.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data[-_TAIL:]))
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return {}
    return {info.filename: lambda info=info: _content(archive, info) for info in archive.infolist()}


def labels(data):
    """Return the labels that are packed into a .tflite file, without a background, and their offset.

    Args:
        data: content of the file.

    Returns:
        List of text, what to add to a column's number for its label, and sentences about what was found; no labels
        where there is not one file of them that can be read.
    """
    found = packed(data)
    names = [name for name in found if name.isprintable() and _LABELS.fullmatch(name.rpartition("/")[2])]
    if len(names) > 1:
        return [], 0, [f"the source has several files of labels packed in, and none is taken: {', '.join(names)[:300]}"]
    try:
        for name in names:
            read, offset = label_files.split(label_files.parse(found[name](), name))
            return read, offset, [f"labels are those of {name}, which is packed into the source"]
    except UserError as error:
        return [], 0, [f"labels that are packed into the source are not taken: {error}"]
    return [], 0, []


def told(content, files):
    """Return what a file says of itself, ``metadata`` of a report, and sentences about what cannot be read.

    Args:
        content: the buffer of TFLite metadata, None without.
        files: what :func:`packed` found.
    """
    found, notes = None, []
    try:
        if content is not None:
            found = _of_tables(metadata_tables.unpack(content))
        elif _ULTRALYTICS in files:
            found = _of_ultralytics(json.loads(files[_ULTRALYTICS]()))
    except (ValueError, RecursionError, UserError) as error:
        notes.append(f"{_ULTRALYTICS}, which is packed in, cannot be read: {error}" if content is None else str(error))
    if found is None:
        return None, notes
    counts = {}
    for name in [name for name in files if name.isprintable() and name.endswith(".txt")][:_MOST_FILES]:
        try:
            counts[name] = len(label_files.parse(files[name](), name))
        except UserError as error:
            notes.append(str(error))
    return {**found, "labels": {**found["labels"], **counts}}, notes


def _of_tables(tables):
    graph = next(iter(tables.get("subgraph_metadata", [])), {})
    tensors = [
        _tensor(side, entry) for side in ("input", "output") for entry in graph.get(f"{side}_tensor_metadata", [])
    ]
    return {**{key: tables.get(key) for key in _GENERAL}, "tensors": tensors, "labels": {}}


def _tensor(side, entry):
    """Return the report's entry of a tensor."""
    kind, properties = next(iter(entry.get("content", {}).get("content_properties", {}).items()), ("", {}))
    content = kind.removesuffix("Properties").lower() or None
    if kind == "ImageProperties":
        colour = properties.get("color_space", 0)
        content = f"{dict(enumerate(metadata_tables.COLOURS)).get(colour, colour)} image"
    if properties.get("index"):
        content = f"{content} in the order {properties['index'][:_MOST_SHOWN]}"
    units = [unit.get("options", {}) for unit in entry.get("process_units", [])]
    scaled = next((unit["NormalizationOptions"] for unit in units if "NormalizationOptions" in unit), {})
    mean, std = ([report.finite(number) for number in scaled.get(key, [])[:_MOST_SHOWN]] for key in ("mean", "std"))
    files = [file.get("name", "") for file in entry.get("associated_files", [])[:_MOST_FILES]]
    named = {key: entry[key][:_MOST_TEXT] if key in entry else None for key in ("name", "description")}
    return {"side": side, **named, "content": content, "mean": mean, "std": std, "files": files}


def _of_ultralytics(document):
    """Return what Ultralytics' exporter wrote: description, author, date, version, license, task, imgsz, names …"""
    if not isinstance(document, dict):
        raise ValueError("it is no JSON object")
    general = {key: document[key] for key in ("description", "version", "author", "license") if key in document}
    general = {key: str(value)[:_MOST_TEXT] for key, value in general.items()}
    named = document.get("names")
    labels = {_ULTRALYTICS: len(named)} if isinstance(named, dict | list) else {}
    return {**dict.fromkeys(_GENERAL), "name": "Ultralytics", **general, "tensors": [], "labels": labels}


def _content(archive, info):
    if info.file_size > label_files.MOST_BYTES:
        raise UserError(f"{info.filename}: has {info.file_size} bytes")
    try:
        return archive.read(info)
    except Exception as error:  # zipfile raises many kinds for a damaged or encrypted member
        raise UserError(f"{info.filename}: cannot be unpacked: {error}") from error
