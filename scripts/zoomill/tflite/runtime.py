"""Running .tflite artifacts, with kernels that do not depend on the machine's cores if nothing else is asked for."""

import re
import warnings
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from zoomill.errors import UserError
from zoomill.tflite import micro
from zoomill.tflite.tflite_file import SIGNATURE

# Operators whose inputs are logits, and those that leave numbers as they are.
_ACTIVATIONS = {"SOFTMAX", "LOGISTIC"}
_CARRIERS = {"DEQUANTIZE", "QUANTIZE", "RESHAPE", "SQUEEZE", "EXPAND_DIMS"}
# Sets of kernels: LiteRT's by what its interpreter calls them, and those of TFLite Micro.
KERNELS = {
    "builtin": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    "reference": OpResolverType.BUILTIN_REF,
    "xnnpack": OpResolverType.BUILTIN,
    "micro": None,
}


class Artifact:
    """A .tflite file, run by LiteRT or TFLite Micro.

    Args:
        file: its path, or its bytes.
        kernels: ``builtin``, after a run of which the values of all tensors can be read from ``interpreter``;
            ``reference``, LiteRT's plainest; ``xnnpack``, what LiteRT takes where it can if nothing is said: on integer
            files it differs from the reference by up to 0.04 in a score; or ``micro``, TFLite Micro's.
        contract: of its graph; one that does not have the names of the file's signature has those of its tensors.
        threads: that LiteRT may use.

    Raises:
        RuntimeError, ValueError: when these kernels refuse the file.
    """

    def __init__(self, file, kernels="builtin", contract=None, threads=1):
        self.interpreter = interpreter = _interpreter(file, kernels, threads)
        interpreter.allocate_tensors()  # which gives the outputs of a custom operator their shapes
        names = interpreter.get_signature_list().get(SIGNATURE)
        known = contract is None or (names and {entry["name"] for entry in contract["outputs"]} <= {*names["outputs"]})
        self._key = "name" if names and known else "tensor"
        self._run = interpreter.get_signature_runner(SIGNATURE) if self._key == "name" else _by_tensor(interpreter)
        self._inputs, self._outputs = self._run.get_input_details(), self._run.get_output_details()

    def check(self, contract):
        """Refuse a contract that is not of this file.

        Raises:
            UserError: with a phrase for each name, number, dtype, shape and range that differs.
        """
        problems = []
        for side, details in (("inputs", self._inputs), ("outputs", self._outputs)):
            names = [entry[self._key] for entry in contract[side]]
            if sorted(names) == sorted(details):
                differ = (_differences(entry, details[entry[self._key]]) for entry in contract[side])
                problems += [phrase for phrases in differ for phrase in phrases]
            else:
                problems.append(f"its {side} are {', '.join(details)}, those of the contract {', '.join(names)}")
        if problems:
            raise UserError("; ".join(problems))

    def __call__(self, contract, feed):
        """Run the artifact once, by the numbers of its contract.

        Where the contract says float32, that are real ones whatever the file stores; where it has the dtype of the
        file's own integers, those integers.

        Args:
            contract: contract of its graph.
            feed: ``{input tensor: array}``, with or without the batch of one.

        Returns:
            ``{output name: array}``.
        """
        stored = {
            entry[self._key]: quantise(feed[entry["tensor"]].reshape(entry["shape"]), self._inputs[entry[self._key]])
            for entry in contract["inputs"]
        }
        found = self._run(**stored)
        return {
            entry["name"]: found[entry[self._key]]
            if _is_stored(entry, self._outputs[entry[self._key]])
            else dequantise(found[entry[self._key]], self._outputs[entry[self._key]])
            for entry in contract["outputs"]
        }

    def logits(self, contract):
        """Return what stood before the last activation of outputs in the last run, where the file has it.

        Args:
            contract: contract of its graph.

        Returns:
            ``{output name: float32 array}`` of the outputs that end in a softmax or sigmoid.
        """
        makers = {index: run for run in self.interpreter._get_ops_details() for index in run["outputs"]}
        details = {entry["index"]: entry for entry in self.interpreter.get_tensor_details()}
        found = {}
        for entry in contract["outputs"]:
            maker = makers.get(self._outputs[entry[self._key]]["index"])
            while maker and maker["op_name"] in _CARRIERS:
                maker = makers.get(maker["inputs"][0])
            if maker and maker["op_name"] in _ACTIVATIONS and entry.get("activation") in ("softmax", "sigmoid"):
                before = details[maker["inputs"][0]]
                found[entry["name"]] = dequantise(self.interpreter.get_tensor(before["index"]), before)
        return found

    def steps(self, contract):
        """Return what one step of each output's integers is worth, those behind a last DEQUANTIZE too.

        Args:
            contract: contract of its graph.

        Returns:
            ``{output name: scale in the contract's numbers}``, None for an output that is no integers by scale.
        """
        makers = {index: run for run in self.interpreter._get_ops_details() for index in run["outputs"]}
        details = {entry["index"]: entry for entry in self.interpreter.get_tensor_details()}
        found = {}
        for entry in contract["outputs"]:
            end = self._outputs[entry[self._key]]
            maker = makers.get(end["index"])
            before = details[maker["inputs"][0]] if maker and maker["op_name"] == "DEQUANTIZE" else end
            scale = float(before["quantization"][0])
            found[entry["name"]] = (1.0 if before is end and _is_stored(entry, end) else scale) if scale else None
        return found


