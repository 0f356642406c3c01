"""Running .tflite files on TFLite Micro, the interpreter of microcontrollers, and the memory that they take there."""

import copy
import os
import re
import tempfile

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from zoomill.detection.postprocess import OP
from zoomill.tflite import metadata, retune, tflite_file

# Bytes that a file may take; what it leaves is never touched. What it takes does not depend on it.
_ARENA = 1 << 30
_NODE = re.compile(r"Node (\S+) \(number (\d+)\)")
# Where in the code of TFLite Micro a line comes from.
_PLACE = re.compile(r"^tensorflow/\S+\.cc(:\d+)?:? ")
_UNKNOWN = b"what TFLite Micro does not have"


def deployed(data, path=None):
    """Return the bytes of a .tflite file as a microcontroller gets them.

    Its metadata are of no use to what has no files. Where the file does not say the shapes of
    TFLite_Detection_PostProcess's outputs they are written into it, because TFLite Micro reserves what the file says.

    Args:
        data: content of the file.
        path: of the file, for errors.
    """
    data = metadata.stripped(data, path)
    options = retune.options_of(data)
    if options is None:
        return data
    model = tflite_file.parse(data, path)
    graph, rows = model.subgraphs[0], options.max_detections * options.max_classes_per_detection
    (operator,) = (one for one in graph.operators if tflite_file.operator_name(model, one) == OP)
    for index, shape in zip(operator.outputs, ([1, rows, 4], [1, rows], [1, rows], [1]), strict=True):
        if not len(graph.tensors[index].shape or ()):
            graph.tensors[index].shape = shape
    return tflite_file.serialise(model)


class Interpreter:
    """A file in TFLite Micro, with those methods of LiteRT's interpreter that running it takes.

    Args:
        data: bytes of the file, of which :func:`deployed` is run.

    Raises:
        RuntimeError: with TFLite Micro's own reason, where it refuses the file.
    """

    def __init__(self, data):
        data = deployed(data)
        self._model = tflite_file.parse(data, None)
        try:
            self._interpreter = _loaded(data)
        except RuntimeError as error:
            if not str(error).endswith(" CUSTOM"):
                raise
            custom = sorted({*tflite_file.operators(self._model)} - tflite_file.BUILTIN_NAMES - {OP})
            raise RuntimeError(f"{error}, which are {', '.join(custom)}") from error

    def allocate_tensors(self):
        """Do nothing: TFLite Micro has allocated them."""

    def get_signature_list(self):
        """Return ``{signature: {"inputs": [name, …], "outputs": [name, …]}}``."""
        return {
            one.signatureKey.decode(): {
                side: [entry.name.decode() for entry in getattr(one, side)] for side in ("inputs", "outputs")
            }
            for one in self._model.signatureDefs or []
        }

    def get_signature_runner(self, key):
        """Return the :class:`Runner` of a signature."""
        (signature,) = (one for one in self._model.signatureDefs if one.signatureKey.decode() == key)
        sides = (signature.inputs, self.get_input_details()), (signature.outputs, self.get_output_details())
        named = []
        for entries, details in sides:
            known = {detail["index"]: detail for detail in details}
            named.append({entry.name.decode(): known[entry.tensorIndex] for entry in entries})
        return Runner(self, *named)

    def get_input_details(self):
        """Return name, index, dtype, shape and quantisation of the inputs, as LiteRT does."""
        return self._details("inputs")

    def get_output_details(self):
        """Return the same of the outputs."""
        return self._details("outputs")

    def _details(self, side):
        graph, found = self._model.subgraphs[0], []
        for index, told in zip(getattr(graph, side), tflite_file.describe(self._model)[side], strict=True):
            tensor = graph.tensors[index]
            step = 0.0, 0
            if tflite_file.is_quantised(tensor) and len(tensor.quantization.scale) == 1:
                step = float(tensor.quantization.scale[0]), int(tflite_file.zero_points(tensor)[0])
            types = {"dtype": np.dtype(told["dtype"]).type, "shape": np.array(told["shape"], np.int32)}
            found.append({"name": told["name"], "index": int(index), **types, "quantization": step})
        return found

    def set_tensor(self, index, values):
        """Give an input its values, by the number of its tensor."""
        position = [*self._model.subgraphs[0].inputs].index(index)
        self._interpreter.set_input(np.ascontiguousarray(values), position)

    def get_tensor(self, index):
        """Return the values of an output, by the number of its tensor."""
        return self._interpreter.get_output([*self._model.subgraphs[0].outputs].index(index))

    def invoke(self):
        """Run the file once.

        Raises:
            RuntimeError: with TFLite Micro's own reason, where it cannot.
        """
        _asked(self._interpreter.invoke)

    def arena(self):
        """Return the bytes of memory that the file has taken, once it has run.

        Returns:
            ``{"head": …, "tail": …, "total": …}``: activations, which share their place; what lasts; both.
        """
        _, lines = _asked(self._interpreter.print_allocations)
        return {kind: int(size) for kind, size in re.findall(r"Arena allocation (\w+) (\d+) bytes", "\n".join(lines))}


