"""Ask TensorFlow 2 for int8 of a fake-quant graph. Arguments: graph.pb, contract.json, the .tflite file to write."""

import sys

import tensorflow as tf

from zoomill import files

contract = files.read_json(sys.argv[2])
(start,) = contract["inputs"]
ends = [start["tensor"]], [promise["tensor"] for promise in contract["outputs"]]
converter = tf.compat.v1.lite.TFLiteConverter.from_frozen_graph(sys.argv[1], *ends, {start["tensor"]: start["shape"]})
converter.inference_type = tf.int8
converter.quantized_input_stats = {start["tensor"]: (0, 128)}
files.write_bytes(sys.argv[3], converter.convert())
