"""Inputs of a source that a card pins to constants: the graph is exported without them."""

import dataclasses

import numpy as np

from zoomill.errors import UserError
from zoomill.graph.graph_def import node_name


def pinned(source, constants):
    """Return a source without the inputs that are constants.

    Args:
        source: :class:`zoomill.graph.source.Source`.
        constants: ``{input name: value}``, a number or truth value, which fills the input, or nested lists of its
            shape; sizes that the source leaves open are 1 where one value fills it.

    Raises:
        UserError: for a name that is no input, or a value that does not fit it.
    """
    import tensorflow as tf

    tensors = {tensor.name: tensor for tensor in source.inputs}
    if unknown := sorted(constants.keys() - tensors.keys()):
        raise UserError(f"`constants` names {unknown[0]}, which is no input; there are: {', '.join(tensors)}")
    if constants and constants.keys() == tensors.keys():
        raise UserError("`constants` names all inputs of the source; one at least must stay")
    values = {name: _array(tensors[name], value) for name, value in constants.items()}
    nodes = {node_name(tensors[name].tensor): value for name, value in values.items()}
    graph = tf.compat.v1.GraphDef()
    graph.CopyFrom(source.graph)
    for node in graph.node:
        if node.name in nodes:
            value, name = nodes[node.name], node.name
            node.Clear()
            node.name, node.op = name, "Const"
            node.attr["dtype"].type = tf.as_dtype(value.dtype).as_datatype_enum
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))

    def run(feed):
        return source.run({**feed, **values})

    notes = [f"the source's input {name} is {constants[name]} here, a constant" for name in sorted(constants)]
    left = [tensor for tensor in source.inputs if tensor.name not in constants]
    return dataclasses.replace(source, graph=graph, inputs=left, run=run, notes=[*source.notes, *notes])


def _array(tensor, value):
    """Return a constant as an array of the input's dtype and shape."""
    try:
        given = np.array(value)
        found = given.astype(tensor.dtype)
        if not given.ndim:
            found = np.broadcast_to(found, [size or 1 for size in tensor.shape or ()])
        sizes = found.shape if tensor.shape is None else tensor.shape
        fits = all(size in (None, own) for size, own in zip(sizes, found.shape, strict=True))
        fits = fits and np.allclose(given, found, rtol=1e-3, atol=0)
    except (TypeError, ValueError):
        fits = False
    if not fits:
        shape = "any shape" if tensor.shape is None else f"shape {list(tensor.shape)}"
        raise UserError(f"input {tensor.name}: `constants` gives {value}, the source takes {tensor.dtype} of {shape}")
    return found
