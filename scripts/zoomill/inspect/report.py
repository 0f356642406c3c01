"""The form of every report, and the table a person reads.

A report is a dict of JSON values::

    file        name of the inspected file or folder, without the folders above it
    kind        a key of KINDS
    producer    {what: version}: who wrote the file, as far as the file says
    graphs      list of one graph; a SavedModel has one for each tag set
    checkpoint  what is stored beside the graph: {variables: [{name, dtype, shape}], parameters}; null without one
    notes       list of sentences about what could not be told or is not there
    metadata    what a .tflite file says of itself, null without: {name, description, version, author, license, tensors,
                labels}; tensors are {side, name, description, content, mean, std, files}, labels {file: how many}
    files       names of the files that hold weights of a TFJS, ONNX or Darknet model, seen from it, there or not

and a graph::

    name              tags joined by commas; "" where the format has none
    signatures        [{name, inputs, outputs}], name being null where the format has no signatures; inputs and
                      outputs are lists of {name, tensor, dtype, shape}
    operators         {operator (Keras, Darknet: layer): how many}, functions and nested graphs included
    control_flow, custom_operators
                      the part of operators that branches or loops, or that the framework does not define itself
    parameters        {dtype: {count, bytes}} of constants and variables
    quantisation      [{tensor, kind, ...}], the other keys as far as known: dtype, original, scale, zero_point,
                      axis, min, max, bits, narrow_range

A dtype is spelt as NumPy does; dtypes and shapes that the file does not tell are null, sizes -1.
"""

import json
import math
import re
import struct
import textwrap

from zoomill.printable import printable

KINDS = {
    "graph_def": "TensorFlow graph (GraphDef)",
    "saved_model": "TensorFlow SavedModel",
    "hub_module": "TF-Hub module, version 1",
    "meta_graph": "TensorFlow meta graph",
    "keras_h5": "Keras model (HDF5)",
    "keras_weights": "Keras weights without a model (HDF5)",
    "keras": "Keras model (.keras archive)",
    "tflite": "TFLite model",
    "tfjs_graph": "TensorFlow.js graph model",
    "tfjs_layers": "TensorFlow.js layers model",
    "onnx": "ONNX model",
    "darknet": "Darknet network",
    "pytorch_program": "PyTorch exported program",
    "torchscript": "TorchScript model",
    "openvino": "OpenVINO IR",
}
_WIDTH = 110
_MOST_DIMENSIONS = 254  # TensorFlow's; others have fewer


def report(kind, producer, graphs, checkpoint=None, notes=(), files=(), metadata=None):
    """Return a report without ``file``; entries of ``producer`` that are None, 0 or "" are left out.

    What comes out of JSON may be of any type; here and below, names and versions become text.
    """
    producer = {
        key: value if isinstance(value, (int, dict)) else str(value) for key, value in producer.items() if value
    }
    parts = {"graphs": graphs, "checkpoint": checkpoint, "notes": list(notes), "files": sorted(map(str, files))}
    parts["metadata"] = metadata
    return {"kind": kind, "producer": producer, **parts}


def graph(signatures, operators, control_flow, custom, parameters, quantisation=(), name=""):
    """Return a graph.

    Args:
        signatures: list of :func:`signature`.
        operators: ``{operator: count}``.
        control_flow: the operators that branch or loop, whether they occur or not.
        custom: function of an operator's name, true where the framework does not define it.
        parameters: :class:`Parameters`.
        quantisation: list of dicts; values that are None are left out.
        name: the tags of a SavedModel.
    """
    return {
        "name": name,
        "signatures": signatures,
        "operators": {str(op): count for op, count in operators.items()},
        "control_flow": {str(op): count for op, count in operators.items() if op in control_flow},
        "custom_operators": {str(op): count for op, count in operators.items() if custom(op)},
        "parameters": parameters.as_json(),
        "quantisation": [{key: value for key, value in one.items() if value is not None} for one in quantisation],
    }


def signature(name, inputs, outputs):
    """Return a signature; ``inputs`` and ``outputs`` are lists of :func:`tensor`."""
    return {"name": name, "inputs": inputs, "outputs": outputs}


def tensor(name, place, dtype, shape):
    """Return an input or output: its name for callers, the tensor in the file, its type."""
    if shape is not None:
        elements(shape)
        shape = [int(size) for size in shape]
    return {"name": str(name), "tensor": str(place), "dtype": dtype, "shape": shape}


class Parameters:
    """Counts elements and bytes by dtype."""

    def __init__(self):
        self._counts = {}

    def add(self, dtype, shape, size=None):
        """Add a tensor; ``size`` are its bytes where they do not follow from dtype and shape."""
        count = elements(shape)
        entry = self._counts.setdefault(dtype, {"count": 0, "bytes": 0})
        entry["count"] += count
        entry["bytes"] += byte_size(dtype, shape) or 0 if size is None else size

    def as_json(self):
        """Return ``{dtype: {count, bytes}}``."""
        return self._counts


