"""Where the graph that onnx2tf makes of an ONNX model goes apart from ONNX Runtime."""

import itertools

import numpy as np

from zoomill.errors import UserError
from zoomill.sources import onnx_runtime
from zoomill.sources.onnx_network import network

# An error as large a share of the peak is no rounding; of a single node, a tenth of it is none either.
LIMIT = 0.01
_OF_A_NODE = LIMIT / 10


def distance(expected, found):
    """Return the largest error by the largest expected value; places where both are no numbers do not count."""
    expected, found = np.asarray(expected, np.float64), np.asarray(found, np.float64)
    same = (expected == found) | (np.isnan(expected) & np.isnan(found))
    with np.errstate(invalid="ignore"):
        error = np.nan_to_num(np.abs(np.where(same, 0, expected - found)), nan=np.inf)
    peak = np.abs(expected, where=np.isfinite(expected), out=np.zeros_like(expected)).max(initial=0)
    return error.max(initial=0) / (peak or 1)


def first_apart(model, kept, fed, graph_feed, path):
    """Return ``(operator, node, distance)`` of the first node whose result is another, None where there is none.

    All tensors become outputs of the model, which is converted and run once more.

    Args:
        model: ModelProto, as onnx2tf got it.
        kept: names of inputs whose order of dimensions stays.
        fed: ``{input name: array}`` for ONNX Runtime.
        graph_feed: the same as a list in the graph's order of inputs and dimensions.
        path: file name for messages.
    """
    import tensorflow as tf
    from onnx import ModelProto

    steady = onnx_runtime.steady(model)
    makers = {name: node for node in model.graph.node for name in node.output if name and name not in steady}
    expected = onnx_runtime.tensors(model, list(makers), fed, path)
    expected = {name: array for name, array in expected.items() if array.dtype.kind == "f" and array.size}
    opened = ModelProto()
    opened.CopyFrom(model)
    del opened.graph.output[:]
    for name, array in expected.items():
        tensor = opened.graph.output.add(name=name).type.tensor_type
        tensor.elem_type = 1
        for size in array.shape:
            tensor.shape.dim.add(dim_value=size)
    try:
        keras = network(opened, kept, path)
    except UserError:  # it cannot be converted with all of its tensors, though it can without
        return None
    values = tf.nest.flatten(keras(graph_feed, training=False))
    found = dict(zip(keras.output_names, values, strict=True))
    for name, array in expected.items():
        known = name.replace(":", "__").strip("/")
        if known in found:
            error = _nearest(array, found[known].numpy())
            if error > _OF_A_NODE:
                return makers[name].op_type, makers[name].name or name, error
    return None


def _nearest(expected, found):
    """Return the distance in that order of dimensions in which it is smallest."""
    fitting = (np.transpose(expected, order) for order in itertools.permutations(range(expected.ndim)))
    return min((distance(array, found) for array in fitting if array.shape == found.shape), default=np.inf)
