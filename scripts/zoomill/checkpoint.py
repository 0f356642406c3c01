"""Reading the graph and the variables of a TF1 checkpoint, or a frozen graph, as data: nothing is run."""

import os

from zoomill.errors import UserError


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
        UserError: when neither is there or can be read.
    """
    import tensorflow as tf

    meta = f"{checkpoint}.meta"
    if os.path.exists(meta):
        graph = _parse(tf.compat.v1.MetaGraphDef(), meta).graph_def
        return graph, _variables(tf, checkpoint, use_moving_averages), meta
    if os.path.exists(frozen):
        return _parse(tf.compat.v1.GraphDef(), frozen), None, frozen
    raise UserError(f"neither {meta} nor {frozen} is there; check `source` in the card")


def _parse(message, path):
    from google.protobuf.message import DecodeError

    try:
        with open(path, "rb") as file:
            message.ParseFromString(file.read())
    except DecodeError as error:
        raise UserError(f"{path}: is no TensorFlow graph: {error}") from error
    return message


def _variables(tf, checkpoint, use_moving_averages):
    """Return the function that reads one variable straight from the checkpoint, without a session."""
    try:
        reader = tf.train.load_checkpoint(checkpoint)
    except (tf.errors.OpError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{checkpoint}: the checkpoint cannot be read: {reason}") from error
    names = reader.get_variable_to_shape_map()

    def read(name):
        average = f"{name}/ExponentialMovingAverage"
        stored = average if use_moving_averages and average in names else name
        if stored not in names:
            raise UserError(f"{checkpoint}: the checkpoint lacks the variable {name}, which its graph needs")
        try:
            return reader.get_tensor(stored)
        except tf.errors.OpError as error:
            reason = str(error).splitlines()[0]
            raise UserError(f"{checkpoint}: the variable {name} cannot be read: {reason}") from error

    return read
