"""TFLite metadata in a file: what its contract says, where MediaPipe Tasks and Android's libraries look for it.

It is a buffer inside the file (:mod:`zoomill.inspect.metadata_tables`) and, for labels, a ZIP behind its end.
"""

import hashlib
import io
import zipfile

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from zoomill import escape
from zoomill.inspect import metadata_tables, tflite_metadata
from zoomill.tflite import tflite_file

LABELS = "labels.txt"
# What MediaPipe's and Android's detectors call the outputs of TFLite_Detection_PostProcess, and what these hold: boxes
# as top, left, bottom, right, where the usual order is left, top, right, bottom.
_CORNERS = {"index": [1, 0, 3, 2], "type": metadata_tables.BOUNDARIES, "coordinate_type": 0}
_DETECTIONS = {
    "detection_boxes": ("location", {"BoundingBoxProperties": _CORNERS}),
    "detection_classes": ("category", {"FeatureProperties": {}}),
    "detection_scores": ("score", {"FeatureProperties": {}}),
    "num_detections": ("number of detections", {"FeatureProperties": {}}),
}
DETECTIONS = {*_DETECTIONS}
_PICTURE = {"min": 1, "max": 2}
_GROUP = {"name": "detection_result", "tensor_names": ["location", "category", "score"]}


def has_enough(contract):
    """Tell whether a contract says what its model is: those of strangers' files may not."""
    return "title" in contract


def label_lines(contract):
    """Return the line of a file of labels for each number of a class, the background of a classifier included."""
    background = ["background"] * max(0, -contract.get("label_offset", 0))
    return background + [escape.line(label).strip() or "???" for label in contract.get("labels", [])]


def label_file(contract):
    """Return the bytes of a file of labels."""
    return "".join(f"{line}\n" for line in label_lines(contract)).encode(errors="backslashreplace")


def strip(model):
    """Take the metadata out of a ``ModelT``; its files lie behind the file, and no ``ModelT`` has them."""
    ours = [entry for entry in model.metadata or [] if entry.name == tflite_metadata.ENTRY.encode()]
    model.metadata = [entry for entry in model.metadata or [] if entry not in ours] or None
    tensors = [tensor for graph in model.subgraphs for tensor in graph.tensors]
    holders = [*tensors, *(model.metadata or [])]
    for place in sorted({entry.buffer for entry in ours} - {0, *(one.buffer for one in holders)}, reverse=True):
        del model.buffers[place]
        for one in holders:
            one.buffer -= one.buffer > place


def stripped(data, path):
    """Return the bytes of a .tflite file without metadata, as they are where it has none.

    Args:
        data: content of the file.
        path: of the file, for errors.
    """
    model = tflite_file.parse(data, path)
    if all(entry.name != tflite_metadata.ENTRY.encode() for entry in model.metadata or []):
        return data
    strip(model)
    return tflite_file.serialise(model)


def added(model, contract):
    """Return the bytes of a file with the metadata of its contract, if this :func:`has_enough`, and no others.

    Args:
        model: ``ModelT``, changed in place; it may have metadata of the file that it was derived from.
        contract: contract of its graph.
    """
    strip(model)
    if not has_enough(contract):
        return tflite_file.serialise(model)
    told = _of_contract(model, contract, tflite_file.serialise(model))
    entry = schema.MetadataT()
    entry.name, entry.buffer = tflite_metadata.ENTRY.encode(), len(model.buffers)
    model.buffers.append(schema.BufferT())
    model.buffers[-1].data = np.frombuffer(metadata_tables.pack(told), np.uint8)
    model.metadata = [*(model.metadata or []), entry]
    return with_files(tflite_file.serialise(model), _files(told, contract))


def with_files(data, packed):
    """Return the bytes of a .tflite file with files in a ZIP behind them.

    Args:
        data: content of the file.
        packed: ``{name: content}``.
    """
    stream = io.BytesIO()
    stream.write(data)
    if packed:
        with zipfile.ZipFile(stream, "w") as archive:
            for name, content in sorted(packed.items()):
                info = zipfile.ZipInfo(name)  # of 1980, the first that a ZIP can say
                info.create_system = 3
                archive.writestr(info, content)
    return stream.getvalue()


def find_problems(model, data, contract):
    """Return a phrase where the metadata in a file are not those of its contract.

    Args:
        model: ``ModelT`` of the file.
        data: its bytes.
        contract: contract of its graph.
    """
    if not has_enough(contract):
        return []
    try:
        found = _flat(metadata_tables.unpack(stored(data)))
    except ValueError as error:
        return [str(error)]
    told = _of_contract(model, contract, stripped(data, None))
    wanted = _flat(metadata_tables.unpack(metadata_tables.pack(told)))
    wrong = next((key for key in sorted({**wanted, **found}) if wanted.get(key) != found.get(key)), None)
    if wrong:
        return [f"metadata: {wrong} is {found.get(wrong)!r} instead of {wanted.get(wrong)!r}"]
    packed = {name: read() for name, read in tflite_metadata.packed(data).items()}
    same = packed == _files(told, contract)
    return [] if same else [f"metadata: the files packed in are not the contract's: {', '.join(packed) or 'none'}"]


