"""TensorFlow.js models: as a TensorFlow graph, and as a function run by TensorFlow.js in Node."""

import dataclasses
import json
import math
import os

import numpy as np

from zoomill.errors import UserError
from zoomill.framework import refusing
from zoomill.graph.source import Source
from zoomill.inspect import allowed, allowed_layers, allowed_operators, graph_walk, guards
from zoomill.inspect.tensor_names import contract_names
from zoomill.inspect.tfjs import spell_texts
from zoomill.sources import keras_source
from zoomill.tfjs import tfjs_runtime

# What a weight may be stored as: tfjs-core/src/io/types.ts. Strings and complex numbers are not read.
_STORED = {"float32": "<f4", "int32": "<i4", "bool": "?", "uint8": "u1", "uint16": "<u2", "float16": "<f2"}


@dataclasses.dataclass(frozen=True)
class Model:
    """A TensorFlow.js model.

    Attributes:
        path: its model.json.
        document: the content of that file.
        weights: ``{name: array}``, quantised ones expanded.
    """

    path: str
    document: dict
    weights: dict

    @property
    def topology(self):
        """What computes: a GraphDef of a graph model, a Keras configuration of a layers model."""
        return self.document["modelTopology"]

    @property
    def is_graph(self):
        """Whether it is a graph model and no layers model."""
        return "node" in self.topology


def load(folder, options, expected, library):
    """Return a graph or layers model as a :class:`~zoomill.graph.source.Source`: see :mod:`zoomill.sources.exporter`.

    Args:
        folder, options, expected: as of any source.
        library: folder of the JavaScript packages and Node.
    """
    model, allow = read(os.path.join(folder, options["path"])), options.get("allow", ())
    if model.is_graph:
        definition, *ends = graph(model, options.get("output_tensors", {}), allow)
        names = [{tensor.name: tensor.tensor for tensor in end} for end in ends]
    else:
        definition, *ends = keras_source.freeze(keras_model(model, allow), expected["inputs"], model.path)
        names = [{tensor.name: str(place) for place, tensor in enumerate(end)} for end in ends]
    return Source(definition, *ends, runner(model, *names, library))


