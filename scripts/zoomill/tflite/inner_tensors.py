"""What stands in the tensors between the ends of a .tflite file."""

import typing
import warnings

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from zoomill.tflite.runtime import dequantise, quantise


class Operator(typing.NamedTuple):
    """An operator of a file: its kind, ``CONV_2D`` say, and the names of its tensors."""

    kind: str
    inputs: list
    outputs: list


class InnerTensors:
    """A .tflite file whose activations can all be read, run by LiteRT's built-in kernels on one thread.

    Args:
        path: a file with one subgraph, whose inputs are in the contract's order.

    Attributes:
        tensors: ``{tensor name: what LiteRT says of it}`` of all inputs and activations; where an integer tensor and
            its float copy share a name, as at the outputs of an int8 file, the integer one.
        operators: every :class:`Operator`, in the order they run.
    """

    def __init__(self, path):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that keeping all tensors takes memory
            self._interpreter = Interpreter(
                str(path),
                experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
                experimental_preserve_all_tensors=True,
                num_threads=1,
            )
        self._interpreter.allocate_tensors()
        self._inputs = self._interpreter.get_input_details()
        everything = {details["index"]: details for details in self._interpreter.get_tensor_details()}
        runs = self._interpreter._get_ops_details()

        def names(indices):
            return [everything[index]["name"] for index in indices if index >= 0]

        self.operators = [Operator(run["op_name"], names(run["inputs"]), names(run["outputs"])) for run in runs]
        made = {details["index"] for details in self._inputs}
        made.update(index for run in runs for index in run["outputs"])
        kept = [
            details
            for index, details in everything.items()
            if index in made and (details["dtype"] == np.float32 or details["quantization"][0])
        ]
        kept.sort(key=lambda details: details["dtype"] != np.float32)
        self.tensors = {details["name"]: details for details in kept}

    def makers(self):
        """Return ``{tensor name: (place, operator)}``, what makes it; the :class:`Operator` of an input has place 0."""
        made = {name: (place, run) for place, run in enumerate(self.operators, 1) for name in run.outputs}
        return {name: made.get(name, (0, Operator("input", [], [name]))) for name in self.tensors}

    def __call__(self, contract, feed):
        """Run the file once.

        Args:
            contract: contract of its graph.
            feed: ``{input tensor: array}``.

        Returns:
            ``{tensor name: float32 array}`` of all inputs and activations, integers dequantised.
        """
        for entry, details in zip(contract["inputs"], self._inputs, strict=True):
            values = np.asarray(feed[entry["tensor"]]).reshape(entry["shape"])
            self._interpreter.set_tensor(details["index"], quantise(values, details))
        self._interpreter.invoke()
        return {
            name: dequantise(self._interpreter.get_tensor(details["index"]), details)
            for name, details in self.tensors.items()
        }
