"""A graph with fake-quant nodes by TensorFlow's own quantiser: integers by the graph's ranges, whatever samples say."""

import subprocess

import numpy as np
import pytest
from conftest import REPOSITORY

from zoomill.tflite import runtime, tflite_file

CONTRACT = {
    "model": "small",
    "graph": "main",
    "inputs": [{"name": "x", "tensor": "x", "dtype": "float32", "shape": [1, 8]}],
    "outputs": [{"name": "y", "tensor": "y", "dtype": "float32", "shape": [1, 4]}],
}
WEIGHTS = np.linspace(-1, 1, 32, dtype=np.float32).reshape(8, 4)
MAKE = """
import sys
import numpy as np, tensorflow as tf
from zoomill.tflite import tensorflow_converter
tf1, weights = tf.compat.v1, np.linspace(-1, 1, 32, dtype=np.float32).reshape(8, 4)
with tf1.Graph().as_default() as graph:
    x = tf.quantization.fake_quant_with_min_max_args(tf1.placeholder(tf.float32, [1, 8], "x"), -2, 2)
    kernel = tf.quantization.fake_quant_with_min_max_args(tf.constant(weights), -1, 1, narrow_range=True)
    tf.quantization.fake_quant_with_min_max_args(tf.matmul(x, kernel), -8, 8, name="y")
open(sys.argv[1] + "/graph.pb", "wb").write(graph.as_graph_def().SerializeToString())
contract = {contract}
feeds = [dict(x=np.full([1, 8], 1e-3, np.float32))]
tensorflow_converter.convert(sys.argv[1] + "/graph.pb", contract, sys.argv[1] + "/small.tflite", feeds)
"""


@pytest.fixture(scope="module")
def converted(environment_python, tmp_path_factory):
    """The path of the converted file."""
    folder = tmp_path_factory.mktemp("fake_quant")
    code = MAKE.replace("{contract}", repr(CONTRACT))
    command = [environment_python("tf2"), "-c", code, folder]
    process = subprocess.run(command, cwd=REPOSITORY / "scripts", text=True, capture_output=True)
    assert process.returncode == 0, process.stderr
    return folder / "small.tflite"


def test_it_is_of_integers_and_has_the_ranges_of_the_graph(converted, tmp_path):
    model = tflite_file.read(converted)
    assert tflite_file.operators(model) == {"QUANTIZE": 1, "FULLY_CONNECTED": 1, "DEQUANTIZE": 1}
    tflite_file.set_signature(model, CONTRACT)
    x = np.linspace(-2, 2, 8, dtype=np.float32)[None]
    found = runtime.Artifact(tflite_file.serialise(model))(CONTRACT, {"x": x})["y"]
    assert np.abs(found - x @ WEIGHTS).max() < 0.15 < np.abs(x @ WEIGHTS).max() / 10
