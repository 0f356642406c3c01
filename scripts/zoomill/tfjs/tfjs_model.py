"""TensorFlow.js models as artifacts: a folder with model.json and the shards of its weights, as data."""

import collections
import dataclasses
import json
import math
import os
import struct
from pathlib import Path

from zoomill import files

# tensorflow/core/framework/types.proto
DTYPES = {"float32": "DT_FLOAT", "int32": "DT_INT32", "int64": "DT_INT64", "uint8": "DT_UINT8", "bool": "DT_BOOL"}
MODEL = "model.json"
# What registers operators that TensorFlow.js lacks; in the folder of a model that has such.
OPERATORS = "operators.js"
_BYTES = {"float32": 4, "int32": 4, "complex64": 8, "float16": 2, "uint16": 2, "uint8": 1, "bool": 1}


@dataclasses.dataclass(frozen=True)
class Weight:
    """One weight as the folder stores it.

    Attributes:
        entry: its entry in the manifest: name, shape, dtype, and ``quantization`` where it has one.
        data: its bytes.
    """

    entry: dict
    data: bytes


def read_document(folder):
    """Return the content of model.json."""
    return files.read_json(os.path.join(folder, MODEL))


def read_weights(folder, document):
    """Return the :class:`Weight` list of a model, in the order of its manifest, which has one group."""
    (group,) = document["weightsManifest"]
    data = b""
    for name in group["paths"]:
        with open(os.path.join(folder, name), "rb") as file:
            data += file.read()
    weights, start = [], 0
    for entry in group["weights"]:
        end = start + _size(entry, data, start)
        weights.append(Weight(entry, data[start:end]))
        start = end
    return weights


def _size(entry, data, start):
    """Return the bytes of a weight; a string is preceded by its length."""
    dtype, count = entry.get("quantization", entry)["dtype"], math.prod(entry["shape"])
    if dtype != "string":
        return count * _BYTES[dtype]
    end = start
    for _ in range(count):
        end += 4 + struct.unpack_from("<I", data, end)[0]
    return end - start


def write_weights(folder, document, weights, shard_bytes):
    """Write the shards and enter them in ``document``, as tensorflowjs's write_weights.py does.

    Args:
        folder: existing folder.
        document: content of model.json, changed in place.
        weights: :class:`Weight` list.
        shard_bytes: size of every shard but the last.
    """
    data = b"".join(weight.data for weight in weights)
    count = math.ceil(len(data) / shard_bytes)
    names = [f"group1-shard{index + 1}of{count}.bin" for index in range(count)]
    for index, name in enumerate(names):
        Path(folder, name).write_bytes(data[index * shard_bytes : (index + 1) * shard_bytes])
    document["weightsManifest"] = [{"paths": names, "weights": [weight.entry for weight in weights]}]


def write_document(folder, document):
    """Write model.json in one spelling: TensorFlow.js's converter gives attributes in the order of a hash table."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    Path(folder, MODEL).write_bytes(text.encode())


def bodies(document):
    """Return the lists of nodes of a graph model: its own and those of its functions."""
    topology = document["modelTopology"]
    return [topology["node"], *(function["nodeDef"] for function in topology.get("library", {}).get("function", []))]


def nodes(document):
    """Return all nodes of a graph model, those of its functions included."""
    return [node for body in bodies(document) for node in body]


def operators(document):
    """Return the names of a graph model's operators."""
    return {node["op"] for node in nodes(document)}


def describe(folder):
    """Return converter, operators, inputs and outputs by name and tensor, and number of shards, as JSON values."""
    document = read_document(folder)
    signature = document["signature"]
    return {
        "converter": document["convertedBy"],
        "operators": dict(collections.Counter(node["op"] for node in nodes(document))),
        **{side: {name: end["name"] for name, end in signature[side].items()} for side in ("inputs", "outputs")},
        "shards": len([name for group in document["weightsManifest"] for name in group["paths"]]),
    }