def byte_size(dtype, shape):
    """Return the bytes of a tensor, sub-byte values packed; None for strings, resources and the like."""
    bits = re.match(r"[a-z]+(\d+)", dtype)
    bits = int(bits[1]) if bits else {"bool": 8}.get(dtype)
    return None if bits is None else -(-bits * elements(shape) // 8)


def elements(shape):
    """Return how many elements a shape has, 0 where a size is not known.

    Raises:
        ValueError: when they are more than any memory can hold, or have more dimensions than any framework knows.
    """
    if len(shape) > _MOST_DIMENSIONS:
        raise ValueError(f"it declares a tensor of {len(shape)} dimensions")
    count = 1
    for size in map(int, shape):
        count *= max(0, size)
        if max(count, size) >> 63 > 0:
            raise ValueError("it declares a tensor that no memory can hold")
    return count


def number(value):
    """Return a float32 as the shortest number that reads back as the same, finite as in :func:`finite`."""
    if not math.isfinite(value):
        return finite(value)
    digits = (float(f"{value:.{count}g}") for count in range(6, 10))
    return next(short for short in digits if struct.pack("<f", short) == struct.pack("<f", value))


def finite(value):
    """Return a float, or text for infinity and NaN, which JSON has not."""
    value = float(value)
    return value if math.isfinite(value) else str(value)


def json_bytes(document):
    """Return the report as canonical JSON: sorted keys, two spaces, one newline at the end."""
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
    # UTF-8 has no halves of surrogate pairs, which a file may have in a name; escaped they are still JSON.
    return text.encode(errors="backslashreplace")


def table(document):
    """Return the report as text for a person."""
    lines = [f"{document['file']}: {KINDS[document['kind']]}"]
    lines += _wrapped("made by", _pairs(document["producer"]))
    for one in document["graphs"]:
        lines += _graph_lines(one)
    if document["checkpoint"]:
        variables = document["checkpoint"]["variables"]
        averages = sum(variable["name"].endswith("/ExponentialMovingAverage") for variable in variables)
        lines += ["", f"checkpoint: {len(variables):,} variables, {averages:,} of them moving averages"]
        lines += _parameter_lines(document["checkpoint"]["parameters"])
    lines += _metadata_lines(document["metadata"]) if document["metadata"] else []
    if document["notes"]:
        lines += ["", "notes", *(f"  {note}" for note in document["notes"])]
    return "".join(f"{printable(line)}\n" for line in lines)


def _metadata_lines(metadata):
    general = [[key, metadata[key]] for key in ("name", "description", "version", "author", "license") if metadata[key]]
    labels = [["labels", f"{count:,} in {name}"] for name, count in metadata["labels"].items()]
    rows = [
        [entry["side"], entry["name"] or "?", entry["content"] or "?", _scaling(entry), entry["description"] or ""]
        for entry in metadata["tensors"]
    ]
    return ["", "metadata", *_columns(general + labels), *_columns(rows)]


def _scaling(entry):
    """Return how a pixel becomes a number of the input."""
    mean, std = (", ".join(map(str, entry[key])) for key in ("mean", "std"))
    return f"(x - [{mean}]) / [{std}]" if mean or std else ""


def _graph_lines(one):
    lines = ["", f"tags: {one['name']}"] if one["name"] else []
    for entry in one["signatures"]:
        lines += ["", f"signature {entry['name']}" if entry["name"] is not None else "inputs and outputs"]
        rows = [
            [side, item["name"], item["tensor"], item["dtype"] or "?", _shape(item["shape"])]
            for side, items in (("in", entry["inputs"]), ("out", entry["outputs"]))
            for item in items
        ]
        lines += _columns(rows)
    lines += ["", f"parameters: {sum(entry['count'] for entry in one['parameters'].values()):,}"]
    lines += _parameter_lines(one["parameters"])
    operators = one["operators"]
    lines += ["", *_wrapped(f"operators: {sum(operators.values()):,} of {len(operators):,} kinds", _counts(operators))]
    lines += _wrapped("control flow", _counts(one["control_flow"]) or ["none"])
    lines += _wrapped("custom operators", _counts(one["custom_operators"]) or ["none"])
    if one["quantisation"]:
        lines += ["", f"quantisation: {len(one['quantisation']):,} tensors"]
        lines += _columns([_quantised(entry) for entry in one["quantisation"]])
    return lines


def _parameter_lines(parameters):
    rows = [[dtype, f"{entry['count']:,}", f"{entry['bytes']:,} bytes"] for dtype, entry in sorted(parameters.items())]
    return _columns(rows)


def _quantised(entry):
    details = [f"{key} {_short(entry[key])}" for key in sorted(entry) if key not in {"tensor", "kind", "dtype"}]
    return [entry["kind"], entry.get("dtype", ""), ", ".join(details), entry["tensor"]]


def _short(value):
    if isinstance(value, list):
        ends = min(value, key=float), max(value, key=float)
        return str(ends[0]) if len(set(value)) == 1 else f"{ends[0]} … {ends[1]} ({len(value)} values)"
    return str(value)


def _shape(shape):
    return "?" if shape is None else str(shape)


def _counts(counts):
    return [f"{op} {count:,}" for op, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]


def _pairs(producer):
    pairs = []
    for key, value in sorted(producer.items()):
        inner = [f"{key} {name} {version}" for name, version in value.items()] if isinstance(value, dict) else []
        pairs += inner or [f"{key} {value}"]
    return pairs


def _wrapped(title, items):
    if not items:
        return []
    # A name may hold spaces, at which no line must break.
    text = ", ".join(item.replace(" ", "\0") for item in items)
    lines = textwrap.wrap(text, _WIDTH - 2, break_long_words=False, break_on_hyphens=False)
    return [title, *(f"  {line}".replace("\0", " ") for line in lines)]


def _columns(rows):
    widths = [max(len(printable(cell)) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  " + "  ".join(f"{printable(cell):{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