def read(path):
    """Read a model.json and the weights beside it.

    Raises:
        UserError: when the JSON is no TFJS model, when weights are outside its folder or not as many as it says.
    """
    try:
        document = guards.parsed(guards.read(path, guards.TEXT_LIMIT), path)
        topology, manifest = document["modelTopology"], document["weightsManifest"]
        if not isinstance(topology, dict):
            raise UserError(f"{path}: has no modelTopology")
        weights = {}
        for group in manifest:
            weights.update(_group(path, group))
    except OSError as error:
        raise UserError(f"{error.filename}: cannot be read: {error.strerror}") from error
    except (ArithmeticError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: is no TensorFlow.js model, or is damaged: {error!r}") from error
    if document.get("modelInitializer"):
        raise UserError(f"{path}: has an initializer graph (hash tables), which is not supported")
    return Model(path, document, weights)


def _group(path, group):
    """Return the weights of a group of the manifest as ``{name: array}``."""
    data = b"".join(guards.beside(path, location).read_bytes() for location in group["paths"])
    weights, start = {}, 0
    for entry in group["weights"]:
        stored = entry.get("quantization", entry)
        if stored["dtype"] not in _STORED or entry["dtype"] not in _STORED:
            raise UserError(f"{path}: weight {entry['name']} has dtype {entry['dtype']}, which is not supported")
        dtype = np.dtype(_STORED[stored["dtype"]])
        count = math.prod(entry["shape"])
        end = start + count * dtype.itemsize
        if count < 0 or end > len(data):
            raise UserError(f"{path}: the weights are truncated: {len(data)} bytes, {entry['name']} ends at {end}")
        values = np.frombuffer(data, dtype, count, start)
        weights[entry["name"]] = _expanded(values, entry).reshape(entry["shape"])
        start = end
    if start != len(data):
        raise UserError(f"{path}: has {len(data) - start} bytes of weights more than its manifest names")
    return weights


def _expanded(values, entry):
    """Return stored values in the dtype of a weight: tfjs-core/src/io/io_utils.ts, decodeWeights."""
    stored = entry.get("quantization", {})
    if "scale" in stored:
        values = values * float(stored["scale"]) + float(stored["min"])
        values = np.floor(values + 0.5) if entry["dtype"] == "int32" else values
    return values.astype(np.dtype(_STORED[entry["dtype"]]))


def graph(model, outputs, allow):
    """Return a graph model as a TensorFlow graph without TensorFlow.js's own operators.

    Args:
        model: :class:`Model`.
        outputs: ``{contract name: tensor}`` to end the graph elsewhere than its signature; empty for the signature's.
        allow: names of operators that the card allows.

    Returns:
        GraphDef and the :class:`~zoomill.graph.source.Tensor` lists of inputs and outputs, sorted by name; those of the
        signature are called as it calls them.

    Raises:
        UserError: when the topology is no graph, a constant has no weights, or operators do more than compute.
    """
    import tensorflow as tf
    from google.protobuf import json_format

    from zoomill.sources import freezing
    from zoomill.sources.tfjs_fused import without_fused

    definition = tf.compat.v1.GraphDef()
    with refusing(f"{model.path}: modelTopology is no TensorFlow graph"):
        spell_texts(model.topology)
        json_format.ParseDict(model.topology, definition)
    if not definition.versions.producer:
        definition.versions.producer = tf.version.GRAPH_DEF_VERSION
    bodies = [definition.node, *(function.node_def for function in definition.library.function)]
    for node in (node for body in bodies for node in body if node.op == "Const"):
        if node.name not in model.weights:
            raise UserError(f"{model.path}: the constant {node.name} has no weights in the manifest")
        with refusing(f"{model.path}: the constant {node.name} cannot be made"):
            _set_value(tf, node, model.weights[node.name], model.path)
    for body in bodies:
        plain = [new for node in body for new in without_fused(node, model.path)]
        del body[:]
        body.extend(plain)
    signature = model.document.get("signature") or (model.document.get("userDefinedMetadata") or {}).get("signature")
    graph_walk.require_sound(definition, model.path)
    ends = [_signature(model, signature, "inputs", definition)]
    ends.append(outputs or _signature(model, signature, "outputs", definition))
    allowed_operators.checked(definition, [tensor for end in ends for tensor in end.values()], model.path, allow)
    return definition, *(freezing.graph_tensors(definition, tensors, model.path) for tensors in ends)


def _set_value(tf, node, value, path):
    """Write a weight into a constant."""
    dtype, shape = tf.as_dtype(node.attr["dtype"].type), node.attr["value"].tensor.tensor_shape
    declared = [dim.size for dim in shape.dim]
    if declared != list(value.shape):
        raise UserError(f"{path}: the constant {node.name} has shape {declared}, its weights {list(value.shape)}")
    proto = tf.make_tensor_proto(value.astype(dtype.as_numpy_dtype), dtype=dtype, shape=value.shape)
    node.attr["value"].tensor.CopyFrom(proto)


def _signature(model, signature, kind, definition):
    """Return ``{contract name: tensor}`` of the signature, or of a graph without one its loose ends."""
    try:
        entries = {key: str(entry["name"]) for key, entry in ((signature or {}).get(kind) or {}).items()}
    except (AttributeError, KeyError, TypeError) as error:
        raise UserError(f"{model.path}: its signature is damaged: {error!r}") from error
    if not entries:
        used = {name.lstrip("^").split(":")[0] for node in definition.node for name in node.input}
        inputs = [node.name for node in definition.node if node.op == "Placeholder"]
        ends = [node.name for node in definition.node if node.name not in used and node.op not in ("Const", "NoOp")]
        entries = {name: name for name in (inputs if kind == "inputs" else ends)}
    keys = sorted(entries)
    return {name: entries[key] for name, key in zip(contract_names(keys, model.path), keys, strict=True)}


def keras_model(model, allow):
    """Return a layers model as a Keras 2 model with its weights.

    Args:
        model: :class:`Model`.
        allow: names of classes and functions that the card allows.

    Raises:
        UserError: for anything besides a network, a layer that Keras does not know, or weights that do not fit.
    """
    import tf_keras

    config = model.topology.get("model_config", model.topology)
    allowed.require(model.path, allowed_layers.found(config), allow)
    with refusing(f"{model.path}: Keras cannot build it"):
        built = tf_keras.models.model_from_json(json.dumps(config))
    if not getattr(built, "inputs", None):
        raise UserError(f"{model.path}: Keras makes no model with inputs of it")
    variables = {variable.name.removesuffix(":0"): variable for variable in built.weights}
    if variables.keys() != model.weights.keys():
        (name, *_) = sorted(variables.keys() ^ model.weights.keys(), key=str)
        raise UserError(f"{model.path}: the weight {name} is only in its layers or only in its manifest")
    for name, variable in variables.items():
        if tuple(variable.shape) != model.weights[name].shape:
            raise UserError(f"{model.path}: the weight {name} has another shape than its layer")
        variable.assign(model.weights[name])
    return built


def runner(model, inputs, outputs, library):
    """Return a function that runs the original files in TensorFlow.js on ``{input name: array}``.

    Args:
        model: :class:`Model`.
        inputs, outputs: ``{contract name: TensorFlow.js's name}``; of a layers model its place instead of a name.
        library: folder of the JavaScript packages and Node.
    """

    def run(feed):
        request = {
            "library": str(library),
            "backend": "cpu",
            "model": str(model.path),
            "inputs": [{theirs: tfjs_runtime.encode(feed[ours]) for ours, theirs in inputs.items()}],
            "outputs": list(outputs.values()),
            "runs": 1,
        }
        (found,) = tfjs_runtime.run_in_node(request)["outputs"]
        return {ours: tfjs_runtime.decode(found[theirs]) for ours, theirs in outputs.items()}

    return run