class Runner:
    """Runs an interpreter by the names of its inputs and outputs, as LiteRT's runner of a signature does.

    Args:
        interpreter: LiteRT's or TFLite Micro's.
        inputs, outputs: ``{name: details}``.
    """

    def __init__(self, interpreter, inputs, outputs):
        self._interpreter, self._inputs, self._outputs = interpreter, inputs, outputs

    def get_input_details(self):
        """Return ``{name: details}`` of the inputs."""
        return self._inputs

    def get_output_details(self):
        """Return ``{name: details}`` of the outputs."""
        return self._outputs

    def __call__(self, **values):
        """Return ``{output name: array}`` of the inputs' values."""
        for name, detail in self._inputs.items():
            self._interpreter.set_tensor(detail["index"], values[name])
        self._interpreter.invoke()
        return {name: self._interpreter.get_tensor(detail["index"]) for name, detail in self._outputs.items()}


def tried(data):
    """Return the :class:`Interpreter` of a file that has run once, on zeros.

    Args:
        data: bytes of the file.

    Raises:
        RuntimeError: with TFLite Micro's own reason, where it refuses the file, or what makes it answer wrongly.
    """
    interpreter = Interpreter(data)
    if name := _read_by_one_scale(data):
        raise RuntimeError(f"DEQUANTIZE takes one scale, where {name} has one for each channel")
    for detail in interpreter.get_input_details():
        interpreter.set_tensor(detail["index"], np.zeros(detail["shape"], detail["dtype"]))
    interpreter.invoke()
    return interpreter


def _read_by_one_scale(data):
    """Return the name of a tensor with several scales that DEQUANTIZE reads, or None; its kernel takes one for all."""
    model = tflite_file.parse(data, None)
    read = (
        graph.tensors[operator.inputs[0]]
        for graph in model.subgraphs
        for operator in graph.operators
        if tflite_file.operator_name(model, operator) == "DEQUANTIZE"
    )
    wrong = (one for one in read if tflite_file.is_quantised(one) and len(one.quantization.scale) > 1)
    return next((one.name.decode(errors="replace") for one in wrong), None)


def needed_operators(data):
    """Return the names of the operators that TFLite Micro looks up for a file that it runs, sorted.

    These are the ones without which it refuses the file, tried one by one.

    Args:
        data: bytes of the file.
    """
    model, found = tflite_file.parse(deployed(data), None), set()
    names = {
        operator.opcodeIndex: tflite_file.operator_name(model, operator)
        for graph in model.subgraphs
        for operator in graph.operators
    }
    for place, code in enumerate(model.operatorCodes):
        model.operatorCodes[place] = unknown = copy.copy(code)
        unknown.builtinCode = unknown.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
        unknown.customCode = _UNKNOWN
        try:
            _loaded(tflite_file.serialise(model))
        except RuntimeError:
            found.add(names.get(place, f"operator code {place}"))
        model.operatorCodes[place] = code
    return sorted(found)


def _loaded(data):
    """Return TFLite Micro's own interpreter of a file."""
    from tflite_micro import runtime

    return _asked(runtime.Interpreter.from_bytes, data, arena_size=_ARENA)[0]


def _asked(call, *arguments, **options):
    """Return what a call of TFLite Micro returns, and the lines that it writes on stderr past Python.

    Raises:
        RuntimeError: with the reason that it has written, where it fails.
    """
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            found, error = call(*arguments, **options), None
        except (RuntimeError, ValueError) as caught:
            error = caught
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
        file.seek(0)
        lines = file.read().decode(errors="replace").splitlines()
    if error:
        raise RuntimeError(_reason(lines) or str(error)) from error
    return found, lines


def _reason(lines):
    """Return the line that says why a file is refused, with the operator where one is named."""
    node = next(filter(None, map(_NODE.search, lines)), None)
    said = next((line for line in lines if line.strip() and not _NODE.search(line)), "")
    said = _PLACE.sub("", said).strip().rstrip(".")
    return ": ".join(filter(None, [node and "{} (operator {})".format(*node.groups()), said]))
