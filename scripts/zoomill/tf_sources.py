"""Sources that TensorFlow 2 itself can load: as a frozen graph with named ends, and as a function to run."""

import json
import os

from zoomill.errors import UserError
from zoomill.export import Tensor
from zoomill.framework import refusing


def freeze(function, origin="the model"):
    """Freeze a concrete function.

    Args:
        function: a concrete function.
        origin: file name for messages.

    Returns:
        The GraphDef with all variables as constants, and the :class:`~zoomill.export.Tensor` lists of the inputs and
        outputs, in the function's own order and named as its structured signature names them.
    """
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    with refusing(f"{origin}: TensorFlow cannot freeze it"):
        frozen = convert_variables_to_constants_v2(function, lower_control_flow=False, aggressive_inlining=True)
    names = sorted(function.structured_input_signature[1]) or [t.op.name for t in frozen.inputs]
    by_name = {tensor.op.name: tensor for tensor in frozen.inputs}
    inputs = [_tensor(name, by_name.get(name, frozen.inputs[i])) for i, name in enumerate(names)]
    outputs = function.structured_outputs
    if isinstance(outputs, dict):
        labels = sorted(outputs)
    else:
        labels = ["output"] if len(frozen.outputs) == 1 else [f"output_{i}" for i in range(len(frozen.outputs))]
    # A function's flat outputs are those of its structure, in the order of tf.nest: sorted by key.
    return (
        frozen.graph.as_graph_def(),
        inputs,
        [_tensor(name, t) for name, t in zip(labels, frozen.outputs, strict=True)],
    )


def _tensor(name, tensor):
    rank = tensor.shape.rank
    shape = None if rank is None else tuple(tensor.shape.as_list())
    return Tensor(name, tensor.name, tensor.dtype.name, shape)


def graph_session(graph, inputs, outputs, origin):
    """Return a function that runs a TF1 graph in a session of its own, untouched by any export.

    Args:
        graph: frozen GraphDef, or a function that fills the default graph and returns a session.
        inputs, outputs: :class:`~zoomill.export.Tensor` lists.
        origin: file name for messages.
    """
    import tensorflow as tf

    session = tf.compat.v1.Session(graph=tf.Graph())
    with session.graph.as_default():
        if callable(graph):
            graph(session)
        else:
            with refusing(f"{origin}: TensorFlow cannot read it"):
                tf.import_graph_def(graph, name="")

    def run(feed):
        fetches = {tensor.name: tensor.tensor for tensor in outputs}
        with refusing(f"{origin}: TensorFlow cannot run the source"):
            return session.run(fetches, {tensor.tensor: feed[tensor.name] for tensor in inputs})

    return run


def graph_tensors(graph, names, origin):
    """Return :class:`~zoomill.export.Tensor` entries for tensors of a TF1 graph.

    Args:
        graph: GraphDef.
        names: ``{contract name: tensor}``; a tensor without ``:index`` is the node's first.
        origin: file name for messages.

    Raises:
        UserError: for a tensor that the graph does not have.
    """
    import tensorflow as tf

    copy = tf.compat.v1.GraphDef()
    copy.CopyFrom(graph)
    result = []
    with tf.Graph().as_default() as imported:
        with refusing(f"{origin}: TensorFlow cannot read it"):
            tf.import_graph_def(copy, name="")
        for name, tensor in names.items():
            full = tensor if ":" in tensor else f"{tensor}:0"
            try:
                found = imported.get_tensor_by_name(full)
            except (KeyError, ValueError) as error:
                raise UserError(f"{origin}: the graph has no tensor {tensor}; name the `{name}` of the card") from error
            result.append(_tensor(name, found))
    return result


