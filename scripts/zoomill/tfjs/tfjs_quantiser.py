"""Quantised variants of TensorFlow.js models, without TensorFlow: the bytes that its converter would write."""

import fnmatch
import os
import shutil

import numpy as np

from zoomill import folders
from zoomill.errors import UserError
from zoomill.tfjs import tfjs_model
from zoomill.tfjs.tfjs_model import Weight

DTYPES = ("float16", "uint16", "uint8")


def write_variant(exact, patterns, shard_bytes, output):
    """Write the folder of a quantised variant.

    Args:
        exact: folder of the float32 model.
        patterns: as for :func:`quantise`.
        shard_bytes: size of every shard but the last.
        output: folder to make; what stands there is replaced.
    """
    document = tfjs_model.read_document(exact)
    quantised = quantise(tfjs_model.read_weights(exact, document), patterns)
    with folders.written(output) as folder:
        tfjs_model.write_weights(folder, document, quantised, shard_bytes)
        tfjs_model.write_document(folder, document)
        operators = os.path.join(exact, tfjs_model.OPERATORS)
        if os.path.exists(operators):
            shutil.copy(operators, folder)


def quantise(weights, patterns):
    """Return weights with those of float32 quantised whose names match.

    Args:
        weights: :class:`zoomill.tfjs.tfjs_model.Weight` list of a model in float32.
        patterns: ``{dtype of DTYPES: [pattern, …]}``, patterns as the converter's ``--quantize_uint8`` takes them:
            ``*`` stands for anything.

    Raises:
        UserError: when two dtypes match one weight, or a pattern matches none.
    """
    names = [weight.entry["name"] for weight in weights]
    chosen = {}
    for dtype, listed in patterns.items():
        for pattern in listed:
            matches = fnmatch.filter(names, pattern)
            if not matches:
                raise UserError(f"the pattern {pattern} for {dtype} matches no weight")
            for name in matches:
                if chosen.setdefault(name, dtype) != dtype:
                    raise UserError(f"the weight {name} matches a pattern for {chosen[name]} and one for {dtype}")
    return [
        quantise_weight(weight, chosen[weight.entry["name"]]) if weight.entry["name"] in chosen else weight
        for weight in weights
    ]


def quantise_weight(weight, dtype):
    """Return a weight in another dtype; one that is not float32, or has no values, stays as it is.

    What is stored stands for ``min + scale * value``; where zero is between the ends, it is stored exactly
    (tensorflowjs/quantization.py, whose order of operations this keeps).
    """
    entry = weight.entry
    if entry["dtype"] != "float32" or not weight.data:
        return weight
    values = np.frombuffer(weight.data, "<f4")
    note = {"dtype": dtype, "original_dtype": "float32"}
    if dtype == "float16":
        with np.errstate(over="ignore"):
            stored = values.astype("<f2")
    else:
        stored, low, scale = _affine(values, np.dtype(dtype))
        note |= {"min": float(low), "scale": float(scale)}
    return Weight({**entry, "quantization": note}, stored.tobytes())


def _affine(values, dtype):
    """Return stored values, least value and step of a quantisation between the ends of ``values``."""
    low, high = values.min().astype(np.float64), values.max().astype(np.float64)
    if low == high:
        return np.zeros_like(values, dtype), low, 1.0
    steps = np.iinfo(dtype).max
    scale = (high - low) / steps
    if low <= 0 <= high:
        low = -np.round((0 - low) / scale) * scale
        high = steps * scale + low
    return np.round((values.clip(low, high) - low) / scale).astype(dtype), low, scale
