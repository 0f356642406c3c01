"""TFLite files as sources: as an ONNX model made by tf2onnx, and as a function run by LiteRT."""

import dataclasses

import numpy as np

from zoomill import tflite_file
from zoomill.errors import UserError
from zoomill.names import contract_names

# Inputs of this rank are pictures, or features in that form.
_PICTURE = 4
# ONNX operators that leave the numbers as they are.
_SHAPE_ONLY = ("Transpose", "Reshape", "Squeeze", "Unsqueeze")
# What activations may be quantised to; biases are int32.
_INTEGERS = ("int8", "uint8", "int16")


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

    @property
    def value_range(self):
        """What 0 and 255 of an 8-bit picture become; None where the tensor does not hold 8-bit numbers."""
        if not self.scale or np.dtype(self.dtype).itemsize > 1:
            return None
        limits = np.iinfo(self.dtype)
        return [float(self.real(np.array(value))) for value in (limits.min, limits.max)]

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
        details = self._interpreter.get_tensor_details()
        found = {d["dtype"].__name__ for d in details if d["quantization_parameters"]["scales"].size}
        names = ", ".join(sorted(found.intersection(_INTEGERS)))
        return [f"the source computes with {names}; here these numbers are floats, so results differ"] if names else []

    def completed(self, card):
        """Return the card with the value ranges that quantised inputs have, where it names none."""
        given = card["inputs"] or [{}] * len(self.inputs)
        if len(given) == len(self.inputs):  # else export() says so
            known = [{"value_range": end.value_range} if end.value_range else {} for end in self.inputs]
            card["inputs"] = [{**entry, **expected} for entry, expected in zip(known, given, strict=True)]
        return card

    def unpictured(self):
        """Return the tensors of inputs whose order of dimensions stays as it is."""
        return [end.tensor for end in self.inputs if len(end.shape) != _PICTURE]

    def interface(self, converted):
        """Return what a graph made of :meth:`to_onnx` is exported with.

        Args:
            converted: :class:`zoomill.onnx_source.Converted`.

        Returns:
            :class:`~zoomill.export.Tensor` lists of inputs and outputs in the file's order and with its names, and a
            function that runs the file on ``{input name: array of real numbers}``.
        """
        sides = []
        for ends, values, tensors in (
            (self.inputs, converted.sources, converted.inputs),
            (self.outputs, converted.results, converted.outputs),
        ):
            found = {value.name: tensor for value, tensor in zip(values, tensors, strict=True)}
            sides.append([dataclasses.replace(found[end.tensor], name=end.name) for end in ends])
        results = {value.name: value for value in converted.results}

        def run(feed):
            return {end.name: results[end.tensor].to_graph(array) for end, array in self._run(feed)}

        return *sides, run

    def _run(self, feed):
        """Yield each output and its real numbers."""
        for end in self.inputs:
            self._interpreter.set_tensor(end.index, end.quantised(feed[end.name]))
        self._interpreter.invoke()
        for end in self.outputs:
            yield end, end.real(self._interpreter.get_tensor(end.index))

    def to_onnx(self):
        """Return the model as a floating-point ONNX ModelProto, 4-dimensional inputs channels-first.

        Raises:
            UserError: when tf2onnx cannot convert it.
        """
        from tf2onnx.convert import _convert_common

        pictures = [end.tensor for end in self.inputs if len(end.shape) == _PICTURE]
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
        _as_float(model, self.inputs, self.outputs, self.path)
        return model


def _as_float(model, inputs, outputs, path):
    """Let quantised ends of an ONNX model be floats: drop what quantises and dequantises there, and fix the shapes."""
    import onnx

    graph = model.graph
    by_name = {end.tensor: end for end in (*inputs, *outputs)}
    for value in graph.input:
        if by_name[value.name].scale:
            value.type.tensor_type.elem_type = onnx.TensorProto.FLOAT
            _drop_dequantisation(graph, by_name[value.name], path)
        shape = by_name[value.name].shape
        channels_first = (shape[0], shape[3], *shape[1:3]) if len(shape) == 4 else shape
        for dim, size in zip(value.type.tensor_type.shape.dim, channels_first, strict=True):
            dim.dim_value = size
    for value in graph.output:
        if by_name[value.name].scale:
            value.type.tensor_type.elem_type = onnx.TensorProto.FLOAT
            _drop_quantisation(graph, value.name)
        value.type.tensor_type.ClearField("shape")


def _drop_dequantisation(graph, end, path):
    """Drop the Cast, Sub of the zero point and Mul by the scale that tf2onnx put behind an input."""
    from onnx import numpy_helper

    constants = {tensor.name: tensor for tensor in graph.initializer}
    wanted = {"Cast": None, "Sub": end.zero_point, "Mul": end.scale}
    dropped, tensor = [], end.tensor
    while len(users := [node for node in graph.node if tensor in node.input]) == 1:
        (node,) = users
        value = [numpy_helper.to_array(constants[name]) for name in node.input if name in constants]
        if node.op_type in wanted and all(np.allclose(found, wanted[node.op_type], rtol=1e-6) for found in value):
            _replace(graph, node.output[0], tensor)
            graph.node.remove(node)
            dropped.append(wanted.pop(node.op_type))
        elif node.op_type in _SHAPE_ONLY:
            tensor = node.output[0]
        else:
            break
    if not dropped:
        raise UserError(f"{path}: input {end.tensor} is quantised in a way that is not known")


def _drop_quantisation(graph, output):
    """Drop the QuantizeLinear that tf2onnx put before an output, or before each part of a concatenated one."""
    makers = {name: node for node in graph.node for name in node.output}
    pending = [output]
    while pending:
        name = pending.pop()
        node = makers.get(name)
        if node and node.op_type == "QuantizeLinear":
            source = node.input[0]
            if name == output:  # which keeps its name
                _replace(graph, source, name)
                makers[source].output[:] = [name if other == source else other for other in makers[source].output]
            else:
                _replace(graph, name, source)
            graph.node.remove(node)
        elif node and node.op_type == "Concat":
            pending += node.input
        elif node and node.op_type in _SHAPE_ONLY:
            pending.append(node.input[0])


def _replace(graph, old, new):
    """Let all nodes that read ``old`` read ``new``."""
    for node in graph.node:
        for position, name in enumerate(node.input):
            if name == old:
                node.input[position] = new


def _end(name, detail):
    scale, zero_point = detail["quantization"]
    shape = tuple(int(size) for size in detail["shape"])
    return End(name, detail["name"], detail["index"], detail["dtype"], shape, scale, zero_point)
