"""Which operators of a .tflite file take longest: each is timed as a file of its own.

LiteRT's Python has no profiler. What an operator takes between others, fused and with what they left in the caches, is
another matter: so shares of the sum are told, and no times.
"""

import copy
import statistics

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from zoomill.tflite import latency, tflite_file

# How often each is run at least, and for how many seconds.
_LEAST, _SECONDS = 10, 0.005


def longest(path, count=5):
    """Return the operators of a file that take longest on one thread.

    Args:
        path: of the .tflite file, of which the first subgraph is looked at.
        count: how many at most.

    Returns:
        ``[{"operator": name, "tensor": name of its output, "share": of the sum over all}, …]``, largest first; without
        those that cannot be run alone, as one whose shape another operator computes.
    """
    model = tflite_file.read(path)
    graph = model.subgraphs[0]
    casts = {
        int(operator.outputs[0]): operator
        for operator in graph.operators
        if tflite_file.operator_name(model, operator) == "DEQUANTIZE" and _is_constant(model, operator.inputs[0])
    }
    found = []
    for operator in graph.operators:
        if int(operator.outputs[0]) not in casts:
            seconds = _seconds(_alone(model, operator, casts))
            tensor = graph.tensors[operator.outputs[0]].name.decode(errors="replace")
            found.append((seconds, tflite_file.operator_name(model, operator), tensor))
    whole = sum(seconds for seconds, *_ in found) or 1.0
    ranked = sorted(found, key=lambda one: -one[0])[:count]
    return [{"operator": name, "tensor": tensor, "share": round(part / whole, 3)} for part, name, tensor in ranked]


def _is_constant(model, index):
    return model.buffers[model.subgraphs[0].tensors[index].buffer].data is not None


def _alone(model, operator, casts):
    """Return the bytes of a file of one operator, and of the DEQUANTIZE before its weights.

    Args:
        model: ``ModelT`` of the whole file.
        operator: one of its first subgraph.
        casts: ``{tensor: DEQUANTIZE of a constant that makes it}``.
    """
    whole = model.subgraphs[0]
    read = [int(index) for index in operator.inputs if index >= 0]
    before = [casts[index] for index in read if index in casts]
    graph, one = copy.copy(whole), copy.copy(model)
    graph.operators, graph.outputs = [*before, operator], list(operator.outputs)
    graph.inputs = [index for index in dict.fromkeys(read) if index not in casts and not _is_constant(model, index)]
    used = {int(index) for made in graph.operators for index in made.inputs if index >= 0}
    buffers = {whole.tensors[index].buffer for index in used}
    buffers |= {tensor.buffer for other in model.subgraphs[1:] for tensor in other.tensors}
    one.buffers = [buffer if place in buffers else schema.BufferT() for place, buffer in enumerate(model.buffers)]
    one.subgraphs, one.signatureDefs, one.metadata = [graph, *model.subgraphs[1:]], None, None
    return tflite_file.serialise(one)


def _seconds(content):
    """Return the median of an operator's runs on zeros, 0 where it cannot be run alone."""
    try:
        _, interpreter = latency.opened(content, 1)
        for details in interpreter.get_input_details():
            interpreter.set_tensor(details["index"], np.zeros(details["shape"], details["dtype"]))
        return statistics.median(latency.seconds_of_runs(interpreter, _LEAST, _SECONDS)[1:])
    except (RuntimeError, ValueError):
        return 0.0
