"""Make a .tflite of a frozen graph: GRAPH OUTPUTS VARIANT SIZE FILE."""

import sys

import tensorflow as tf

graph, outputs, variant, size, path = sys.argv[1:]
name = "normalized_input_image_tensor"
shapes = {name: [1, int(size), int(size), 3]}
converter = tf.compat.v1.lite.TFLiteConverter.from_frozen_graph(graph, [name], outputs.split(","), shapes)
converter.allow_custom_ops = True
if variant != "float32":
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
if variant == "float16":
    converter.target_spec.supported_types = [tf.float16]
with open(path, "wb") as file:
    file.write(converter.convert())
