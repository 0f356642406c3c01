"""Calibration: the range of every tensor of a float .tflite file on given inputs."""

import math

import numpy as np

from zoomill import files
from zoomill.errors import UserError
from zoomill.graph import golden_inputs
from zoomill.inputs.samples import read_index
from zoomill.tflite import quantisable, tflite_file
from zoomill.tflite.inner_tensors import InnerTensors

# Ranges are rounded outwards to so many digits: kernels of different CPUs differ behind the fifth.
DIGITS = 4
# Inputs drawn where the card asks for random calibration, by seeds that golden inputs never have.
_RANDOM, _FIRST_SEED = 16, 1_000_000


def feeds(samples, contract):
    """Return the number of samples, and an iterable of ``{input tensor: array}``.

    Args:
        samples: :class:`zoomill.inputs.sample_inputs.Samples`; None draws the inputs.
        contract: contract of the graph.

    Raises:
        UserError: see :func:`check_inputs`.
    """
    if not samples:
        return _RANDOM, _drawn(contract["inputs"])
    made = (feed for _, _, feeds in samples.feeds(contract["inputs"]) for feed in feeds)
    return len(read_index(samples.path)), check_inputs(contract, made)


def _drawn(inputs):
    """Yield inputs that are drawn as golden ones are, but others: they fill the value range."""
    for seed in range(_FIRST_SEED, _FIRST_SEED + _RANDOM):
        found = golden_inputs.draw(inputs, seed)
        yield {promise["tensor"]: found[promise["name"]] for promise in inputs}


def ranges(path, contract, feeds):
    """Return ``{tensor: [smallest, largest]}`` of all float activations, weights excepted.

    Args:
        path: float32 .tflite file.
        contract: contract of its graph.
        feeds: iterable of ``{input tensor: array}``.

    Raises:
        UserError: when there are no feeds, a tensor is not finite, or the file cannot be calibrated.
    """
    found = joined(of_each(path, contract, feeds))
    if not found:
        raise UserError(f"{path}: there are no samples to calibrate with")
    return rounded(found)


def of_each(path, contract, feeds):
    """Yield, for each of the feeds, ``{tensor: (smallest, largest)}``; both hold 0. Arguments as for :func:`ranges`.

    Raises:
        UserError: when a tensor is not finite, or the file cannot be calibrated.
    """
    quantisable.check(path, tflite_file.read(path), calibrated=True)
    interior = InnerTensors(path)
    for feed in feeds:
        found = {}
        for name, values in interior(contract, feed).items():
            low, high = float(values.min(initial=0)), float(values.max(initial=0))
            if not (math.isfinite(low) and math.isfinite(high)):
                raise UserError(f"{path}: the tensor {name} is not finite on a calibration sample")
            found[name] = low, high
        yield found


def joined(several):
    """Return the smallest ``{tensor: (smallest, largest)}`` that hold several such ranges, nothing of none."""
    result = {}
    for found in several:
        for name, (low, high) in found.items():
            before = result.get(name, (math.inf, -math.inf))
            result[name] = min(low, before[0]), max(high, before[1])
    return result


def rounded(ranges):
    """Return ranges as files are made of them, ``{tensor: [smallest, largest]}``, rounded outwards."""
    return {name: [_outwards(low, math.floor), _outwards(high, math.ceil)] for name, (low, high) in ranges.items()}


def read_ranges(path, exact):
    """Return ``{tensor: [smallest, largest]}`` of a calibration.json.

    Raises:
        UserError: when it was made from another float file than ``exact``.
    """
    document = files.read_json(path)
    if document["float_sha256"] != files.digest(exact):
        raise UserError(f"{path}: was made from another file than {exact}; delete it")
    return document["ranges"]


def _outwards(value, direction):
    """Round to :data:`DIGITS` significant digits in a direction (``math.floor`` or ``math.ceil``)."""
    if value == 0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(abs(value))) - DIGITS + 1)
    return float(f"{direction(value / step) * step:.{DIGITS}g}")


def check_inputs(contract, feeds):
    """Yield the feeds on; after the last, refuse those that cannot have been made for this contract.

    An input with a value range must be filled: values outside of it, or none in one of its outer quarters, come from
    another normalisation, such as 0 to 1 for a model that wants -1 to 1.

    Raises:
        UserError: naming the input, its range, and what was found.
    """
    seen = {}
    for feed in feeds:
        for name, values in feed.items():
            low, high = seen.get(name, (math.inf, -math.inf))
            seen[name] = min(low, float(values.min())), max(high, float(values.max()))
        yield feed
    for entry in contract["inputs"]:
        if entry.get("value_range") is None or entry["tensor"] not in seen:
            continue
        low, high = (float(np.min(entry["value_range"][0])), float(np.max(entry["value_range"][1])))
        least, most = seen[entry["tensor"]]
        slack = (high - low) * 1e-3
        quarter = (high - low) / 4
        if least < low - slack or most > high + slack or least > low + quarter or most < high - quarter:
            raise UserError(
                f"{entry['name']} goes from {low:g} to {high:g}, the calibration samples from {least:g} to {most:g}: "
                "they were normalised in another way; check the data set's reader and the card's value_range"
            )
