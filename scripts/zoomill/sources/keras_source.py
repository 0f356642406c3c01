"""Keras models: loaded from a checked copy by the generation that wrote them, frozen, and run."""

import dataclasses
import os
import re
import tempfile

from zoomill.errors import UserError
from zoomill.framework import reason, refusing
from zoomill.graph.source import Source
from zoomill.inspect.tensor_names import contract_names
from zoomill.sources import freezing, keras_copy

# How the loaders of both generations begin what they say of a class or function that they do not have.
_MISSING = re.compile(r"(?:Unknown|Could not locate|Could not interpret) [\w ]*?(?:identifier)?:? ?'([\w.>]+)'")


def load(folder, options, expected):
    """Return a Keras model, see :mod:`zoomill.sources.exporter`; an open batch is one, a fixed one is kept.

    What computes in half precision is computed in float32, and its own rounding kept apart.
    """
    path, allow = os.path.normpath(os.path.join(folder, options["path"])), options.get("allow", ())
    model, half = read(path, allow)
    graph, inputs, outputs = freeze(model, expected["inputs"], path)
    notes = [f"the source computes in {', '.join(half)}; here in float32, with the same variables"] if half else []
    for tensor, own in zip(inputs, model.inputs, strict=True):
        if own.shape and own.shape[0] not in (None, tensor.shape[0]):
            notes.append(f"input {tensor.name}: the source has a fixed batch of {own.shape[0]}, here it is 1")
    return Source(
        *(graph, inputs, outputs, runner(model, path)),
        notes=notes,
        batched=not any(own.shape and own.shape[0] for own in model.inputs),
        rounded=runner(read(path, allow, single=False)[0], path) if half else None,
    )


def read(path, allow, single=True):
    """Load a Keras model of any generation for inference.

    Args:
        path: HDF5 file, .keras archive or Keras SavedModel folder; what it is, its first bytes tell.
        allow: names of classes and functions that the card allows.
        single: compute in float32 what the model computes in half precision.

    Returns:
        The model, built by the Keras generation that wrote it, and the names of its policies of half precision.

    Raises:
        UserError: for a file that cannot be read, or holds anything besides a network.
    """
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        copy, generation, half = keras_copy.write(path, allow, folder, single)
        if generation == 3:
            import keras
        else:
            import tf_keras as keras
        try:
            model = keras.models.load_model(copy, compile=False, safe_mode="Lambda" not in allow)
        except Exception as error:  # whatever Keras raises, the file is the cause
            missing = _MISSING.search(str(error))
            why = f"it has no {missing[1]}; {keras_copy.WAY_OUT}" if missing else reason(error)
            raise UserError(f"{path}: Keras cannot load it: {why}") from error
    if not getattr(model, "inputs", None):
        raise UserError(f"{path}: its inputs are not known to Keras; a signature of a SavedModel is kind saved_model")
    return model, half


def freeze(model, expected, path):
    """Freeze a Keras model; an open batch becomes one.

    Args:
        model: what :func:`read` returned.
        expected: the card's inputs, of which the shapes count; of a fixed batch they may make one.
        path: of the file, for messages.

    Returns:
        What :func:`zoomill.sources.freezing.freeze` returns, inputs and outputs in the model's own order.

    Raises:
        UserError: when the card's shapes do not fit the model's, or Keras cannot call it.
    """
    import tensorflow as tf

    names, outputs = _names(model, path)
    specs = _specs(model, names, [entry.get("shape") for entry in expected])

    @tf.function
    def call(**feed):  # names of inputs need not be those that Python can have
        found = _call(model, [feed[f"input_{place}"] for place in range(len(names))])
        return {f"output_{place}": value for place, value in enumerate(found)}

    with refusing(f"{path}: Keras cannot call it"):
        graph, *sides = freezing.freeze(call.get_concrete_function(**specs))
    found = [{tensor.name: tensor for tensor in side} for side in sides]
    return graph, *(
        [dataclasses.replace(side[f"{kind}_{place}"], name=name) for place, name in enumerate(called)]
        for kind, side, called in zip(("input", "output"), found, (names, outputs), strict=True)
    )


def _structures(model):
    """Return how a model of either generation takes its inputs and gives its outputs: tensors, lists or dicts."""
    names = ("_inputs_struct", "_outputs_struct"), ("_nested_inputs", "_nested_outputs")
    found = [[getattr(model, name, None) for name in pair] for pair in names]
    return next((pair for pair in found if all(side is not None for side in pair)), [model.inputs, model.outputs])


def _names(model, path):
    """Return the names of a model's inputs and outputs, in its order: where they are a dict, its keys."""
    inputs = getattr(model, "input_names", None) or [tensor.name for tensor in model.inputs]
    outputs = getattr(model, "output_names", None) or [f"output_{i}" for i in range(len(model.outputs))]
    sides = zip(_structures(model), ([name.split(":")[0] for name in inputs], list(outputs)), strict=True)
    return [contract_names(_keys(structure) or names, path) for structure, names in sides]


def _keys(structure):
    """Return the keys of a dict of tensors, of dicts inside it with theirs, in the order of tf.nest; None of others."""
    from tensorflow.python.util import nest

    if not isinstance(structure, dict):
        return None
    return [key.replace("/", "_") for key, _ in nest.flatten_with_joined_string_paths(structure)]


def _specs(model, names, shapes):
    """Return the specs of a model's inputs as :func:`freeze` calls them."""
    import tensorflow as tf

    if shapes and len(shapes) != len(names):
        raise UserError(f"the card has {len(shapes)} inputs, the source {len(names)}")
    specs = {}
    for place, (name, tensor, shape) in enumerate(zip(names, model.inputs, shapes or [None] * len(names), strict=True)):
        own = list(tensor.shape)
        agree = not shape or len(shape) == len(own)
        for axis, (size, wanted) in enumerate(zip(own, shape or own, strict=False)):
            agree = agree and (size in (None, wanted) or (axis == 0 and wanted == 1))
        if not agree:
            raise UserError(f"input {name}: the card expects shape {shape}, the source has {own}")
        fixed = shape or [own[0] or 1, *own[1:]] if own else []
        key = f"input_{place}"
        specs[key] = tf.TensorSpec(fixed, tf.as_dtype(tensor.dtype), name=key)
    return specs


def _call(model, values):
    """Return the outputs of a Keras model as a list in its order."""
    import tensorflow as tf

    structure = _structures(model)[0]
    if isinstance(structure, dict):
        feed = tf.nest.pack_sequence_as(structure, values)
    else:
        feed = values if len(values) > 1 else values[0]
    return tf.nest.flatten(model(feed, training=False))


def runner(model, path):
    """Return a function that calls a Keras model on ``{input name: array}`` eagerly, not through the traced graph.

    Numbers of half precision come out as float32.
    """
    import tensorflow as tf

    inputs, outputs = _names(model, path)

    def run(feed):
        with refusing(f"{path}: Keras cannot run it"):
            found = _call(model, [tf.constant(feed[name]) for name in inputs])
            found = [tf.cast(v, tf.float32) if v.dtype in (tf.float16, tf.bfloat16) else v for v in found]
        return {name: value.numpy() for name, value in zip(outputs, found, strict=True)}

    return run