def stored(data):
    """Return the buffer of metadata in the bytes of a .tflite file.

    Raises:
        ValueError: when there is none.
    """
    model = schema.Model.GetRootAs(data, 0)
    for entry in map(model.Metadata, range(model.MetadataLength())):
        buffer = model.Buffers(entry.Buffer())
        if entry.Name() == tflite_metadata.ENTRY.encode() and buffer.DataLength():
            return buffer.DataAsNumpy().tobytes()
    raise ValueError("has no metadata")


def _flat(value, path=""):
    """Return ``{path: number or text}`` of nested dicts and lists."""
    if isinstance(value, str | int | float):
        return {path: value}
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    return {path: "", **{key: one for name, part in pairs for key, one in _flat(part, f"{path}/{name}").items()}}


def _of_contract(model, contract, plain):
    """Return ModelMetadata, a dict as :mod:`zoomill.inspect.metadata_tables` takes it.

    Args:
        model: ``ModelT`` of the file.
        contract: contract of its graph.
        plain: the file's bytes without metadata, the digest of which gives the version.
    """
    stored, lines = tflite_file.describe(model), label_lines(contract)
    sides = [
        [told(promise, file["dtype"], lines) for promise, file in zip(contract[side], stored[side], strict=True)]
        for side, told in (("inputs", _input), ("outputs", _output))
    ]
    detector = {entry["name"] for entry in contract["outputs"]} == DETECTIONS
    graph = {
        "name": contract["graph"],
        "description": "; ".join(contract.get("notes", [])) or None,
        "input_tensor_metadata": sides[0],
        "output_tensor_metadata": sides[1],
        "output_tensor_groups": [_GROUP] if detector else None,
    }
    return {
        "name": contract["title"],
        "description": contract["task"],
        "version": hashlib.sha256(plain).hexdigest()[:12],
        "subgraph_metadata": [graph],
        "license": contract["licence"],
        "min_parser_version": "1.2.0" if detector else "1.0.0",  # the one that brought groups
    }


def _input(promise, dtype, lines):
    content, units, limits = {"FeatureProperties": {}}, None, None
    if promise.get("layout") == "NHWC":
        colour = promise["colour"]
        # One that the schema does not know must not be taken for one that it does.
        known = metadata_tables.COLOURS.index(colour) if colour in metadata_tables.COLOURS else 0
        content = {"ImageProperties": {"color_space": known}}
    if promise.get("value_range"):
        low, high = (np.atleast_1d(np.asarray(end, np.float64)) for end in promise["value_range"])
        limits = low, high
        if promise.get("layout") and (low != high).all():
            std = 255 / (high - low)
            units = [{"options": {"NormalizationOptions": {"mean": (-low * std).tolist(), "std": std.tolist()}}}]
    return {
        "name": promise["name"],
        "content": {"content_properties": content},
        "process_units": units,
        "stats": _stats(dtype, limits),
    }


def _output(promise, dtype, lines):
    shape, kind = promise["shape"], promise.get("activation")
    name, content, labelled, span = promise["name"], {"FeatureProperties": {}}, None, None
    if promise["name"] in _DETECTIONS:
        name, content = _DETECTIONS[promise["name"]]
        labelled = metadata_tables.VALUE_LABELS if name == "category" and lines else None
        span = {"min": 2, "max": 2} if len(shape) > 1 else None
    elif lines and len(shape) > 1 and shape[-1] == len(lines):
        labelled = metadata_tables.AXIS_LABELS
        if len(shape) == 4 and shape[1:3] != [1, 1]:  # a picture of each class
            content, span = {"ImageProperties": {"color_space": metadata_tables.COLOURS.index("GRAY")}}, _PICTURE
    file = {"name": LABELS, "description": "a line for each class", "type": labelled}
    limits = (np.zeros(1), np.ones(1)) if name == "score" or kind in ("softmax", "sigmoid") else None
    return {
        "name": name,
        "description": promise.get("meaning") or None,
        "content": {"content_properties": content, "range": span},
        "stats": _stats(dtype, limits),
        "associated_files": [file] if labelled else None,
    }


def _stats(dtype, limits):
    """Return the smallest and the largest stored number: that of integers, or what is known of the real ones."""
    if dtype in ("int8", "uint8"):
        ends = np.iinfo(dtype)
        limits = np.array([ends.min]), np.array([ends.max])
    return limits and {"min": limits[0].tolist(), "max": limits[1].tolist()}


def _files(told, contract):
    """Return ``{name: content}`` of the files that the metadata of a contract, a dict, name."""
    (graph,) = told["subgraph_metadata"]
    named = any(entry["associated_files"] for entry in graph["output_tensor_metadata"])
    return {LABELS: label_file(contract)} if named else {}
