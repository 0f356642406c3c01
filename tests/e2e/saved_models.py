"""Make SavedModels and TF-Hub modules of every kind, all in one TensorFlow process.

Usage: python saved_models.py FOLDER — makes FOLDER/<kind>/ for each function in KINDS.
"""

import os
import pathlib
import sys

os.environ["TF_USE_LEGACY_KERAS"] = "1"

import numpy as np
import tensorflow as tf
import tf_keras
from tensorflow.core.protobuf import saved_model_pb2

v1 = tf.compat.v1
RANDOM = np.random.RandomState(0)
WEIGHTS = RANDOM.randn(3, 3, 3, 4).astype(np.float32)


def network(image, training=False, frozen=False):
    """Add a small network to a TF1 graph; in training its features are five times as large."""
    kernel = tf.constant(WEIGHTS) if frozen else v1.get_variable("kernel", initializer=WEIGHTS)
    features = tf.nn.relu(tf.nn.conv2d(image, kernel, 2, "SAME")) * (5 if training else 1)
    return features, tf.nn.softmax(tf.reduce_mean(features, [1, 2]))


def hub_1(folder):
    """Write what tensorflow_hub's hub.Module wrote: untagged graph and `train`, no saver, reference variables."""
    saved = saved_model_pb2.SavedModel(saved_model_schema_version=1)
    for tags in ([], ["train"]):
        with tf.Graph().as_default(), v1.Session() as session:
            v1.disable_resource_variables()
            image = v1.placeholder(tf.float32, [None, 8, 8, 3], "image")
            features, scores = network(image, training=bool(tags))
            meta = v1.train.export_meta_graph(strip_default_attrs=True)
            meta.meta_info_def.tags.extend(tags)
            for key, outputs in {"default": {"default": scores}, "features": {"default": features}}.items():
                info = v1.saved_model.utils.build_tensor_info
                signature = v1.saved_model.signature_def_utils.build_signature_def(
                    {"image": info(image)}, {name: info(tensor) for name, tensor in outputs.items()}
                )
                meta.signature_def[key].CopyFrom(signature)
            saved.meta_graphs.append(meta)
            session.run(v1.global_variables_initializer())
            (folder / "variables").mkdir(parents=True, exist_ok=True)
            v1.train.Saver(sharded=True).save(session, str(folder / "variables/variables"), write_meta_graph=False)
    (folder / "variables/checkpoint").unlink()
    (folder / "saved_model.pb").write_bytes(saved.SerializeToString())
    (folder / "tfhub_module.pb").write_bytes(b"\x08\x03")


class Module(tf.Module):
    """A TF-Hub module of version 2; in training its outputs are five times as large."""

    def __init__(self):
        self.kernel = tf.Variable(RANDOM.randn(6, 3).astype(np.float32))

    @tf.function
    def __call__(self, inputs, training=False):
        x = tf.tanh(inputs @ self.kernel)
        return x * 5 if training else x


def hub_2(folder):
    """Write a module that has nothing but its call, with training on and off."""
    module = Module()
    for training in (True, False):
        module.__call__.get_concrete_function(tf.TensorSpec([None, 6], name="inputs"), training=training)
    tf.saved_model.save(module, str(folder))


def hub_2_signature(folder):
    """Write a module with a signature."""
    module = Module()
    call = module.__call__.get_concrete_function(tf.TensorSpec([None, 6], name="inputs"))
    tf.saved_model.save(module, str(folder), signatures=call)


def builder_of_1(folder, variables, graphs):
    """Write a SavedModel of TensorFlow 1 with a graph for each set of tags: ``{tags: training}``."""
    builder = v1.saved_model.Builder(str(folder))
    for index, (tags, training) in enumerate(graphs.items()):
        with tf.Graph().as_default(), v1.Session() as session:
            v1.enable_resource_variables()
            image = v1.placeholder(tf.float32, [1, 8, 8, 3], "image")
            features, scores = network(image, training, frozen=not variables)
            session.run(v1.global_variables_initializer())
            predict = v1.saved_model.predict_signature_def
            signatures = {
                "serving_default": predict({"image": image}, {"scores": scores}),
                "features": predict({"image": image}, {"features": features, "scores": scores}),
            }
            if index:
                builder.add_meta_graph(list(tags), signatures)
            else:
                builder.add_meta_graph_and_variables(session, list(tags), signatures)
    builder.save()


def tf1_variables(folder):
    """Write a TF1 SavedModel with variables and several sets of tags and signatures."""
    builder_of_1(folder, True, {("serve",): False, ("serve", "tpu"): True})


def tf1_frozen(folder):
    """Write a TF1 SavedModel of a frozen graph."""
    builder_of_1(folder, False, {("serve",): False})


def keras_model():
    """Return a Keras 2 model of two inputs and two outputs, neither in the order of the alphabet."""
    layers = tf_keras.layers
    image, angle = layers.Input((8, 8, 3), name="image"), layers.Input((2,), name="angle")
    pooled = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, activation="relu")(image))
    joined = layers.Concatenate()([pooled, angle])
    return tf_keras.Model([image, angle], [layers.Dense(2, name="turn")(joined), layers.Dense(3, name="kind")(joined)])


