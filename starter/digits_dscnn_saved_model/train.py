"""Train a DS-CNN on handwritten digits with Keras 3, export it as a SavedModel and print its held-out accuracy.

python -m starter.digits_dscnn_saved_model.train --output dscnn
"""

import argparse
import os

import numpy as np
from starter.digits import data

SEED = 12
EPOCHS = 50
BATCH = 32
RATE = 3e-3
FILTERS = 48


def inputs(images):
    """Return digits as the model takes them: float32 [n, 8, 8, 1], 0 to 1."""
    return data.pictures(images).astype(np.float32) / 255


def score(predict):
    """Return the figures of the model's README.

    Args:
        predict: function from float32 [n, 8, 8, 1] to probabilities [n, 10].
    """
    return {"top-1": data.accuracy(predict, inputs)}


def build():
    """Return the untrained model: the DS-CNN of MLPerf Tiny, with four blocks, for 8 x 8 values."""
    from keras import Input, Model, layers

    def activated(tensor):
        return layers.ReLU()(layers.BatchNormalization()(tensor))

    picture = Input((8, 8, 1), name="spectrogram")
    tensor = activated(layers.Conv2D(FILTERS, 3, padding="same", use_bias=False)(picture))
    for stride in (1, 2, 1, 1):
        tensor = activated(layers.DepthwiseConv2D(3, stride, "same", use_bias=False)(tensor))
        tensor = activated(layers.Conv2D(FILTERS, 1, use_bias=False)(tensor))
    tensor = layers.Dropout(0.2, seed=SEED)(layers.GlobalAveragePooling2D()(tensor))
    return Model(picture, layers.Dense(10, "softmax", name="probabilities")(tensor))


def batches():
    """Return the training set, shuffled, each digit turned and moved a little."""
    import keras
    import tensorflow as tf

    images, labels = data.load()[0]
    alter = keras.Sequential(
        [
            keras.layers.RandomRotation(0.03, fill_mode="constant", seed=SEED),
            keras.layers.RandomTranslation(0.1, 0.1, fill_mode="constant", seed=SEED),
        ]
    )
    pairs = tf.data.Dataset.from_tensor_slices((inputs(images), labels)).shuffle(len(labels), SEED).batch(BATCH)
    return pairs.map(lambda picture, label: (alter(picture, training=True), label))


def export(model, folder):
    """Write the SavedModel with the signature serving_default, without what tells of this run.

    fingerprint.pb holds a random number, and nothing needs it.
    """
    import tensorflow as tf

    shape = tf.TensorSpec((None, *model.input_shape[1:]), tf.float32, "spectrogram")
    serve = tf.function(
        lambda spectrogram: {"probabilities": model(spectrogram, training=False)}, input_signature=[shape]
    )
    module = tf.Module()
    module.serve = serve
    module.variables_of_model = [variable.value for variable in model.weights]
    options = tf.saved_model.SaveOptions(experimental_debug_stripper=True)
    tf.saved_model.save(module, folder, {"serving_default": serve}, options)
    os.remove(os.path.join(folder, "fingerprint.pb"))


def main():
    """Train, export and score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", required=True, help="folder to write")
    flags = parser.parse_args()
    import keras

    keras.utils.set_random_seed(SEED)
    model, training = build(), batches()
    rate = keras.optimizers.schedules.CosineDecay(RATE, EPOCHS * len(training))
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(training, epochs=EPOCHS, verbose=2)
    export(model, flags.output)
    print(score(lambda values: model.predict(values, verbose=0)))


if __name__ == "__main__":
    main()
