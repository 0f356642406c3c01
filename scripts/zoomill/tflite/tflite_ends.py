"""The ends of an integer .tflite file: float ones that are also read inside, float ones made int8, int8 made uint8."""

import copy

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from zoomill.tflite import tflite_file

# The same scale, the zero point moved by half of the range: uint8 = int8 + 128.
_SHIFT = 128


def reconnect(model):
    """Let operators that give integers read integers where an output of the graph is also read inside it.

    ai-edge-quantizer gives them the output's floats, which a kernel takes for integers or misreads without a word.

    Args:
        model: ``ModelT`` of :mod:`zoomill.tflite.tflite_file`, changed in place.
    """
    graph = model.subgraphs[0]
    exact = {
        int(operator.outputs[0]): int(operator.inputs[0])
        for operator in graph.operators
        if tflite_file.operator_name(model, operator) == "DEQUANTIZE"
    }
    for operator in graph.operators:
        if tflite_file.takes_floats_for_integers(model, operator):
            operator.inputs = [exact.get(int(index), int(index)) for index in operator.inputs]


def round_off(model, ranges):
    """Make int8 of all float inputs and outputs: ai-edge-quantizer leaves those that are float inside or read twice.

    Args:
        model: ``ModelT`` of :mod:`zoomill.tflite.tflite_file`, changed in place.
        ranges: ``{tensor: [smallest, largest]}`` of the float file.
    """
    graph = model.subgraphs[0]
    for ends, kind, inwards in ((graph.inputs, "QUANTIZE", True), (graph.outputs, "DEQUANTIZE", False)):
        for position, index in enumerate(map(int, ends)):
            if graph.tensors[index].type == schema.TensorType.FLOAT32:
                ends[position] = _rounded_off(model, index, kind, inwards, ranges)


def _rounded_off(model, index, kind, inwards, ranges):
    """Return the int8 twin of a float end, which an operator casts already or one does from now on."""
    graph = model.subgraphs[0]
    for operator in graph.operators:
        near, far = (operator.inputs, operator.outputs) if inwards else (operator.outputs, operator.inputs)
        is_cast = tflite_file.operator_name(model, operator) == kind and int(near[0]) == index
        if is_cast and graph.tensors[int(far[0])].type == schema.TensorType.INT8:
            graph.operators.remove(operator)
            inner = int(far[0])
            break
    else:
        inner = _add_int8(graph, index, ranges)
        if not inwards:
            graph.operators.append(_added(model, "QUANTIZE", index, inner))
            return inner
    if any(index in operator.inputs for operator in graph.operators):
        place = 0 if inwards else 1 + max(i for i, o in enumerate(graph.operators) if inner in o.outputs)
        graph.operators.insert(place, _added(model, "DEQUANTIZE", inner, index))
    return inner


def _add_int8(graph, index, ranges):
    """Add the int8 twin of a float tensor, with the scale of its range, and return its index."""
    twin = copy.deepcopy(graph.tensors[index])
    low, high = ranges[twin.name.decode()]
    scale = np.float32(max(high - low, np.finfo(np.float32).tiny) / 255)
    twin.name, twin.type, twin.buffer = twin.name + b"_int8", schema.TensorType.INT8, 0
    twin.quantization = schema.QuantizationParametersT()
    twin.quantization.scale = np.array([scale])
    twin.quantization.zeroPoint = np.array([np.clip(np.rint(-128 - low / scale), -128, 127)], np.int64)
    graph.tensors.append(twin)
    return len(graph.tensors) - 1


def _added(model, name, source, target):
    code = tflite_file.add_operator_code(model, getattr(schema.BuiltinOperator, name), version=2)
    return cast(code, name, source, target)


def cast(code, name, source, target):
    """Return an operator that only changes the type of numbers, QUANTIZE or DEQUANTIZE.

    Args:
        code: index of its kind among the file's.
        name: of its kind.
        source, target: indices of tensors.
    """
    operator, options = schema.OperatorT(), {"QUANTIZE": "QuantizeOptions", "DEQUANTIZE": "DequantizeOptions"}[name]
    operator.opcodeIndex, operator.inputs, operator.outputs = code, [source], [target]
    operator.builtinOptionsType = getattr(schema.BuiltinOptions, options)
    operator.builtinOptions = getattr(schema, f"{options}T")()
    return operator


def recast(model):
    """Give a file with int8 inputs and outputs uint8 ones, with a QUANTIZE operator behind or before each.

    Args:
        model: ``ModelT`` of :mod:`zoomill.tflite.tflite_file`, changed in place.
    """
    graph = model.subgraphs[0]
    code = tflite_file.add_operator_code(model, schema.BuiltinOperator.QUANTIZE, version=2)
    before, after = [], []
    for ends, operators, outwards in ((graph.inputs, before, False), (graph.outputs, after, True)):
        for position, index in enumerate(ends):
            if not tflite_file.is_quantised(graph.tensors[index]):
                continue
            outer = _unsigned(graph, int(index))
            operators.append(cast(code, "QUANTIZE", *((int(index), outer) if outwards else (outer, int(index)))))
            ends[position] = outer
    graph.operators = [*before, *graph.operators, *after]


def _unsigned(graph, index):
    """Add the uint8 twin of an int8 tensor and return its index."""
    twin = copy.deepcopy(graph.tensors[index])
    graph.tensors[index].name += b"_int8"
    twin.type, twin.buffer = schema.TensorType.UINT8, 0
    twin.quantization.zeroPoint = [int(point) + _SHIFT for point in twin.quantization.zeroPoint]
    graph.tensors.append(twin)
    return len(graph.tensors) - 1
