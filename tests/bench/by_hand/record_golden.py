"""Keep what a frozen detector makes of pictures: GRAPH FOLDER FILE."""

import glob
import sys

import numpy as np
import tensorflow as tf
from PIL import Image

source, folder, path = sys.argv[1:]
with open(source, "rb") as file:
    graph = tf.compat.v1.GraphDef.FromString(file.read())
images = [np.asarray(Image.open(name).convert("RGB")) for name in sorted(glob.glob(f"{folder}/*.png"))]
with tf.compat.v1.Session(graph=tf.Graph()) as session:
    tf.import_graph_def(graph, name="")
    names = ["detection_boxes:0", "detection_scores:0", "detection_classes:0", "num_detections:0"]
    runs = [session.run(names, {"image_tensor:0": image[None]}) for image in images]
outputs = {name[:-2]: np.concatenate([run[i] for run in runs]) for i, name in enumerate(names)}
np.savez(path, images=images, **outputs)
