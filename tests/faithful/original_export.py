"""Run the Object Detection API's own exporter, several times in one process. Python 3.7, TensorFlow 1.

The first argument is a JSON list of command lines of ``python -m object_detection.export_tflite_ssd_graph``.
"""

import json
import os
import sys

import tensorflow as tf
from absl import flags
from absl.testing import flagsaver
from object_detection import export_tflite_ssd_graph

for line in json.loads(sys.argv[1]):
    with flagsaver.flagsaver(), tf.Graph().as_default():
        flags.FLAGS(["export_tflite_ssd_graph"] + line)
        export_tflite_ssd_graph.main(None)
        os.remove(os.path.join(flags.FLAGS.output_directory, "tflite_graph.pbtxt"))  # up to 77 MB, never read
