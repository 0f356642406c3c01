"""Quantised variants of TensorFlow.js models, without TensorFlow: the bytes that its converter would write."""

import fnmatch

import numpy as np

from zoomill.errors import UserError
from zoomill.tfjs_model import Weight

DTYPES = ("float16", "uint16", "uint8")


def quantise(weights, patterns):
    """Return weights with those of float32 quantised whose names match.

    Args:
        weights: :class:`zoomill.tfjs_model.Weight` list of a model in float32.
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


def expanded(weight):
    """Return the float32 bytes that TensorFlow.js makes of a weight when it loads a model."""
    if "quantization" not in weight.entry:
        return weight.data
    note = weight.entry["quantization"]
    values = np.frombuffer(weight.data, np.dtype(note["dtype"]).newbyteorder("<"))
    if "scale" in note:
        values = values * note["scale"] + note["min"]
    return values.astype("<f4").tobytes()
