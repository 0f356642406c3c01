"""Small right sources of every kind, whose files are broken: ``python -m attacks.seeds FOLDER ENVIRONMENT``."""

import dataclasses
import os
import sys
import tarfile
from pathlib import Path

from attacks.attack import ENVIRONMENTS
from attacks.exporters import REPOSITORY


@dataclasses.dataclass(frozen=True)
class Seed:
    """A right source.

    Attributes:
        kind: of source.
        files: those that are broken.
        form: how they are broken, a key of :data:`attacks.mutations.FORMS`.
        folder: where it is made; several seeds share one.
        flags: settings of the card: see :func:`attacks.exporters.flags`.
    """

    kind: str
    files: tuple
    form: str
    folder: str
    flags: dict

    @property
    def environment(self):
        return ENVIRONMENTS[self.kind]


_ENDS = {"input_tensors": {"x": "x"}, "output_tensors": {"y": "y"}}
_SHAPE = {"card": {"inputs": [{"shape": [1, 8, 8, 3]}]}}
_CHECKPOINT = {"graph": "graph.meta", "checkpoint": "model", **_ENDS}
SEEDS = {
    "frozen graph": Seed("frozen_graph", ("graph.pb",), "bytes", "frozen", {"path": "graph.pb", **_ENDS}),
    "SavedModel": Seed("saved_model", ("saved_model.pb",), "bytes", "saved_model", {}),
    "SavedModel's variables": Seed("saved_model", ("variables/variables.index",), "bytes", "saved_model", {}),
    "checkpoint": Seed("tf1_checkpoint", ("graph.meta", "model.index"), "bytes", "checkpoint", _CHECKPOINT),
    "Keras SavedModel": Seed("keras", ("keras_metadata.pb", "saved_model.pb"), "bytes", "keras_saved_model", {}),
    "Keras .h5": Seed("keras", ("m.h5",), "bytes", "h5", {"path": "m.h5"}),
    "Keras .keras": Seed("keras", ("m.keras",), "zip", "keras", {"path": "m.keras"}),
    "Keras config.json": Seed("keras", ("m.keras",), "zipped JSON", "keras", {"path": "m.keras"}),
    "TFJS graph": Seed("tfjs", ("model.json", "w.bin"), "bytes", "tfjs_graph", {"path": "model.json"}),
    "TFJS graph's JSON": Seed("tfjs", ("model.json",), "JSON", "tfjs_graph", {"path": "model.json"}),
    "TFJS layers": Seed("tfjs", ("model.json", "w.bin"), "bytes", "tfjs_layers", {"path": "model.json"}),
    "TFJS layers' JSON": Seed("tfjs", ("model.json",), "JSON", "tfjs_layers", {"path": "model.json"}),
    "Darknet": Seed("darknet", ("net.cfg", "net.weights"), "bytes", "darknet", {}),
    "Darknet's numbers": Seed("darknet", ("net.cfg",), "text", "darknet", {}),
    "pipeline.config": Seed("tf1_detection", ("pipeline.config",), "text", "detection", {}),
    "ONNX": Seed("onnx", ("m.onnx",), "bytes", "onnx", {"path": "m.onnx"}),
    "TFLite": Seed("tflite", ("m.tflite",), "bytes", "tflite", {"path": "m.tflite"}),
    "TFLite's structure": Seed("tflite", ("m.tflite",), "TFLite", "tflite", {"path": "m.tflite"}),
    "PyTorch program": Seed("pytorch", ("m.pt2",), "zip", "program", {"path": "m.pt2", **_SHAPE}),
    "PyTorch program's JSON": Seed("pytorch", ("m.pt2",), "zipped JSON", "program", {"path": "m.pt2", **_SHAPE}),
    "TorchScript": Seed("pytorch", ("m.pt",), "zip", "script", {"path": "m.pt", **_SHAPE}),
}


def network(layers, name):
    """Return the small network of a Keras generation: a convolution, a depthwise one, normalisation, and a matrix."""
    image = layers.Input((8, 8, 3), name="x")
    hidden = layers.Conv2D(4, 3, strides=2, activation="relu", name="conv")(image)
    hidden = layers.BatchNormalization(name="norm")(layers.DepthwiseConv2D(3, padding="same", name="depthwise")(hidden))
    hidden = layers.GlobalAveragePooling2D(name="mean")(layers.Activation("relu6", name="relu")(hidden))
    return image, layers.Dense(3, activation="softmax", name=name)(hidden)


