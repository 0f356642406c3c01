"""Keras models: loaded from a checked copy by the generation that wrote them, frozen, and run."""

import os
import tempfile

from zoomill.errors import UserError
from zoomill.framework import refusing
from zoomill.graph.source import Source
from zoomill.sources import keras_copy, tf_sources


def load(folder, options, expected):
    """Return a Keras model with a batch of one, see :mod:`zoomill.sources.exporter`."""
    path = os.path.join(folder, options["path"])
    model = read(path, options.get("allow", ()))
    graph, inputs, outputs = freeze(model, expected["inputs"], path)
    return Source(graph, inputs, outputs, runner(model, path), batched=True)


def read(path, allow):
    """Load a Keras model of any generation for inference.

    Args:
        path: HDF5 file, .keras archive or Keras SavedModel folder; what it is, its first bytes tell.
        allow: names of classes and functions that the card allows.

    Returns:
        The model, built by the Keras generation that wrote it.

    Raises:
        UserError: for a file that cannot be read, or holds anything besides a network.
    """
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        copy, generation = keras_copy.write(path, allow, folder)
        if generation == 3:
            import keras
        else:
            import tf_keras as keras
        with refusing(f"{path}: Keras cannot load it"):
            model = keras.models.load_model(copy, compile=False, safe_mode="Lambda" not in allow)
    if not getattr(model, "inputs", None):
        raise UserError(f"{path}: its inputs are not known to Keras; a signature of a SavedModel is kind saved_model")
    return model


def freeze(model, expected, path):
    """Freeze a Keras model with a batch of one.

    Args:
        model: what :func:`read` returned.
        expected: the card's inputs, of which the shapes count.
        path: of the file, for messages.

    Returns:
        What :func:`zoomill.sources.tf_sources.freeze` returns, inputs and outputs in the model's own order.

    Raises:
        UserError: when the card's shapes do not fit the model's, or Keras cannot call it.
    """
    function, specs = _function(model, [entry.get("shape") for entry in expected])
    with refusing(f"{path}: Keras cannot call it"):
        graph, *sides = tf_sources.freeze(function.get_concrete_function(**specs))
    found = [{tensor.name: tensor for tensor in side} for side in sides]
    return graph, *([side[name] for name in names] for side, names in zip(found, _names(model), strict=True))


def _names(model):
    """Return the names of a model's inputs and outputs, in its order."""
    inputs = getattr(model, "input_names", None) or [tensor.name for tensor in model.inputs]
    outputs = getattr(model, "output_names", None) or [f"output_{i}" for i in range(len(model.outputs))]
    return [name.split(":")[0] for name in inputs], list(outputs)


def _function(model, shapes):
    """Return a function from keyword inputs to a dict of named outputs, and the specs of its inputs."""
    import tensorflow as tf

    names, outputs = _names(model)
    if shapes and len(shapes) != len(names):
        raise UserError(f"the card has {len(shapes)} inputs, the source {len(names)}")
    specs = {}
    for name, tensor, shape in zip(names, model.inputs, shapes or [None] * len(names), strict=True):
        own = list(tensor.shape)
        if shape and (len(shape) != len(own) or any(a not in (None, b) for a, b in zip(own, shape, strict=True))):
            raise UserError(f"input {name}: the card expects shape {shape}, the source has {own}")
        specs[name] = tf.TensorSpec(shape or [1, *own[1:]], tf.as_dtype(tensor.dtype), name=name)

    @tf.function
    def call(**feed):
        return dict(zip(outputs, _call(model, [feed[name] for name in names]), strict=True))

    return call, specs


def _call(model, values):
    """Return the outputs of a Keras model as a list in its order."""
    import tensorflow as tf

    return tf.nest.flatten(model(values if len(values) > 1 else values[0], training=False))


def runner(model, path):
    """Return a function that calls a Keras model on ``{input name: array}`` eagerly, not through the traced graph."""
    import tensorflow as tf

    inputs, outputs = _names(model)

    def run(feed):
        with refusing(f"{path}: Keras cannot run it"):
            found = [value.numpy() for value in _call(model, [tf.constant(feed[name]) for name in inputs])]
        return dict(zip(outputs, found, strict=True))

    return run
