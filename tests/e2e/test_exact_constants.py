"""What TensorFlow would fold by the processor's approximations is in the artifacts as NumPy computes it."""

import subprocess

import numpy as np
import pytest
from conftest import REPOSITORY

from zoomill.tfjs import tfjs_model
from zoomill.tflite import tflite_file

CHANNELS = 64
EPSILON = np.float32(1e-3)
CONTRACT = {
    "model": "small",
    "graph": "main",
    "inputs": [{"name": "x", "tensor": "x", "dtype": "float32", "shape": [1, 4, 4, 3]}],
    "outputs": [{"name": "y", "tensor": "y", "dtype": "float32", "shape": [1, 4, 4, CHANNELS]}],
}
MAKE = """
import os, sys
import numpy as np, tensorflow as tf
from zoomill.tfjs import tfjs_converter
from zoomill.tflite import tensorflow_converter
folder, way, contract = sys.argv[1], sys.argv[2], CONTRACT
tf1, given = tf.compat.v1, np.load(folder + "/given.npz")
scale, offset, mean, variance, epsilon = (given[name] for name in ("scale", "offset", "mean", "variance", "epsilon"))
with tf1.Graph().as_default() as graph:
    y = tf.nn.conv2d(tf1.placeholder(tf.float32, [1, 4, 4, 3], "x"), given["kernel"], 1, "SAME")
    if way == "reciprocal":
        y = y * tf.identity(tf.raw_ops.Reciprocal(x=tf.constant(variance)))
    elif way == "root":
        factor = scale * tf.math.rsqrt(tf.identity(tf.constant(variance)) + epsilon)
        y = y * factor + (offset - mean * factor)
    else:
        training, layout = way == "training", "NCHW" if way == "channels first" else "NHWC"
        y = tf.transpose(y, [0, 3, 1, 2]) if layout == "NCHW" else y
        mean, variance = ([], []) if training else (mean, variance)
        y = tf.cast(y, tf.float16) if way == "half" else y
        found = tf.raw_ops.FusedBatchNormV3(
            x=y, scale=scale, offset=offset, mean=mean, variance=variance,
            epsilon=float(epsilon), is_training=training, data_format=layout,
        )
        y = tf.transpose(found[0], [0, 2, 3, 1]) if layout == "NCHW" else found[0]
        y = y + found[2] if way == "statistics" else tf.cast(y, tf.float32)
    tf.identity(y, "y")
path = folder + "/graph.pb"
open(path, "wb").write(graph.as_graph_def().SerializeToString())
if way in ("training", "channels first", "statistics", "half"):
    from zoomill.graph import exact_constants
    split = exact_constants.split_batch_norms(tf, graph.as_graph_def())
    print(*(node.op for node in split.node))
else:
    tensorflow_converter.convert(path, contract, folder + "/small.tflite")
    tfjs_converter.write_plain(path, folder + "/plain.pb")
    tfjs_converter.convert_graph(folder + "/plain.pb", ["y"], dict(shard_bytes=4194304, strip_debug_ops=True), folder)
"""


@pytest.fixture(scope="module")
def made(environment_python, tmp_path_factory):
    """A function from a way to normalise to the folder of what was converted, the numbers given and what was said."""

    def make(way):
        folder = tmp_path_factory.mktemp("norms")
        draw = np.random.default_rng(1).uniform
        given = {name: draw(0.1, 4, CHANNELS) for name in ("scale", "offset", "mean", "variance")}
        given = {name: values.astype(np.float32) for name, values in given.items()}
        given |= {"kernel": draw(-1, 1, (3, 3, 3, CHANNELS)).astype(np.float32), "epsilon": EPSILON}
        np.savez(folder / "given.npz", **given)
        command = [environment_python("tf2"), "-c", MAKE.replace("CONTRACT", repr(CONTRACT)), folder, way]
        process = subprocess.run(command, cwd=REPOSITORY / "scripts", text=True, capture_output=True)
        assert process.returncode == 0, process.stderr
        return folder, given, process.stdout.split()

    return make


def kernel_of_tflite(folder):
    """The float32 kernel of a file's only convolution, in TensorFlow's order."""
    model = tflite_file.read(folder / "small.tflite")
    assert tflite_file.operators(model) == {"CONV_2D": 1}
    (subgraph,) = model.subgraphs
    data = model.buffers[subgraph.tensors[subgraph.operators[0].inputs[1]].buffer].data
    return np.frombuffer(bytes(data), np.float32).reshape(CHANNELS, 3, 3, 3).transpose(1, 2, 3, 0)


@pytest.mark.parametrize("way", ["fused", "root", "reciprocal"])
def test_a_folded_kernel_has_the_bits_that_numpy_computes(made, way):
    folder, given, _ = made(way)
    if way == "reciprocal":
        factor = 1 / given["variance"]
    else:
        factor = given["scale"] * (1 / np.sqrt((given["variance"] + EPSILON).astype(np.float64))).astype(np.float32)
    np.testing.assert_array_equal(kernel_of_tflite(folder), given["kernel"] * factor)
    document = tfjs_model.read_document(folder)
    assert not {"Rsqrt", "Reciprocal", "FusedBatchNormV3"} & set(tfjs_model.operators(document))
    if way != "fused":  # that TensorFlow.js's converter folds itself, by Python's square root
        weights = tfjs_model.read_weights(folder, document)
        assert (given["kernel"] * factor).tobytes() in [weight.data for weight in weights]


@pytest.mark.parametrize("way", ["training", "channels first", "statistics", "half"])
def test_a_norm_that_is_no_product_and_sum_by_channel_stays(made, way):
    assert "FusedBatchNormV3" in made(way)[2]
