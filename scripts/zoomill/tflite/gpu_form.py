"""The convolution that LiteRT's GPU accelerator gets wrong, and a form of it that it gets right.

ai-edge-litert 2.3.0 runs a 1x1 convolution of int8 weights as if its stride were 1. In the corner of a 2x2 kernel that
is 0 elsewhere the same weights read the same pixels, and the rest adds zeros: integers stay bit for bit what they were.
"""

import numpy as np

from zoomill.errors import UserError
from zoomill.tflite import tflite_file


def strided_pointwise(model, any_weights=False):
    """Return ``(place from 1, operator)`` of the 1x1 convolutions with a stride and int8 weights.

    Args:
        model: ``ModelT`` of :mod:`zoomill.tflite.tflite_file`.
        any_weights: whether those with other weights are meant too.
    """
    graph = model.subgraphs[0]
    return [
        (place, operator)
        for place, operator in enumerate(graph.operators, 1)
        if tflite_file.operator_name(model, operator) == "CONV_2D"
        and max(operator.builtinOptions.strideH, operator.builtinOptions.strideW) > 1
        and [*graph.tensors[int(operator.inputs[1])].shape[1:3]] == [1, 1]
        and (any_weights or graph.tensors[int(operator.inputs[1])].type == tflite_file.schema.TensorType.INT8)
    ]


def phrases(model):
    """Return a phrase for every convolution of a file that is known to go wrong."""
    return [
        f"{tflite_file.operator_title(model, place)}: a 1x1 kernel of int8 weights with a stride, which the "
        "accelerator runs without it; rewrite_for_gpu gives it another form"
        for place, _ in strided_pointwise(model)
    ]


def rewrite(model, any_weights=False):
    """Put the weights of :func:`strided_pointwise` into the corner of 2x2 kernels.

    With ``SAME`` padding, such a kernel needs at most one row and column more than there are, which come last.

    Args:
        model: ``ModelT``, changed in place.
        any_weights: as for :func:`strided_pointwise`.

    Returns:
        How many convolutions were rewritten.

    Raises:
        UserError: when another operator reads the same weights.
    """
    graph = model.subgraphs[0]
    found = [operator for _, operator in strided_pointwise(model, any_weights)]
    readers = {int(operator.inputs[1]): [] for operator in found}
    for operator in graph.operators:
        for index in readers.keys() & {*map(int, operator.inputs)}:
            readers[index].append(operator)
    for index, operators in readers.items():
        if any(operator not in found for operator in operators):
            raise UserError(f"{graph.tensors[index].name.decode()} is read by another operator too")
        _widen(model, graph.tensors[index])
    for operator in found:
        operator.builtinOptions.padding = tflite_file.schema.Padding.SAME
    return len(found)


def _widen(model, weights):
    """Give weights ``[out, 1, 1, in]`` the shape ``[out, 2, 2, in]``; those of int8 have zero points of 0."""
    stored = tflite_file.constant(model, weights)
    kernel = np.zeros((stored.shape[0], 2, 2, stored.shape[3]), stored.dtype)
    kernel[:, :1, :1] = stored
    # Tensors that store the same may share a buffer.
    if sum(tensor.buffer == weights.buffer for graph in model.subgraphs for tensor in graph.tensors) > 1:
        model.buffers.append(tflite_file.schema.BufferT())
        weights.buffer = len(model.buffers) - 1
    weights.shape = [*kernel.shape]
    model.buffers[weights.buffer].data = np.frombuffer(kernel.tobytes(), np.uint8)
