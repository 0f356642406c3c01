"""TFLite files as sources: as an ONNX model made by tf2onnx, and as a function run by LiteRT or TFLite Micro."""

import dataclasses
import logging
import os
import tempfile

import numpy as np

from zoomill import files
from zoomill.errors import UserError
from zoomill.framework import refusing
from zoomill.graph.source import Source, integer_notes
from zoomill.inspect import tflite_metadata
from zoomill.inspect.tensor_names import contract_names
from zoomill.sources import onnx_source, tflite_floats
from zoomill.tflite import micro, tflite_file

# Inputs of this rank are pictures, or features in that form.
_PICTURE = 4


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
    def known(self):
        """For the contract: what 0 and 255 of an 8-bit picture become, where the tensor holds 8-bit numbers."""
        if not self.scale or np.dtype(self.dtype).itemsize > 1:
            return {}
        limits = np.iinfo(self.dtype)
        return {"value_range": [float(self.real(np.array(value))) for value in (limits.min, limits.max)]}

    def quantised(self, array):
        """Return real numbers as the tensor holds them."""
        if not self.scale:
            return array.astype(self.dtype)
        limits = np.iinfo(self.dtype)
        return np.clip(np.round(array / self.scale) + self.zero_point, limits.min, limits.max).astype(self.dtype)

    def real(self, array):
        """Return what the tensor holds as real numbers."""
        return np.float32(self.scale) * (array.astype(np.float32) - self.zero_point) if self.scale else array

    def as_float(self):
        """Return the same end of a file that holds real numbers."""
        return dataclasses.replace(self, dtype=np.float32, scale=0.0) if self.scale else self


def load(folder, options, expected):
    """Return a file as a :class:`~zoomill.graph.source.Source`: see :mod:`zoomill.sources.exporter`."""
    path = os.path.join(folder, options["path"])
    file = File(path, options.get("output_tensors", {}))
    file.refuse_custom_operators()
    source = file.source(onnx_source.to_graph(file.to_onnx(), [], file.unpictured(), path))
    with open(path, "rb") as stream:
        labels, offset, notes = tflite_metadata.labels(stream.read())
    if expected["labels"]:
        labels, offset, notes = [], 0, []
    if file.has_metadata:
        notes = [*notes, "the source's TFLite metadata is not carried over"]
    return dataclasses.replace(source, labels=labels, label_offset=offset, notes=[*source.notes, *notes])


