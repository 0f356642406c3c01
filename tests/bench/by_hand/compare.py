"""Run a .tflite on the pictures of a golden file, to be compared: FILE GOLDEN."""

import sys

import numpy as np
import tensorflow as tf

artifact, golden = sys.argv[1:]
interpreter = tf.lite.Interpreter(artifact)
interpreter.allocate_tensors()
for image in np.load(golden)["images"]:
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], (image[None] * 2 / 255 - 1).astype(np.float32))
    interpreter.invoke()
    outputs = [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]
