"""Whether a quantised .tflite file computes what the float file does that it was derived from.

Outputs alone cannot tell: what rounding does to them hides a wrong weight. So the operators are walked side by side,
those that only change the type of numbers left out, and every constant must be the float one to within its rounding.
"""

import itertools

import numpy as np

from zoomill.proof.rounding import FLOAT16
from zoomill.tflite import tflite_file

_CASTS = {"QUANTIZE", "DEQUANTIZE"}
# What a quantiser may set in an operator's options.
_OF_TYPES = {"asymmetricQuantizeInputs", "quantizedBiasType", "weightsFormat"}
# Largest difference in steps of a scale, and relative to the number: a half, and what float32 leaves of it.
_STEPS, _FLOAT32 = 0.51, 2.0**-22
# What the zero point's rounding and a softmax, whose largest integer stands for 1 - scale, leave of a range, in steps.
_RANGE_STEPS = 1.01


def differences(exact, model):
    """Return one phrase for every operator in which a file differs from the float file other than by rounding.

    Args:
        exact, model: ``ModelT`` of :mod:`zoomill.tflite.tflite_file`.

    Returns:
        Phrases, and ``{"constants": …, "largest_step": …}``: how many constants were compared, and how far any integer
        is from its float, in steps of its scale.
    """
    phrases, figures = [], {"constants": 0, "largest_step": 0.0}
    if len(exact.subgraphs) != len(model.subgraphs):
        return [f"has {len(model.subgraphs)} subgraphs, the float file {len(exact.subgraphs)}"], figures
    for number in range(len(exact.subgraphs)):
        sides = _Side(exact, number), _Side(model, number)
        kinds = [[side.kind(operator) for operator in side.operators] for side in sides]
        if kinds[0] != kinds[1]:
            pairs = enumerate(itertools.zip_longest(*kinds, fillvalue="nothing"), 1)
            place, (wanted, found) = next((place, pair) for place, pair in pairs if pair[0] != pair[1])
            return [f"operator {place} is {found}, in the float file {wanted}"], figures
        for place, pair in enumerate(zip(sides[0].operators, sides[1].operators, strict=True), 1):
            where = f"{kinds[0][place - 1]} {place}"
            phrases += [f"{where}: {phrase}" for phrase in _of_operator(*sides, *pair, figures)]
        ends = [[side.origin(int(index)) for index in side.graph.outputs] for side in sides]
        if ends[0] != ends[1]:
            phrases.append("the outputs come from other operators than in the float file")
    return phrases, {**figures, "largest_step": round(figures["largest_step"], 3)}


def cut_ranges(model, ranges):
    """Return one phrase for every activation whose integers do not reach as far as its calibration.

    Args:
        model: ``ModelT`` of :mod:`zoomill.tflite.tflite_file`.
        ranges: ``{tensor: [smallest, largest]}`` of the float file, as in calibration.json.
    """
    phrases = []
    for tensor in (tensor for graph in model.subgraphs for tensor in graph.tensors):
        name = tensor.name.decode()
        wanted = ranges.get(name) or ranges.get(name.removesuffix("_quantized"))
        if wanted is None or not tflite_file.is_quantised(tensor):
            continue
        ends = tflite_file.ends(tensor)
        step = float(tensor.quantization.scale[0])
        if max(ends[0] - wanted[0], wanted[1] - ends[1]) > _RANGE_STEPS * step:
            cut, whole = (f"{low:.4g} to {high:.4g}" for low, high in (ends, wanted))
            phrases.append(f"{name} goes from {cut}, but from {whole} in its calibration")
    return phrases


