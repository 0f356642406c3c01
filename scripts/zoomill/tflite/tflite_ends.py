"""The ends of an integer .tflite file: float ones that are also read inside, and int8 made uint8."""

import copy

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
            outer = _unsigned(graph, int(index))
            inputs, outputs = ([index], [outer]) if outwards else ([outer], [index])
            operators.append(_quantize(code, inputs, outputs))
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


def _quantize(code, inputs, outputs):
    operator = schema.OperatorT()
    operator.opcodeIndex = code
    operator.inputs, operator.outputs = [int(i) for i in inputs], [int(i) for i in outputs]
    operator.builtinOptionsType = schema.BuiltinOptions.QuantizeOptions
    operator.builtinOptions = schema.QuantizeOptionsT()
    return operator
