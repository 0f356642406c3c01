"""Which operator of a file the GPU gets wrong: each is run alone, on what it is given on the processor."""

import numpy as np

from zoomill.proof.spread import FAR
from zoomill.tflite import gpu, tflite_file


def first_wrong(folder, model, interpreter):
    """Return a phrase for the first operator whose outputs on the GPU are not those on the processor, or None.

    Args:
        folder: of SwiftShader.
        model: ``ModelT`` of the file, with one subgraph.
        interpreter: of LiteRT, which keeps all tensors and has just run the file.

    Raises:
        CannotRun: when the accelerator crashes.
    """
    graph = model.subgraphs[0]

    def search():
        for place, operator in enumerate(graph.operators, 1):
            apart = _apart(model, operator, interpreter)
            if not apart <= FAR:
                return place, apart
        return None

    if not (found := gpu.in_child(folder, search).value):
        return None
    place, apart = found
    return f"{tflite_file.operator_title(model, place)}, alone, is off by {apart:.0%} of its largest value"


def _apart(model, operator, interpreter):
    """Return how far an operator's outputs are off, by their largest value, 0 where it cannot be run alone."""
    graph = model.subgraphs[0]
    given = [int(index) for index in operator.inputs if index >= 0 and not _is_constant(model, int(index))]
    names = {int(index): f"t{int(index)}" for index in (*given, *operator.outputs)}
    if not given or any(interpreter.get_tensor(index).size == 0 for index in names):
        return 0.0
    try:
        program = gpu.Program(alone(model, operator, names))
        found = program({names[index]: interpreter.get_tensor(index) for index in given})
    except (RuntimeError, ValueError):  # among others, that LiteRT's Python can neither write nor read int16
        return 0.0
    return max(
        _share(graph.tensors[int(index)], interpreter.get_tensor(int(index)), found[names[int(index)]])
        for index in operator.outputs
    )


def _share(tensor, expected, found):
    if found.dtype == bool or not (found.dtype == np.float32 or tflite_file.is_quantised(tensor)):
        return 0.0
    exact, values = (tflite_file.real(tensor, array) for array in (expected, found))
    return float(np.abs(values - exact).max(initial=0)) / (float(np.abs(exact).max(initial=0)) or 1.0)


def _is_constant(model, index):
    data = model.buffers[model.subgraphs[0].tensors[index].buffer].data
    return data is not None and len(data) > 0


def alone(model, operator, names):
    """Return the bytes of a file of one operator of another.

    Args:
        model: ``ModelT`` of the other, which stays as it is.
        operator: of its only subgraph.
        names: ``{tensor: name}`` of the tensors that are inputs and outputs, not constants.
    """
    schema, before = tflite_file.schema, model.subgraphs[0]
    result, graph, only = schema.ModelT(), schema.SubGraphT(), schema.OperatorT()
    result.version, result.description = 3, b"one operator"
    result.operatorCodes, result.subgraphs = [model.operatorCodes[operator.opcodeIndex]], [graph]
    result.buffers = [schema.BufferT()]
    places = {-1: -1}
    graph.tensors = []
    for index in dict.fromkeys(map(int, (*operator.inputs, *operator.outputs))):
        if index < 0:
            continue
        tensor = schema.TensorT()
        vars(tensor).update(vars(before.tensors[index]))
        tensor.buffer, tensor.name = 0, names.get(index, f"c{index}").encode()
        if index not in names:
            tensor.buffer = len(result.buffers)
            result.buffers.append(model.buffers[before.tensors[index].buffer])
        places[index] = len(graph.tensors)
        graph.tensors.append(tensor)
    vars(only).update(vars(operator))
    only.opcodeIndex = 0
    only.inputs, only.outputs = ([places[int(i)] for i in side] for side in (operator.inputs, operator.outputs))
    graph.inputs = [places[int(i)] for i in dict.fromkeys(map(int, operator.inputs)) if int(i) in names]
    graph.outputs, graph.operators = [*only.outputs], [only]
    return tflite_file.serialise(result)
