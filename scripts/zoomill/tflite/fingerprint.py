"""What an artifact must be to count as the same again."""

import hashlib
import json

import numpy as np

from zoomill import files
from zoomill.tflite import metadata, tflite_file


def of_tflite(path):
    """Return the fingerprint of a .tflite file.

    Returns:
        ``sha256`` of the bytes; ``stripped``, that of the bytes without TFLite metadata; ``canonical``, a digest of
        the operators, their options, tensors and weights, without names, order of buffers and metadata; ``tensors``,
        the first 8 hex digits of the digest of every constant, in the order of the file.
    """
    with open(path, "rb") as file:
        plain = metadata.stripped(file.read(), path)
    model = tflite_file.parse(plain, path)
    return {
        "sha256": files.digest(path),
        "stripped": hashlib.sha256(plain).hexdigest(),
        "canonical": _canonical(model),
        "tensors": " ".join(digest for _, digest in _constants(model)),
    }


def compare(locked, path, within_limits):
    """Say how the file at ``path`` stands to a locked fingerprint.

    Args:
        locked: what :func:`of_tflite` returned when the lock was written.
        path: the artifact built now.
        within_limits: whether its outputs keep the limits of its variant.
    """
    found = of_tflite(path)
    if found["sha256"] == locked["sha256"]:
        return "identical"
    if found["stripped"] == locked["stripped"]:
        return "identical but for metadata"
    if found["canonical"] == locked["canonical"]:
        return "canonically identical"
    verdict = "numerically equivalent" if within_limits else "different"
    return f"{verdict}; {_first_difference(locked, path)}"


def _first_difference(locked, path):
    before = locked["tensors"].split()
    now = _constants(tflite_file.read(path))
    for old, (name, new) in zip(before, now, strict=False):
        if old != new:
            return f"the first tensor that differs is {name}"
    if len(before) != len(now):
        return f"it has {len(now)} constants instead of {len(before)}"
    return "all constants are the same, the operators differ"


def _constants(model):
    """Return ``[(name, short digest), …]`` of all tensors with stored values, in the order of the file."""
    return [
        (tensor.name.decode(), _digest(model, tensor)[:8])
        for tensor in model.subgraphs[0].tensors
        if model.buffers[tensor.buffer].data is not None
    ]


def _digest(model, tensor):
    return hashlib.sha256(np.asarray(model.buffers[tensor.buffer].data, np.uint8).tobytes()).hexdigest()


def _canonical(model):
    """Return the digest of everything in the main graph that a runtime computes with."""
    graph = model.subgraphs[0]

    # Numbered as they first occur, so that the wiring counts and their order in the file does not.
    numbers = {}

    def tensor(index):
        if index < 0:
            return None
        number = numbers.setdefault(index, len(numbers))
        stored = graph.tensors[index]
        data = model.buffers[stored.buffer].data
        value = None if data is None else _digest(model, stored)
        return [number, stored.type, tflite_file.plain(stored.shape), tflite_file.plain(stored.quantization), value]

    inputs = [tensor(int(index)) for index in graph.inputs]
    steps = [
        [
            tflite_file.operator_name(model, operator),
            tflite_file.plain(operator.builtinOptions),
            tflite_file.plain(operator.customOptions),
            [tensor(int(index)) for index in operator.inputs],
            [tensor(int(index)) for index in operator.outputs],
        ]
        for operator in graph.operators
    ]
    outputs = [tensor(int(index)) for index in graph.outputs]
    return hashlib.sha256(json.dumps([inputs, steps, outputs], sort_keys=True).encode()).hexdigest()