def keras_2(folder):
    """Write a SavedModel of Keras 2."""
    keras_model().save(folder, save_format="tf")


def keras_2_lambda(folder):
    """Write a SavedModel of Keras 2 with a layer that would make a file named `ran`."""
    layer = tf_keras.layers.Lambda(lambda x: (pathlib.Path("ran").touch(), x)[1], name="backdoor")
    tf_keras.Sequential([tf_keras.layers.Input((2,)), layer]).save(folder, save_format="tf")
    pathlib.Path("ran").unlink()


class Tables(tf.Module):
    """Hash tables: of numbers, of texts, and one beside a variable that counts the calls."""

    def __init__(self):
        initializer, lookup = tf.lookup.KeyValueTensorInitializer, tf.lookup.StaticHashTable
        self.rows = lookup(initializer([7, -2, 0, 4], [1, 2, 3, 0], tf.int64, tf.int64), -1)
        self.scores = tf.lookup.experimental.MutableHashTable(tf.int64, tf.float32, [0.5, 0.25])
        self.scores.insert(tf.constant([1, 8], tf.int64), tf.constant([[1.0, 2.0], [3.0, 4.0]]))
        self.words = lookup(initializer(["a", "b"], [0, 1], tf.string, tf.int64), -1)
        self.kernel, self.calls = tf.Variable(RANDOM.randn(5, 3).astype(np.float32)), tf.Variable(0.0)

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.int64, name="ids")])
    def numbers(self, ids):
        return {"rows": tf.gather(self.kernel, self.rows[ids] + 1), "scores": self.scores.lookup(ids)}

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.int64, name="ids")])
    def texts(self, ids):
        return {"rows": self.words[tf.as_string(ids)]}

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.int64, name="ids")])
    def counts(self, ids):
        return {"calls": self.calls.assign_add(1.0) + tf.cast(ids, tf.float32)}


def tables(folder):
    """Write a module of TensorFlow 2 with hash tables."""
    module = Tables()
    signatures = {"serving_default": module.numbers, "texts": module.texts, "counts": module.counts}
    tf.saved_model.save(module, str(folder), signatures=signatures)


def tf1_tables(folder):
    """Write a SavedModel of TensorFlow 1 with a hash table, filled when it is loaded."""
    builder = v1.saved_model.Builder(str(folder))
    with tf.Graph().as_default(), v1.Session() as session:
        ids = v1.placeholder(tf.int64, [1, 4], "ids")
        initializer = tf.lookup.KeyValueTensorInitializer([9, 3, 5], [0.5, 2.0, -1.0], tf.int64, tf.float32)
        values = tf.lookup.StaticHashTable(initializer, 0.0).lookup(ids)
        session.run(v1.tables_initializer())
        signature = v1.saved_model.predict_signature_def({"ids": ids}, {"values": values * 3})
        builder.add_meta_graph_and_variables(
            session, ["serve"], {"serving_default": signature}, main_op=v1.tables_initializer()
        )
    builder.save()


class Scaled(tf.Module):
    """A picture reduced by a ratio that is an input, beside the state of a step before."""

    def __init__(self):
        self.kernel = tf.Variable(WEIGHTS)

    @tf.function(
        input_signature=[
            tf.TensorSpec([1, 8, 8, 3], name="image"),
            tf.TensorSpec([], name="ratio"),
            tf.TensorSpec([None, None, None, 4], name="state"),
        ]
    )
    def __call__(self, image, ratio, state):
        size = tf.cast(tf.cast(tf.shape(image)[1:3], tf.float32) * ratio, tf.int32)
        return {"features": tf.nn.conv2d(tf.image.resize(image, size), self.kernel, 1, "SAME") + state}


def scaled(folder):
    """Write a module with inputs that a card may pin."""
    module = Scaled()
    tf.saved_model.save(module, str(folder), signatures=module.__call__)


def steps(folder):
    """Write a function of which only a run tells how many rows come out."""
    module = tf.Module()

    @tf.function(input_signature=[tf.TensorSpec([5, 1, 3], name="x")])
    def serve(x):
        rows = tf.TensorArray(tf.float32, tf.shape(x)[0], element_shape=[1, 3])
        for step in tf.range(5):
            rows = rows.write(step, tf.tanh(x[step]))
        return {"rows": rows.stack()}

    tf.saved_model.save(module, str(folder), signatures=serve)


KINDS = (
    steps,
    scaled,
    tables,
    tf1_tables,
    hub_1,
    hub_2,
    hub_2_signature,
    tf1_variables,
    tf1_frozen,
    keras_2,
    keras_2_lambda,
)

if __name__ == "__main__":
    for make in KINDS:
        make(pathlib.Path(sys.argv[1]) / make.__name__)
