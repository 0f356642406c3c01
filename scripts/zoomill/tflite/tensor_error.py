"""How far each tensor of a quantised .tflite file is from the same tensor of the float file."""

import math
import re

import numpy as np

from zoomill.errors import UserError
from zoomill.tflite.inner_tensors import InnerTensors

# An exact tensor has this signal-to-quantisation-noise ratio in dB, an all wrong one its negative.
EXACT = 120.0
# ai-edge-quantizer keeps a tensor's name for float values and ends that of their integer copy so.
_COPY = "_quantized"


class Error:
    """Error of one tensor, summed up over samples.

    Args:
        scale: of the quantised tensor; 0 where it is stored in float.
        zero_point: integer that stands for 0.
        dtype: of the quantised tensor.
    """

    def __init__(self, scale, zero_point, dtype):
        self._scale = scale
        if scale:
            ends = np.iinfo(dtype)
            self._ends = [scale * (end - zero_point) for end in (ends.min, ends.max)]
        self._count = self._signal = self._noise = self._clipped = 0
        self._exact, self._found = [math.inf, -math.inf], [math.inf, -math.inf]

    def add(self, exact, found):
        """Count one sample.

        Args:
            exact: float32 array, the values of the float file.
            found: array of the same number of values, those of the quantised file, dequantised.
        """
        exact, found = exact.ravel().astype(np.float64), found.ravel().astype(np.float64)
        self._count += exact.size
        self._signal += np.square(exact).sum()
        self._noise += np.square(exact - found).sum()
        for ends, values in ((self._exact, exact), (self._found, found)):
            ends[:] = min(ends[0], values.min()), max(ends[1], values.max())
        if self._scale:
            low, high = self._ends
            self._clipped += ((exact < low - self._scale / 2) | (exact > high + self._scale / 2)).sum()

    @property
    def sqnr(self):
        """Signal-to-quantisation-noise ratio in dB: ``10 log10(sum of float^2 / sum of (float - quantised)^2)``."""
        return decibels(self._noise, self._signal)

    def figures(self):
        """Return the figures as JSON values.

        Returns:
            ``sqnr``; ``float_range``, smallest and largest float value; of integers also ``range``, the smallest and
            largest value that can be stored, ``range_used``, the share of it that the quantised values fill,
            ``clipped``, the share of float values outside of it, and ``rmse_by_scale``, the root of the mean squared
            error in steps of the scale: 0.29 (one by the root of 12) is that of rounding alone.
        """
        result = {"sqnr": round(self.sqnr, 2), "float_range": [_short(end) for end in self._exact]}
        if self._scale:
            low, high = self._ends
            result["range"] = [_short(low), _short(high)]
            result["range_used"] = _short((self._found[1] - self._found[0]) / (high - low))
            result["clipped"] = _short(self._clipped / self._count)
            result["rmse_by_scale"] = _short(math.sqrt(self._noise / self._count) / self._scale)
        return result


def decibels(noise, signal):
    """Return the ratio of two powers in dB, within :data:`EXACT` of 0."""
    if noise == 0 or signal == 0:
        return EXACT if noise == 0 else -EXACT
    return float(np.clip(10 * np.log10(signal / noise), -EXACT, EXACT))


def compare(exact, quantised, contract, feeds):
    """Compare the activations of two files on the same inputs.

    Args:
        exact: path of the float32 file.
        quantised: path of the quantised file of the same graph.
        contract: contract of the graph.
        feeds: iterable of ``{input tensor: array}``.

    Returns:
        ``samples``, their number; ``tensors``, worst first, each with ``tensor``, ``operator`` that makes it, its
        ``place`` among the operators (0: an input), ``dtype``, ``sqnr_lost``, how many dB less it has than the worst
        tensor that it is made from (None of an input), and :meth:`Error.figures`; ``unmatched``, the float tensors
        without a twin in the other file.

    Raises:
        UserError: when there are no feeds, or no tensor has a twin.
    """
    exact, quantised, count = InnerTensors(exact), InnerTensors(quantised), 0
    twins = match(exact.tensors, quantised.tensors)
    if not twins:
        raise UserError("the two files have no tensor in common")
    errors = {
        name: Error(*quantised.tensors[twin]["quantization"], quantised.tensors[twin]["dtype"])
        for name, twin in twins.items()
    }
    for feed in feeds:
        values, others = exact(contract, feed), quantised(contract, feed)
        for name, twin in twins.items():
            errors[name].add(values[name], others[twin])
        count += 1
    if not count:
        raise UserError("there are no samples to compare tensors on")
    makers, rows = exact.makers(), []
    for name, error in errors.items():
        place, maker = makers[name]
        before = [errors[given].sqnr for given in maker.inputs if given in errors]
        rows.append(
            {
                "tensor": name,
                "operator": maker.kind,
                "place": place,
                "dtype": np.dtype(quantised.tensors[twins[name]]["dtype"]).name,
                "sqnr_lost": round(min(before) - error.sqnr, 2) if before else None,
                **error.figures(),
            }
        )
    rows.sort(key=lambda row: (row["sqnr"], row["place"]))
    return {"samples": count, "tensors": rows, "unmatched": sorted(set(exact.tensors) - set(twins))}


def match(exact, quantised):
    """Return ``{tensor of the float file: its twin}``, by name and size.

    The integer copy of a tensor is preferred to the tensor itself, because it is what later operators read. Where the
    name is unknown it is tried without a number at its end, which :func:`tflite_file.simplify_names` may have
    added and another converter's file then lacks.

    Args:
        exact, quantised: :attr:`zoomill.tflite.inner_tensors.InnerTensors.tensors` of the two files.
    """
    twins = {}
    for name, details in exact.items():
        base = re.sub(r"_[0-9]+$", "", name)
        size = np.prod(details["shape"])
        fitting = {twin for twin in (name, name + _COPY, base) if twin in quantised}
        fitting = {twin for twin in fitting if np.prod(quantised[twin]["shape"]) == size}
        if there := [twin for twin in (name, name + _COPY) if twin in fitting]:
            twins[name] = max(there, key=lambda twin: bool(quantised[twin]["quantization"][0]))
        elif base in fitting and base not in exact:
            twins[name] = base
    return twins


def _short(value):
    """Round to 4 significant digits: kernels of different CPUs differ behind the fifth."""
    return float(f"{value:.4g}")