def tf2(folder):
    """Write those of TensorFlow and Keras."""
    import keras
    import tensorflow as tf
    import tf_keras

    from attacks import tfjs
    from attacks.tensorflow import frozen

    tf_keras.utils.set_random_seed(1)
    old = tf_keras.Model(*network(tf_keras.layers, "y"))
    old.save(folder("h5") / "m.h5")
    old.save(folder("keras_saved_model"), save_format="tf")
    keras.Model(*network(keras.layers, "y")).save(folder("keras") / "m.keras")
    weights = [{"name": w.name[:-2], "shape": list(w.shape), "dtype": "float32"} for w in old.weights]
    layers = folder("tfjs_layers")
    (layers / "w.bin").write_bytes(b"".join(weight.numpy().tobytes() for weight in old.weights))
    topology = {"keras_version": "2.15.0", "backend": "tensorflow", "model_config": _json(old.to_json())}
    tfjs.model_json(layers, topology, ["w.bin"], weights)
    kernel, matrix = (tf.random.stateless_normal(shape, (1, 2)).numpy() for shape in ((3, 3, 1, 4), (4, 32)))

    def build(tf, x):
        hidden = tf.nn.relu(tf.nn.conv2d(tf.reshape(x, [1, 4, 8, 1]), kernel, 2, "SAME"))
        return tf.reduce_mean(hidden, [1, 2]) @ matrix + x

    frozen(folder("frozen") / "graph.pb", build)
    tfjs.graph(folder("tfjs_graph"), build)
    module = tf.Module()
    module.matrix = tf.Variable(matrix)
    spec = tf.TensorSpec([1, 4], name="x")
    module.call = tf.function(lambda x: {"y": tf.tanh(x @ module.matrix)}, input_signature=[spec])
    tf.saved_model.save(module, str(folder("saved_model")), signatures=module.call)
    _checkpoint(tf.compat.v1, folder("checkpoint"), kernel)
    _darknet(folder("darknet"))
    starter = REPOSITORY / "starter/ssd_mobilenet_v1_shapes/ssd_mobilenet_v1_shapes.tar.gz"
    with tarfile.open(starter) as archive:
        for member in filter(tarfile.TarInfo.isfile, archive):
            (folder("detection") / Path(member.name).name).write_bytes(archive.extractfile(member).read())


def _json(text):
    import json

    return json.loads(text)


def _checkpoint(v1, folder, kernel):
    import tensorflow as tf

    with tf.Graph().as_default(), v1.Session() as session:
        v1.disable_resource_variables()
        x = v1.placeholder(tf.float32, [1, 8, 8, 1], "x")
        hidden = tf.nn.relu(tf.nn.conv2d(x, v1.get_variable("kernel", initializer=kernel), 2, "SAME"))
        tf.reduce_mean(hidden * v1.get_variable("scale", [4]), [1, 2], name="y")
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(folder / "model"), write_meta_graph=False)
        v1.train.export_meta_graph(str(folder / "graph.meta"))


def _darknet(folder):
    import numpy as np

    layers = [(8, 3, 2, "leaky"), (8, 3, 1, "leaky"), (21, 1, 1, "linear")]
    text, before, count = "[net]\nwidth=32\nheight=32\nchannels=3\n\n", 3, 0
    for filters, size, stride, activation in layers:
        text += f"[convolutional]\nfilters={filters}\nsize={size}\nstride={stride}\npad=1\nactivation={activation}\n\n"
        count += filters * (before * size * size + 1)
        before = filters
    text += "[yolo]\nmask=0,1,2\nanchors=2,3, 4,5, 8,8\nclasses=2\nnum=3\n"
    (folder / "net.cfg").write_text(text)
    header = np.array([0, 2, 0, 0, 0], "<i4").tobytes()
    (folder / "net.weights").write_bytes(header + np.random.RandomState(1).randn(count).astype("<f4").tobytes())


def onnx(folder):
    """Write those of ONNX and TFLite."""
    import numpy as np
    from ai_edge_litert import schema_py_generated as schema
    from onnx import numpy_helper
    from small_models import Builder

    from attacks.onnx import model, node
    from attacks.tflite import write

    random = np.random.RandomState(1)
    weights = {"w": random.randn(8, 16), "v": random.randn(16, 8)}
    stored = [numpy_helper.from_array(array.astype(np.float32), name) for name, array in weights.items()]
    steps = [node("MatMul", ["x", "w"], ["a"]), node("Relu", ["a"], ["b"]), node("MatMul", ["b", "v"], ["c"])]
    model(folder("onnx") / "m.onnx", [*steps, node("Softmax", ["c"], axis=1)], stored)
    builder = Builder()
    x, y = builder.tensor("x", [1, 8]), builder.tensor("y", [1, 8])
    hidden = builder.tensor("h", [1, 16])
    for start, end, name in ((x, hidden, "w"), (hidden, y, "v")):
        kernel = builder.tensor(name, weights[name].T.astype(np.float32))
        bias = builder.tensor(f"{name}_bias", random.randn(weights[name].shape[1]).astype(np.float32))
        builder.operator("FULLY_CONNECTED", [start, kernel, bias], [end], schema.FullyConnectedOptionsT())
    write(folder("tflite") / "m.tflite", builder.build([x], [y]))


def torch(folder):
    """Write those of PyTorch."""
    import torch
    from torch import nn

    torch.manual_seed(1)
    net = nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)).eval()
    example = torch.rand(1, 3, 8, 8)
    torch.export.save(torch.export.export(net, (example,)), str(folder("program") / "m.pt2"))
    torch.jit.trace(net, example).save(str(folder("script") / "m.pt"))


if __name__ == "__main__":
    os.environ["TF_USE_LEGACY_KERAS"] = "1"

    def _folder(name):
        path = Path(sys.argv[1]) / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    {"tf2": tf2, "onnx": onnx, "torch": torch}[sys.argv[2]](_folder)
