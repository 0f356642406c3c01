"""Which weight of a TensorFlow.js model gets which dtype: the least error that fits a budget of bytes."""

import dataclasses
import math
import os
import tempfile

from zoomill import folders
from zoomill.tfjs import tfjs_model, tfjs_quantiser, tfjs_runtime

# At most so many runs, but every weight in every dtype on one input: more inputs hardly change the order of weights.
_RUNS = 1000
# The smallest weights that together have this share of all bytes stay in float32, and need no measuring.
_NEGLIGIBLE = 0.01
# From the smallest; float32 is what is left alone.
_BYTES = {"uint8": 1, "uint16": 2, "float16": 2, "float32": 4}


@dataclasses.dataclass(frozen=True)
class Measured:
    """What was measured.

    Attributes:
        errors: ``{weight: {dtype: error}}``: the mean over all outputs of the squared change relative to the output's
            own squares.
        inputs: how many inputs it was measured on.
        description: bytes of model.json at most.
    """

    errors: dict
    inputs: int
    description: int


@dataclasses.dataclass(frozen=True)
class Plan:
    """What was chosen.

    Attributes:
        patterns: ``{dtype: [pattern, …]}``, for :func:`zoomill.tfjs.tfjs_quantiser.quantise` or the converter itself.
        record: why, as JSON values.
    """

    patterns: dict
    record: dict


def measure(folder, contract, feeds, backend, library):
    """Return how far each weight in each dtype moves the outputs, as :class:`Measured`.

    Args:
        folder: the float32 model.
        contract: contract of its graph.
        feeds: list of ``{input tensor: array}``; as many are used as :data:`_RUNS` allows, one at least.
        backend, library: as for :func:`zoomill.tfjs.tfjs_runtime.run_golden`.
    """
    document = tfjs_model.read_document(folder)
    weights = tfjs_model.read_weights(folder, document)
    names = _worth_measuring(weights)
    with tempfile.TemporaryDirectory() as scratch:
        variants, description = {}, 0
        for dtype in tfjs_quantiser.DTYPES:
            variants[dtype] = os.path.join(scratch, dtype, tfjs_model.MODEL)
            os.mkdir(os.path.dirname(variants[dtype]))
            changed = {**document}
            quantised = [
                tfjs_quantiser.quantise_weight(weight, dtype) if weight.entry["name"] in names else weight
                for weight in weights
            ]
            tfjs_model.write_weights(os.path.dirname(variants[dtype]), changed, quantised, 1 << 30)
            tfjs_model.write_document(os.path.dirname(variants[dtype]), changed)
            description = max(description, os.path.getsize(variants[dtype]))
        used = feeds[: max(1, _RUNS // max(1, len(names) * len(variants)))]
        found = tfjs_runtime.sensitivity(folder, contract, used, variants, backend, library)
    errors = {}
    for dtype, changes in found["changes"].items():
        for name, squares in changes.items():
            parts = [square / (power or 1) for square, power in zip(squares, found["power"], strict=True)]
            errors.setdefault(name, {"float32": 0.0})[dtype] = sum(parts) / len(parts)
    return Measured(errors, len(used), description)


def _worth_measuring(weights):
    """Return the names of the float32 weights that are not negligible."""
    left = _NEGLIGIBLE * sum(len(weight.data) for weight in weights)
    names = set()
    for weight in sorted(weights, key=lambda weight: (len(weight.data), weight.entry["name"])):
        left -= len(weight.data)
        if left < 0 and weight.entry["dtype"] == "float32":
            names.add(weight.entry["name"])
    return names


def plan(folder, measured, budget):
    """Choose a dtype for every weight.

    Every weight starts as uint8. As long as the budget lasts, the weight is made larger that loses the most error for
    a byte; errors of weights are taken to add up, as they do while they are small.

    Args:
        folder: the float32 model.
        measured: what :func:`measure` returned.
        budget: largest share of the folder's bytes; where even uint8 takes more, all is uint8.

    Returns:
        :class:`Plan`.
    """
    errors, whole = measured.errors, folders.size(folder)
    weights = tfjs_model.read_weights(folder, tfjs_model.read_document(folder))
    sizes = {weight.entry["name"]: len(weight.data) for weight in weights}
    chosen = dict.fromkeys(errors, "uint8")
    allowed = math.floor(budget * whole) - measured.description
    used = sum(size // 4 if name in chosen else size for name, size in sizes.items())
    while step := _best_step(chosen, errors, sizes, allowed - used):
        name, dtype, cost = step
        chosen[name] = dtype
        used += cost
    patterns = {}
    for name, dtype in sorted(chosen.items()):
        if dtype != "float32":
            patterns.setdefault(dtype, []).append(_pattern(name))
    record = {
        "budget": budget,
        "bytes": used + measured.description,
        "float32_bytes": whole,
        "inputs": measured.inputs,
        "patterns": patterns,
        "expected_error": _rounded(sum(errors[name][dtype] for name, dtype in chosen.items())),
        "uint8_error": _rounded(sum(error["uint8"] for error in errors.values())),
        "weights": {
            name: {"dtype": chosen[name], "error": {key: _rounded(value) for key, value in errors[name].items()}}
            for name in sorted(chosen)
        },
    }
    return Plan(patterns, record)


def _best_step(chosen, errors, sizes, left):
    """Return the weight to make larger, its new dtype and the bytes it costs; None when nothing fits or helps."""
    best = None
    for name in sorted(chosen):
        for dtype, bytes_each in _BYTES.items():
            cost = sizes[name] // 4 * (bytes_each - _BYTES[chosen[name]])
            gain = errors[name][chosen[name]] - errors[name][dtype]
            if 0 < cost <= left and gain > 0 and (best is None or gain / cost > best[0]):
                best = gain / cost, (name, dtype, cost)
    return best and best[1]


def _pattern(name):
    """Return the converter's pattern that matches a name and nothing else."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _rounded(value):
    return float(f"{value:.3g}")
