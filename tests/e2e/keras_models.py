"""Make small Keras models that TensorFlow.js cannot load as its converter leaves them.

Usage: python keras_models.py FOLDER — makes FOLDER/<name> for each name in MODELS.
"""

import pathlib
import sys

import keras
import tf_keras


def functional(keras):
    """Return a model of two inputs, a depthwise convolution and a regularizer."""
    layers = keras.layers
    image, angle = layers.Input((8, 8, 3), name="image"), layers.Input((2,), name="angle")
    hidden = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(image)
    hidden = layers.Conv2D(4, 3, activation="relu", kernel_regularizer=keras.regularizers.L2(1e-3))(hidden)
    joined = layers.Concatenate()([layers.Flatten()(layers.BatchNormalization()(hidden)), angle])
    return keras.Model([image, angle], [layers.Dense(2, name="turn")(joined), layers.Dense(3, name="kind")(joined)])


def sequential(keras):
    """Return a chain of layers."""
    layers = keras.layers
    return keras.Sequential([layers.Input((6,)), layers.Dense(5, activation="tanh"), layers.Dense(3)])


def shrinking(keras):
    """Return a model with a layer option that TensorFlow.js does not know: keepdims."""
    layers = keras.layers
    image = layers.Input((8, 8, 3))
    pooled = layers.GlobalAveragePooling2D(keepdims=True)(layers.Conv2D(4, 3)(image))
    return keras.Model(image, layers.Flatten()(layers.Conv2D(3, 1)(pooled)))


MODELS = {
    "regularized.h5": (functional, tf_keras),
    "functional.h5": (functional, keras),
    "functional.keras": (functional, keras),
    "sequential.keras": (sequential, keras),
    "shrinking.h5": (shrinking, tf_keras),
}

if __name__ == "__main__":
    for name, (make, generation) in MODELS.items():
        generation.utils.set_random_seed(1)
        make(generation).save(pathlib.Path(sys.argv[1]) / name)
