"""Running .tflite artifacts on LiteRT with kernels that do not depend on the machine's cores."""

import warnings

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from zoomill.tflite.tflite_file import SIGNATURE

# Operators whose inputs are logits, and those that leave numbers as they are.
_ACTIVATIONS = {"SOFTMAX", "LOGISTIC"}
_CARRIERS = {"DEQUANTIZE", "QUANTIZE", "RESHAPE", "SQUEEZE", "EXPAND_DIMS"}
KERNELS = {"builtin": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES, "xnnpack": OpResolverType.BUILTIN}


class Artifact:
    """A .tflite file, run by LiteRT on one thread.

    Args:
        file: its path, or its bytes.
        kernels: ``builtin``, after a run of which the values of all tensors can be read from ``interpreter``; or
            ``xnnpack``, what LiteRT takes where it can if nothing is said: on integer files it differs from the
            reference by up to 0.04 in a score.
    """

    def __init__(self, file, kernels="builtin"):
        content = {"model_content": file} if isinstance(file, bytes) else {"model_path": str(file)}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that keeping all tensors takes memory
            self.interpreter = interpreter = Interpreter(
                **content,
                experimental_op_resolver_type=KERNELS[kernels],
                experimental_preserve_all_tensors=kernels == "builtin",
                num_threads=1,
            )
        self._key = "name" if SIGNATURE in interpreter.get_signature_list() else "tensor"
        self._run = interpreter.get_signature_runner(SIGNATURE) if self._key == "name" else _ByTensor(interpreter)
        self._inputs, self._outputs = self._run.get_input_details(), self._run.get_output_details()

    def __call__(self, contract, feed):
        """Run the artifact once, by the numbers of its contract whatever the file stores.

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
        names = [(entry["name"], entry[self._key]) for entry in contract["outputs"]]
        return {name: dequantise(found[key], self._outputs[key]) for name, key in names}

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


class _ByTensor:
    """Runs a file without signature, such as TOCO's, and knows its inputs and outputs by their tensors."""

    def __init__(self, interpreter):
        interpreter.allocate_tensors()
        self._interpreter = interpreter

    def get_input_details(self):
        return {detail["name"]: detail for detail in self._interpreter.get_input_details()}

    def get_output_details(self):
        return {detail["name"]: detail for detail in self._interpreter.get_output_details()}

    def __call__(self, **values):
        for name, detail in self.get_input_details().items():
            self._interpreter.set_tensor(detail["index"], values[name])
        self._interpreter.invoke()
        return {
            name: self._interpreter.get_tensor(detail["index"]) for name, detail in self.get_output_details().items()
        }


def quantise(values, details):
    """Return real values as an input stores them: ``round(value / scale) + zero point``, cut at the dtype's ends.

    Args:
        values: array of real values, or of the integers of an input that is not quantised.
        details: what LiteRT says about the input; without a scale (0), values pass as they are.
    """
    scale, zero_point = details["quantization"]
    if not scale:
        return values
    ends = np.iinfo(details["dtype"])
    return np.clip(np.rint(values / scale) + zero_point, ends.min, ends.max).astype(details["dtype"])


def dequantise(values, details):
    """Return the real values, float32, that an output stores: ``scale * (value - zero point)``."""
    scale, zero_point = details["quantization"]
    return np.float32(scale) * (values.astype(np.float32) - np.float32(zero_point)) if scale else values