def keras_model(path, allowed):
    """Load a Keras model of any generation for inference.

    Args:
        path: ``.h5``, ``.keras`` or a Keras SavedModel folder.
        allowed: class names of Lambda layers or custom objects that the card allows.

    Returns:
        The model, built by the Keras generation that wrote it.

    Raises:
        UserError: for a file that cannot be read, or a layer that would run code of its own.
    """
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    config, version = _keras_config(path)
    for layer in layer_configurations(config):
        if layer["class_name"] in ("Lambda", "TFOpLambda>Lambda") and "Lambda" not in allowed:
            name = layer.get("config", {}).get("name", "")
            raise UserError(
                f"{path}: the layer {name} is a Lambda, which runs code out of the file; "
                "allow it in the card with source.allow: [Lambda] if you trust its origin"
            )
    if version.startswith("3"):
        import keras
    else:
        import tf_keras as keras
    try:
        options = {"safe_mode": "Lambda" not in allowed} if version.startswith("3") else {}
        model = keras.models.load_model(path, compile=False, **options)
    except (OSError, ValueError, TypeError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{path}: Keras cannot load it: {reason}") from error
    if not getattr(model, "inputs", None):
        raise UserError(f"{path}: its inputs are not known to Keras; a signature of a SavedModel is kind saved_model")
    return model


def _keras_config(path):
    """Return the configuration of the model in a file or folder, and the version of Keras that wrote it."""
    import zipfile

    import h5py

    if os.path.isdir(path):
        return _saved_config(path), "2"
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                config = json.loads(archive.read("config.json"))
                return config, json.loads(archive.read("metadata.json")).get("keras_version", "3")
        with h5py.File(path, "r") as file:
            config, version = file.attrs.get("model_config"), file.attrs.get("keras_version", "2")
    except (OSError, KeyError, ValueError) as error:
        raise UserError(f"{path}: is no Keras file that can be read: {error}") from error
    if config is None:
        raise UserError(f"{path}: holds weights only; a model with its configuration is needed")
    text = config.decode() if isinstance(config, bytes) else config
    return json.loads(text), version.decode() if isinstance(version, bytes) else version


def _saved_config(path):
    """Return the configurations of all layers in a SavedModel that Keras 2 wrote."""
    from google.protobuf.message import DecodeError
    from tf_keras.protobuf import saved_metadata_pb2

    try:
        with open(os.path.join(path, "keras_metadata.pb"), "rb") as file:
            metadata = saved_metadata_pb2.SavedMetadata.FromString(file.read())
        return [json.loads(node.metadata) for node in metadata.nodes]
    except (OSError, DecodeError, ValueError) as error:
        raise UserError(
            f"{path}: has no keras_metadata.pb that can be read; a SavedModel without Keras in it is kind saved_model"
        ) from error


def layer_configurations(config):
    """Yield every layer configuration inside a model's configuration, however deep."""
    if isinstance(config, dict):
        if isinstance(config.get("class_name"), str):
            yield config
        for value in config.values():
            yield from layer_configurations(value)
    elif isinstance(config, list):
        for value in config:
            yield from layer_configurations(value)


def freeze_keras(model, shapes):
    """Freeze a Keras model with a batch of one.

    Args:
        model: what :func:`keras_model` returned.
        shapes: shapes of its inputs from the card, one for each input or None; empty for none.

    Returns:
        What :func:`freeze` returns, inputs and outputs in the model's own order.

    Raises:
        UserError: when the card's shapes do not fit the model's.
    """
    graph, *sides = freeze(_keras_function(model, shapes))
    found = [{tensor.name: tensor for tensor in side} for side in sides]
    return graph, *([side[name] for name in names] for side, names in zip(found, _keras_names(model), strict=True))


def _keras_names(model):
    """Return the names of a model's inputs and outputs, in its order."""
    inputs = getattr(model, "input_names", None) or [tensor.name for tensor in model.inputs]
    outputs = getattr(model, "output_names", None) or [f"output_{i}" for i in range(len(model.outputs))]
    return [name.split(":")[0] for name in inputs], list(outputs)


def _keras_function(model, shapes):
    """Return a concrete function from keyword inputs to a dict of named outputs."""
    import tensorflow as tf

    names, outputs = _keras_names(model)
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
        return dict(zip(outputs, _call_keras(model, [feed[name] for name in names]), strict=True))

    return call.get_concrete_function(**specs)


def _call_keras(model, values):
    """Return the outputs of a Keras model as a list in its order."""
    import tensorflow as tf

    return tf.nest.flatten(model(values if len(values) > 1 else values[0], training=False))


def run_keras(model):
    """Return a function that calls a Keras model on ``{input name: array}`` eagerly, not through the traced graph."""
    import tensorflow as tf

    inputs, outputs = _keras_names(model)

    def run(feed):
        found = _call_keras(model, [tf.constant(feed[name]) for name in inputs])
        return {name: value.numpy() for name, value in zip(outputs, found, strict=True)}

    return run
