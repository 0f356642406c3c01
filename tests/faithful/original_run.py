"""Run frozen graphs that end at their raw heads in a session of TensorFlow 1. Python 3.7.

Arguments: golden.npz with the images, the .npz file to write, then graphs. Array ``i/name`` holds the outputs of
graph ``i``, one row for each image; ``i/anchors`` the constant of that name, where the graph has one.
"""

import sys

import numpy as np
import tensorflow as tf

INPUT = "normalized_input_image_tensor"
HEADS = ("raw_outputs/box_encodings", "raw_outputs/class_predictions")

images = np.load(sys.argv[1])[INPUT]
arrays = {}
for index, path in enumerate(sys.argv[3:]):
    graph = tf.GraphDef()
    with open(path, "rb") as file:
        graph.ParseFromString(file.read())
    with tf.Graph().as_default(), tf.Session() as session:
        tf.import_graph_def(graph, name="")
        for name in HEADS:
            rows = [session.run(name + ":0", {INPUT + ":0": image[None]}) for image in images]
            arrays[f"{index}/{name}"] = np.concatenate(rows)
        if any(node.name == "anchors" for node in graph.node):
            arrays[f"{index}/anchors"] = session.run("anchors:0")
np.savez(sys.argv[2], **arrays)
