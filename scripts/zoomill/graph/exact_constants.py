"""Constants of a graph by arithmetic that is the same on every processor.

TensorFlow folds Rsqrt and Reciprocal of a constant by its own kernels, Eigen's. They refine the processor's
approximation (rsqrtps, rcpps) by one step of Newton's: a third of the results is a unit in the last place off, and
which ones depends on the maker of the processor. Addition, multiplication, division and square root are rounded right
everywhere (IEEE 754).
"""

import types

import numpy as np

from zoomill.graph.graph_def import in_place_of, node_name

_NORMS = ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")
_OPERATORS = {
    "Identity": lambda x: x,
    "Add": np.add,
    "AddV2": np.add,
    "Rsqrt": lambda x: (1 / np.sqrt(x.astype(np.float64))).astype(np.float32),
    "Reciprocal": lambda x: np.float32(1) / x,
    "Inv": lambda x: np.float32(1) / x,
}


def fold_approximated(tf, graph):
    """Return a frozen graph with a constant for each Rsqrt and Reciprocal of float32 constants outside its functions.

    Args:
        tf: the TensorFlow module.
        graph: GraphDef.
    """
    values = _Values(tf, graph)

    def fold(node):
        value = values.of(node.name) if node.op in ("Rsqrt", "Reciprocal", "Inv") else None
        return None if value is None else in_place_of(tf, node, [], lambda: tf.constant(value))

    return _replaced(tf, graph, fold)


def split_batch_norms(tf, graph):
    """Return a frozen graph with a product and a sum for each batch normalisation by constants outside its functions.

    As in TensorFlow's own converter: ``m = scale / sqrt(variance + epsilon)``, then ``x * m + (offset - mean * m)``, in
    float32. One of another dtype stays, one with its channels first, and one whose statistics are read.

    Args:
        tf: the TensorFlow module.
        graph: GraphDef.
    """
    values = _Values(tf, graph)
    read = [tensor.partition(":") for node in graph.node for tensor in node.input]
    measured = {name for name, _, output in read if output not in ("", "0")}

    def split(node):
        if node.op not in _NORMS or node.attr["is_training"].b or node.name in measured:
            return None
        if node.attr["T"].type != tf.float32.as_datatype_enum or node.attr["data_format"].s != b"NHWC":
            return None
        parameters = [values.of(tensor) for tensor in node.input[1:]]
        if any(value is None for value in parameters):
            return None
        scale, offset, mean, variance = parameters
        factor = scale * _OPERATORS["Rsqrt"](variance + np.float32(node.attr["epsilon"].f))
        given = types.SimpleNamespace(dtype=tf.float32, shape=None)
        return in_place_of(tf, node, [given], lambda x: x * factor + (offset - mean * factor))

    return _replaced(tf, graph, split)


class _Values:
    """The constants of a graph, and what is computed of them."""

    def __init__(self, tf, graph):
        self.tf, self.nodes, self.known = tf, {node.name: node for node in graph.node}, {}

    def of(self, tensor):
        """Return the value of a node's first output, float32; None for one that is no such constant."""
        name = node_name(tensor)
        if name not in self.known:
            self.known[name] = None  # for a node that depends on itself
            self.known[name] = self._computed(self.nodes[name])
        return self.known[name]

    def _computed(self, node):
        if node.op == "Const":
            value = self.tf.make_ndarray(node.attr["value"].tensor)
            return value if value.dtype == np.float32 else None
        if node.op not in _OPERATORS or any(tensor.startswith("^") for tensor in node.input):
            return None
        values = [self.of(tensor) for tensor in node.input]
        return None if any(value is None for value in values) else _OPERATORS[node.op](*values)


def _replaced(tf, graph, replacement):
    result = tf.compat.v1.GraphDef(versions=graph.versions, library=graph.library)
    for node in graph.node:
        result.node.extend(replacement(node) or [node])
    return result