class _Side:
    """One subgraph of one of the two files."""

    def __init__(self, model, number):
        self.model, self.graph = model, model.subgraphs[number]
        names = [tflite_file.operator_name(model, operator) for operator in self.graph.operators]
        pairs = list(zip(self.graph.operators, names, strict=True))
        self.operators = [operator for operator, name in pairs if name not in _CASTS]
        self._makers = {
            int(index): (place, output)
            for place, operator in enumerate(self.operators)
            for output, index in enumerate(operator.outputs)
        }
        self._casts = {int(o.outputs[0]): int(o.inputs[0]) for o, name in pairs if name in _CASTS}
        self._inputs = {int(index): place for place, index in enumerate(self.graph.inputs)}

    def kind(self, operator):
        return tflite_file.operator_name(self.model, operator)

    def source(self, index):
        """Return the tensor that a tensor is the same as but for its type."""
        while index in self._casts:
            index = self._casts[index]
        return index

    def origin(self, index):
        """Return what makes a tensor: an operator's output, an input, a constant, or nothing."""
        index = self.source(index)
        if index in self._makers:
            return self._makers[index]
        return ("input", self._inputs[index]) if index in self._inputs else "constant" if index >= 0 else "nothing"

    def constant(self, index):
        """Return tensor, stored numbers and real numbers of a constant."""
        tensor = self.graph.tensors[self.source(index)]
        stored = tflite_file.constant(self.model, tensor)
        return tensor, stored, tflite_file.real(tensor, stored)


def _of_operator(exact, quantised, wanted, found, figures):
    options = [tflite_file.plain(operator.builtinOptions) or {} for operator in (wanted, found)]
    changed = [key for key in options[0] if key not in _OF_TYPES and options[0][key] != options[1].get(key)]
    phrases = [f"{key} is {options[1].get(key)} instead of {options[0][key]}" for key in changed]
    if tflite_file.plain(wanted.customOptions) != tflite_file.plain(found.customOptions):
        phrases.append("has other custom options")
    tensors = [[int(index) for index in operator.inputs] for operator in (wanted, found)]
    origins = [list(map(side.origin, indices)) for side, indices in zip((exact, quantised), tensors, strict=True)]
    if origins[0] != origins[1]:
        return [*phrases, "reads other tensors than in the float file"]
    phrases += _of_bias(quantised, found)
    for index, twin, origin in zip(*tensors, origins[0], strict=True):
        if origin == "constant":
            figures["constants"] += 1
            phrases += _of_constant(exact.constant(index), quantised.constant(twin), figures)
    return phrases


def _of_bias(side, operator):
    """Kernels add the bias in steps of activation by weight, whatever scale it says."""
    places = tflite_file.BIASED.get(side.kind(operator), ())
    if not places or len(operator.inputs) <= places[-1] or operator.inputs[places[-1]] < 0:
        return []
    activation, weights, bias = (side.graph.tensors[int(operator.inputs[place])] for place in places)
    if not all(map(tflite_file.is_quantised, (activation, weights, bias))):
        return []
    scales = [np.asarray(tensor.quantization.scale, np.float64) for tensor in (activation, weights, bias)]
    same = np.allclose(scales[0] * scales[1], scales[2], rtol=1e-4, atol=0)
    return [] if same else [f"{bias.name.decode()} has another scale than activation by weights"]


def _of_constant(exact, found, figures):
    (wanted, _, numbers), (tensor, stored, values) = exact, found
    name = wanted.name.decode()
    if numbers.shape != values.shape:
        return [f"{name} has shape {list(values.shape)} instead of {list(numbers.shape)}"]
    difference = np.abs(values - numbers)
    if np.issubdtype(stored.dtype, np.floating) or not tflite_file.is_quantised(tensor):
        relative, absolute = FLOAT16 if stored.dtype == np.float16 else (0.0, 0.0)
        wrong = ~(difference <= np.abs(numbers) * relative + absolute)
        return [f"{int(wrong.sum())} of {wrong.size} values of {name} differ"] if wrong.any() else []
    steps = (difference - np.abs(numbers) * _FLOAT32) / tflite_file.steps(tensor, stored.shape)
    largest = float(steps.max(initial=0))
    figures["largest_step"] = max(figures["largest_step"], largest)
    return [] if largest <= _STEPS else [f"{name} is up to {largest:.3g} steps of its scale off"]