def _interpreter(file, kernels, threads):
    if kernels == "micro":
        return micro.Interpreter(file if isinstance(file, bytes) else Path(file).read_bytes())
    content = {"model_content": file} if isinstance(file, bytes) else {"model_path": str(file)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that keeping all tensors takes memory
        return Interpreter(
            **content,
            experimental_op_resolver_type=KERNELS[kernels],
            experimental_preserve_all_tensors=kernels == "builtin",
            num_threads=threads,
        )


def _by_tensor(interpreter):
    """Return what runs a file without signature, such as TOCO's, and knows inputs and outputs by their tensors."""
    sides = interpreter.get_input_details(), interpreter.get_output_details()
    return micro.Runner(interpreter, *({detail["name"]: detail for detail in side} for side in sides))


def _is_stored(entry, details):
    """Tell whether the contract's numbers are those that the file stores."""
    return entry.get("dtype", "float32") == np.dtype(details["dtype"]).name


def _differences(entry, details):
    """Return one phrase for everything in which the contract's entry is not of an input or output of the file."""
    name, scale = entry["name"], details["quantization"][0]
    stored, said = np.dtype(details["dtype"]).name, entry.get("dtype", "float32")
    if stored != said and not (said == "float32" and scale):
        either = f"{stored}, or float32 for real numbers" if scale else stored
        return [f"{name} is {said} in the contract; the file takes {either}"]
    shape, promised = [int(size) for size in details["shape"]], entry.get("shape")
    if shape and promised is not None and shape != promised:
        return [f"{name} has the shape {shape}, in the contract {promised}"]
    if entry.get("value_range") and stored != said:
        return _range_difference(name, np.asarray(entry["value_range"], float), details)
    return []


def _range_difference(name, promised, details):
    """Return a phrase where less than half of what is fed fits an input's integers, or takes up less than half of them.

    A calibrated range is not exactly that of pictures, but another normalisation is far off.
    """
    scale, zero_point = details["quantization"]
    ends = np.iinfo(details["dtype"])
    low, high = (float(scale) * (end - zero_point) for end in (ends.min, ends.max))
    least, most = float(promised[0].min()), float(promised[1].max())
    shared = min(high, most) - max(low, least)
    if 2 * shared >= max(high - low, most - least):
        return []
    return [f"value_range of {name} is {least:g} to {most:g}; the file's integers stand for {low:.4g} to {high:.4g}"]


def refusal(error):
    """Return the first sentence of why a runtime refuses a file; LiteRT's follow each other without a blank."""
    return re.split(r"\n|\.(?=[A-Z])", str(error))[0]


def quantise(values, details):
    """Return real values as an input stores them: ``round(value / scale) + zero point``, cut at the dtype's ends.

    Args:
        values: array of real values, or of the input's own integers.
        details: what LiteRT says about the input; integers, and values without a scale (0), pass as they are.
    """
    scale, zero_point = details["quantization"]
    if not scale or values.dtype == details["dtype"]:
        return values
    ends = np.iinfo(details["dtype"])
    return np.clip(np.rint(values / scale) + zero_point, ends.min, ends.max).astype(details["dtype"])


def dequantise(values, details):
    """Return the real values, float32, that an output stores: ``scale * (value - zero point)``."""
    scale, zero_point = details["quantization"]
    return np.float32(scale) * (values.astype(np.float32) - np.float32(zero_point)) if scale else values
