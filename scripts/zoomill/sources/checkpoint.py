"""Reading the graph and the variables of a TF1 checkpoint, or a frozen graph, as data: nothing is run."""

import glob
import os

from zoomill.errors import UserError
from zoomill.framework import refusing
from zoomill.graph.graph_def import VARIABLE_OPS, ancestors, freeze_node
from zoomill.inspect import graph_walk, guards


def read_graph(checkpoint, frozen, use_moving_averages):
    """Read a checkpoint's meta graph, or the frozen graph where there is no checkpoint.

    Args:
        checkpoint: prefix of ``.meta``, ``.index`` and ``.data-*``.
        frozen: path of a frozen GraphDef.
        use_moving_averages: take a variable's moving average where the checkpoint has one.

    Returns:
        The GraphDef; a function from a variable's name to its value, None for a frozen graph; the file the graph
        came from.

    Raises:
        UserError: when neither is there, can be read or is sound.
    """
    import tensorflow as tf

    meta = f"{checkpoint}.meta"
    if os.path.exists(meta):
        return read_unfrozen(meta), _variables(tf, checkpoint, use_moving_averages), meta
    if os.path.exists(frozen):
        return read_unfrozen(frozen), None, frozen
    others = sorted(glob.glob(os.path.join(glob.escape(os.path.dirname(meta)), "*.meta")))
    if others:
        raise UserError(
            f"{others[0]}: is a checkpoint as a training writes it; export it by export_inference_graph.py of the "
            f"Object Detection API, which writes {os.path.basename(meta)} and {os.path.basename(frozen)}"
        )
    raise UserError(f"neither {meta} nor {frozen} is there; check `source` in the card")


def read_frozen(path):
    """Read a frozen GraphDef.

    Raises:
        UserError: when the file is none, is not sound, or still has variables.
    """
    graph = read_unfrozen(path)
    if not graph.node:
        raise UserError(f"{path}: is no frozen TensorFlow graph (GraphDef)")
    variables = [node.name for node in graph.node if node.op in VARIABLE_OPS]
    if variables:
        raise UserError(f"{path}: is not frozen, it has the variable {variables[0]}; use kind tf1_checkpoint")
    return graph


def read_unfrozen(path):
    """Read the GraphDef of an inference graph (``.pb``) or of a meta graph (``.meta``).

    Raises:
        UserError: when the file is none, or is not sound (:func:`zoomill.inspect.graph_walk.require_sound`).
    """
    import tensorflow as tf

    meta = path.endswith(".meta")
    graph = _parse(tf.compat.v1.MetaGraphDef(), path).graph_def if meta else _parse(tf.compat.v1.GraphDef(), path)
    graph_walk.require_sound(graph, path)
    return graph


def freeze(graph, outputs, checkpoint, use_moving_averages):
    """Return the part of a graph that ``outputs`` need, its variables read straight from the checkpoint.

    Args:
        graph: GraphDef.
        outputs: :class:`zoomill.graph.source.Tensor` list.
        checkpoint: prefix.
        use_moving_averages: take a variable's moving average where the checkpoint has one.
    """
    import tensorflow as tf

    nodes = {node.name: node for node in graph.node}
    kept = ancestors(nodes, [tensor.tensor for tensor in outputs])
    read = _variables(tf, checkpoint, use_moving_averages)
    result = tf.compat.v1.GraphDef(versions=graph.versions, library=graph.library)
    for node in graph.node:
        if node.name in kept:
            result.node.append(freeze_node(tf, node, read))
    return result


def restorer(graph, checkpoint, use_moving_averages):
    """Return a function that fills a session's graph and assigns its variables; the graph's own saver is not run."""
    import tensorflow as tf

    def restore(session):
        with refusing(f"{checkpoint}: TensorFlow cannot read its graph"):
            tf.import_graph_def(graph, name="")
        names = tf.train.load_checkpoint(checkpoint).get_variable_to_shape_map()
        stored = {}
        for node in graph.node:
            if node.op in VARIABLE_OPS and node.name in names:
                average = f"{node.name}/ExponentialMovingAverage"
                key = average if use_moving_averages and average in names else node.name
                stored[key] = session.graph.get_tensor_by_name(f"{node.name}:0")
        for key, reference in stored.items():
            with refusing(f"{checkpoint}: the variable {key} cannot be restored"):
                session.run(tf.compat.v1.assign(reference, tf.train.load_variable(checkpoint, key)))

    return restore


def _parse(message, path):
    from google.protobuf.message import DecodeError

    try:
        message.ParseFromString(guards.read(path, guards.BINARY_LIMIT))
    except DecodeError as error:
        raise UserError(f"{path}: is no TensorFlow graph: {error}") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    return message


def _variables(tf, checkpoint, use_moving_averages):
    """Return the function that reads one variable straight from the checkpoint, without a session."""
    with refusing(f"{checkpoint}: the checkpoint cannot be read"):
        reader = tf.train.load_checkpoint(checkpoint)
    names = reader.get_variable_to_shape_map()

    def read(name):
        average = f"{name}/ExponentialMovingAverage"
        stored = average if use_moving_averages and average in names else name
        if stored not in names:
            raise UserError(
                f"{checkpoint}: the checkpoint lacks the variable {name}, which its graph needs; "
                "fetch the checkpoint that belongs to this graph"
            )
        with refusing(f"{checkpoint}: the variable {name} cannot be read"):
            return reader.get_tensor(stored)

    return read
