"""Make a .tflite of a Keras model of digits: KERAS VARIANT SAMPLES FILE."""

import sys

import digits
import tensorflow as tf

source, variant, samples, path = sys.argv[1:]
converter = tf.lite.TFLiteConverter.from_keras_model(tf.keras.models.load_model(source, compile=False))
converter.optimizations = [tf.lite.Optimize.DEFAULT]
if variant == "float16":
    converter.target_spec.supported_types = [tf.float16]
if variant == "int8":
    converter.representative_dataset = lambda: ([sample] for sample in digits.samples(samples))
with open(path, "wb") as file:
    file.write(converter.convert())
