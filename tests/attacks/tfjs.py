"""TensorFlow.js models: layers that call Python or TensorFlow, graphs that touch files, weights from elsewhere."""

import json

from attacks.attack import attack
from attacks.keras import called, chain, function_layer, lambda_layer, method_layer
from attacks.tensorflow import after, frozen, told


def model_json(folder, topology, paths=(), weights=()):
    manifest = [{"paths": list(paths), "weights": list(weights)}] if paths else []
    document = {"format": "layers-model", "modelTopology": topology, "weightsManifest": manifest}
    (folder / "model.json").write_text(json.dumps(document))


def layers(folder, config):
    """Write a layers model without weights."""
    model_json(folder, {"keras_version": "2.15.0", "backend": "tensorflow", "model_config": config})


def graph(folder, build):
    """Write a graph model: see :func:`attacks.tensorflow.frozen`."""
    import numpy as np
    import tensorflow as tf
    from google.protobuf import json_format

    frozen(folder / "graph.pb", build)
    definition = tf.compat.v1.GraphDef.FromString((folder / "graph.pb").read_bytes())
    (folder / "graph.pb").unlink()
    weights, data = [], b""
    for node in definition.node:
        if node.op != "Const" or node.attr["dtype"].type == tf.string.as_datatype_enum:
            continue
        value = tf.make_ndarray(node.attr["value"].tensor)
        weights.append({"name": node.name, "shape": list(value.shape), "dtype": value.dtype.name})
        data += np.ascontiguousarray(value).tobytes()
        node.attr["value"].tensor.ClearField("tensor_content")
        node.attr["value"].tensor.ClearField("float_val")
        node.attr["value"].tensor.ClearField("int_val")
    (folder / "w.bin").write_bytes(data)
    model_json(folder, json_format.MessageToDict(definition), ["w.bin"], weights)


def text(tf, path):
    """Return a path as a tensor that is made of numbers, as weights of TensorFlow.js hold no text here."""
    return tf.strings.unicode_encode(tf.constant(list(map(ord, str(path)))), "UTF-8")


@attack("tfjs", path="model.json", allow=["Lambda"])
def layers_with_a_lambda(place):
    layers(place.source, chain(lambda_layer(place.marker)))


@attack("tfjs", path="model.json", allow=["TFOpLambda"])
def layers_that_write_a_file(place):
    layers(place.source, called(function_layer("io.write_file"), str(place.marker), contents="x"))


@attack("tfjs", path="model.json", allow=["ClassMethod"])
def layers_that_call_a_method(place):
    layers(place.source, called(method_layer(), [str(place.marker), "x"], kwargs={}))


@attack("tfjs", path="model.json")
def weights_are_outside(place):
    dense = {"class_name": "Dense", "config": {"name": "d", "units": 1, "use_bias": False}}
    config = {"keras_version": "2.15.0", "backend": "tensorflow", "model_config": chain(dense)}
    weights = [{"name": "d/kernel", "shape": [8, 1], "dtype": "float32"}]
    model_json(place.source, config, [f"../outside/{place.secret.name}"], weights)


@attack("tfjs", path="model.json", allow=["WriteFile"])
def graph_that_writes_a_file(place):
    graph(place.source, lambda tf, x: after(tf, x, tf.io.write_file(text(tf, place.marker), text(tf, "x"))))


@attack("tfjs", path="model.json")
def model_json_nested_50000_deep(place):
    (place.source / "model.json").write_text('{"modelTopology":' + "[" * 50000 + "]" * 50000 + "}")


@attack("tfjs", path="model.json")
def weights_of_1e18_numbers(place):
    weights = [{"name": "d/kernel", "shape": [10**9, 10**9], "dtype": "float32"}]
    (place.source / "w.bin").write_bytes(bytes(64))
    model_json(place.source, {"model_config": chain()}, ["w.bin"], weights)


@attack("tfjs", path="model.json", allow=["ReadFile"])
def graph_that_reads_a_file(place):
    graph(place.source, lambda tf, x: told(tf, x, tf.io.read_file(text(tf, place.secret))))