class File:
    """A TFLite file, run by LiteRT's built-in kernels on one thread; integers that LiteRT refuses, by TFLite Micro.

    An integer file is also run as :func:`zoomill.sources.tflite_floats.float_copy`, of which the graph is made.

    Args:
        path: .tflite file.
        output_tensors: ``{contract name: tensor}`` to end the model elsewhere than at its outputs; empty for these.

    Attributes:
        inputs, outputs: :class:`End` lists.
        integers: dtypes of its quantised tensors, empty for a file of floats.
        notes: lines for the contract on who runs it.
        has_metadata: whether it has metadata of the TFLite Task Library.

    Raises:
        UserError: when the file is damaged, or does not have a tensor.
    """

    def __init__(self, path, output_tensors):
        self.path = path
        self._model = tflite_file.read(path)
        with open(path, "rb") as file:
            self._content = file.read()
        self.notes = []
        names = [entry.name for entry in self._model.metadata or []]
        self.has_metadata = tflite_metadata.ENTRY.encode() in names
        self.integers = tflite_file.quantised_types(self._model)
        self._interpreter = self._float_interpreter = self._whole(bool(output_tensors))
        if self.integers:
            self._content = tflite_file.serialise(tflite_floats.float_copy(self._model, path))
            self._float_interpreter = _interpreter(path, self._content, bool(output_tensors))
        with refusing(f"{path}: the names of its inputs and outputs cannot be read"):
            signatures = self._float_interpreter._get_full_signature_list()
            inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        (signature,) = list(signatures.values()) if len(signatures) == 1 else [{"inputs": {}, "outputs": {}}]
        self.inputs = self._ends(inputs, signature["inputs"])
        if output_tensors:
            self.outputs = self._named(output_tensors)
        else:
            self.outputs = self._ends(outputs, signature["outputs"])

    def _whole(self, keep_all):
        """Return what runs the file as it is: LiteRT, or for integers that it refuses TFLite Micro."""
        try:
            return _interpreter(self.path, self._content, keep_all)
        except UserError as error:
            if keep_all or not self.integers:
                raise
            try:
                found = micro.Interpreter(self._content)
            except RuntimeError:
                raise error from None
            self.notes.append("TFLite Micro runs its integers, as LiteRT refuses the file")
            return found

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

    def unpictured(self):
        """Return the tensors of inputs whose order of dimensions stays as it is."""
        return [end.tensor for end in self.inputs if len(end.shape) != _PICTURE]

    def source(self, converted):
        """Return the :class:`zoomill.graph.source.Source` of the file.

        Inputs and outputs are in the file's order and have its names, and the value ranges of integers are known.

        Args:
            converted: :class:`zoomill.sources.onnx_source.Converted` of what :meth:`to_onnx` returned.
        """
        sides = []
        for ends, values, tensors in (
            (self.inputs, converted.sources, converted.inputs),
            (self.outputs, converted.results, converted.outputs),
        ):
            found = {value.name: tensor for value, tensor in zip(values, tensors, strict=True)}
            sides.append([dataclasses.replace(found[end.tensor], name=end.name, known=end.known) for end in ends])
        results = {value.name: value for value in converted.results}

        def runner(interpreter, inputs, outputs):
            def run(feed):
                for end in inputs:
                    interpreter.set_tensor(end.index, end.quantised(feed[end.name]))
                with refusing(f"{self.path}: cannot be run"):
                    interpreter.invoke()
                    found = {end.name: interpreter.get_tensor(end.index) for end in outputs}
                return {end.name: results[end.tensor].to_graph(end.real(found[end.name])) for end in outputs}

            return run

        floats = (list(map(End.as_float, ends)) for ends in (self.inputs, self.outputs))
        return Source(
            converted.graph,
            *sides,
            runner(self._float_interpreter, *floats),
            [*integer_notes(self.integers), *self.notes],
            rounded=runner(self._interpreter, self.inputs, self.outputs) if self.integers else None,
        )

    def to_onnx(self):
        """Return the model as a floating-point ONNX ModelProto, 4-dimensional inputs channels-first.

        Raises:
            UserError: when tf2onnx cannot convert it.
        """
        from tf2onnx import tfonnx
        from tf2onnx.convert import _convert_common

        logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)  # of a failure it logs a traceback
        tfonnx.rewrite_leakyrelu = lambda graph, operators: operators  # it takes the slopes of channels for one number
        pictures = [end.tensor for end in self.inputs if len(end.shape) == _PICTURE]
        with tempfile.TemporaryDirectory() as folder:
            files.write_bytes(path := os.path.join(folder, "model.tflite"), self._content)
            with refusing(f"{self.path}: tf2onnx cannot convert it"):
                model, _ = _convert_common(
                    None,
                    tflite_path=path,
                    opset=13,
                    input_names=[end.tensor for end in self.inputs],
                    output_names=[end.tensor for end in self.outputs],
                    # onnx2tf takes 4-dimensional inputs for channels-first and makes them channels-last.
                    inputs_as_nchw=pictures,
                )
        _fix_shapes(model, self.inputs)
        return model


def _fix_shapes(model, inputs):
    """Give the inputs of an ONNX model their sizes, pictures channels-first, and leave those of outputs open."""
    shapes = {end.tensor: end.shape for end in inputs}
    for value in model.graph.input:
        shape = shapes[value.name]
        channels_first = (shape[0], shape[3], *shape[1:3]) if len(shape) == _PICTURE else shape
        for dim, size in zip(value.type.tensor_type.shape.dim, channels_first, strict=True):
            dim.dim_value = size
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")


def _end(name, detail):
    scale, zero_point = detail["quantization"]
    shape = tuple(int(size) for size in detail["shape"])
    return End(name, detail["name"], detail["index"], detail["dtype"], shape, scale, zero_point)


def _interpreter(path, content, keep_all):
    """Return an interpreter of a file's content without XNNPACK, whose integer kernels round in their own way."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    with refusing(f"{path}: LiteRT cannot run it"):
        interpreter = Interpreter(
            model_content=content,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            num_threads=1,
            experimental_preserve_all_tensors=keep_all,
        )
        interpreter.allocate_tensors()
    return interpreter
