"""TFLite files as sources: as an ONNX model made by tf2onnx, and as a function run by LiteRT."""

import dataclasses

import numpy as np

from zoomill import tflite_file
from zoomill.errors import UserError
from zoomill.names import contract_names


@dataclasses.dataclass(frozen=True)
class End:
    """An input or output of a TFLite file.

    Attributes:
        name: what the contract calls it: its name in the signature, else the tensor's.
        tensor: the tensor's name.
        index: its number.
        dtype: NumPy dtype.
        shape: sizes.
        scale, zero_point: of an integer tensor that stands for real numbers; scale 0 for any other.
    """

    name: str
    tensor: str
    index: int
    dtype: type
    shape: tuple
    scale: float
    zero_point: int

    def quantised(self, array):
        """Return real numbers as the tensor holds them."""
        if not self.scale:
            return array.astype(self.dtype)
        limits = np.iinfo(self.dtype)
        return np.clip(np.round(array / self.scale) + self.zero_point, limits.min, limits.max).astype(self.dtype)

    def real(self, array):
        """Return what the tensor holds as real numbers."""
        return np.float32(self.scale) * (array.astype(np.float32) - self.zero_point) if self.scale else array


class Source:
    """A TFLite file, run by LiteRT's built-in kernels on one thread.

    Args:
        path: .tflite file.
        output_tensors: ``{contract name: tensor}`` to end the model elsewhere than at its outputs; empty for these.

    Raises:
        UserError: when the file is damaged, or does not have a tensor.
    """

    def __init__(self, path, output_tensors):
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        self.path = path
        self._model = tflite_file.read(path)
        try:
            self._interpreter = Interpreter(
                path,
                experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
                num_threads=1,
                experimental_preserve_all_tensors=bool(output_tensors),
            )
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise UserError(f"{path}: LiteRT cannot run it: {str(error).splitlines()[0]}") from error
        signatures = self._interpreter._get_full_signature_list()
        (signature,) = list(signatures.values()) if len(signatures) == 1 else [{"inputs": {}, "outputs": {}}]
        self.inputs = self._ends(self._interpreter.get_input_details(), signature["inputs"])
        if output_tensors:
            self.outputs = self._named(output_tensors)
        else:
            self.outputs = self._ends(self._interpreter.get_output_details(), signature["outputs"])

    def _ends(self, details, signature):
        names = {index: name for name, index in signature.items()}
        chosen = [names.get(detail["index"], detail["name"]) for detail in details]
        return [_end(name, detail) for name, detail in zip(contract_names(chosen, self.path), details, strict=True)]

    def _named(self, tensors):
        details = {detail["name"]: detail for detail in self._interpreter.get_tensor_details()}
        for tensor in tensors.values():
            if tensor not in details:
                raise UserError(f"{self.path}: has no tensor {tensor} to end at")
        return [_end(name, details[tensor]) for name, tensor in tensors.items()]

    def refuse_custom_operators(self):
        """Raise a UserError when the outputs are made by operators that are not TFLite's own."""
        graph = self._model.subgraphs[0]
        makers = {int(index): operator for operator in graph.operators for index in operator.outputs}
        seen, open_ends = set(), [end.index for end in self.outputs]
        while open_ends:
            index = open_ends.pop()
            if index in seen or index not in makers:
                continue
            seen.add(index)
            operator, before = makers[index], [int(i) for i in makers[index].inputs if i >= 0]
            name = tflite_file.operator_name(self._model, operator)
            if name not in tflite_file.BUILTIN_NAMES:
                tensors = ", ".join(graph.tensors[i].name.decode() for i in before)
                raise UserError(
                    f"{self.path}: {name} is a custom operator of TFLite, which no TensorFlow graph can have; end the "
                    f"graph before it with source.output_tensors, for example at {tensors}"
                )
            open_ends += before

    def notes(self):
        """Return a sentence about integers that become floats, as a list of none or one."""
        dtypes = {tensor.type for graph in self._model.subgraphs for tensor in graph.tensors if _is_quantised(tensor)}
        if not dtypes:
            return []
        names = ", ".join(sorted(tflite_file.type_name(dtype) for dtype in dtypes))
        return [f"the source computes in quantised numbers ({names}); here they are floats, so results differ"]

    def run(self, feed):
        """Run the file on ``{input name: array of real numbers}``."""
        for end in self.inputs:
            self._interpreter.set_tensor(end.index, end.quantised(feed[end.name]))
        self._interpreter.invoke()
        return {end.name: end.real(self._interpreter.get_tensor(end.index)) for end in self.outputs}

    def to_onnx(self):
        """Return the model as a floating-point ONNX ModelProto, 4-dimensional inputs channels-first.

        Raises:
            UserError: when tf2onnx cannot convert it.
        """
        from tf2onnx.convert import _convert_common

        pictures = [end.tensor for end in self.inputs if len(end.shape) == 4]
        try:
            model, _ = _convert_common(
                None,
                tflite_path=self.path,
                opset=13,
                input_names=[end.tensor for end in self.inputs],
                output_names=[end.tensor for end in self.outputs],
                # onnx2tf takes 4-dimensional inputs for channels-first and makes them channels-last.
                inputs_as_nchw=pictures,
                dequantize=True,
            )
        except Exception as error:  # it raises whatever an operator raises
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise UserError(f"{self.path}: tf2onnx cannot convert it: {reason}") from error
        return model


def _end(name, detail):
    scale, zero_point = detail["quantization"]
    shape = tuple(int(size) for size in detail["shape"])
    return End(name, detail["name"], detail["index"], detail["dtype"], shape, scale, zero_point)
