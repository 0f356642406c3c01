"""Train a ResNet-8 on handwritten digits with Keras 2 and print its accuracy on the held-out ones.

python -m starter.digits_resnet8.train --output digits_resnet8.h5
"""

import argparse

import numpy as np
from starter.digits import data

SIZE = 16
SEED = 8
EPOCHS = 40
BATCH = 32
RATE = 2e-3


def inputs(images):
    """Return digits as the model takes them: float32 [n, 16, 16, 1], 0 to 1."""
    return data.pictures(images, SIZE).astype(np.float32) / 255


def score(predict):
    """Return the figures of the model's README.

    Args:
        predict: function from float32 [n, 16, 16, 1] to probabilities [n, 10].
    """
    return {"top-1": data.accuracy(predict, inputs)}


def build():
    """Return the untrained model: the ResNet of MLPerf Tiny, for one channel."""
    from tf_keras import Input, Model, layers, regularizers

    def convolved(tensor, filters, kernel=3, stride=1):
        decay = regularizers.l2(1e-4)
        return layers.Conv2D(filters, kernel, stride, "same", kernel_regularizer=decay)(tensor)

    def activated(tensor):
        return layers.ReLU()(layers.BatchNormalization()(tensor))

    picture = Input((SIZE, SIZE, 1), name="picture")
    tensor = activated(convolved(picture, 16))
    for filters, stride in ((16, 1), (32, 2), (64, 2)):
        main = activated(convolved(tensor, filters, stride=stride))
        main = layers.BatchNormalization()(convolved(main, filters))
        side = tensor if stride == 1 else convolved(tensor, filters, kernel=1, stride=stride)
        tensor = layers.ReLU()(layers.Add()([main, side]))
    tensor = layers.GlobalAveragePooling2D()(tensor)
    return Model(picture, layers.Dense(10, "softmax", name="probabilities")(tensor), name="digits_resnet8")


def batches():
    """Return the training set, shuffled, each digit turned and moved a little."""
    import tensorflow as tf
    import tf_keras

    images, labels = data.load()[0]
    alter = tf_keras.Sequential(
        [
            tf_keras.layers.RandomRotation(0.03, fill_mode="constant", seed=SEED),
            tf_keras.layers.RandomTranslation(0.1, 0.1, fill_mode="constant", seed=SEED),
        ]
    )
    pairs = tf.data.Dataset.from_tensor_slices((inputs(images), labels)).shuffle(len(labels), SEED).batch(BATCH)
    return pairs.map(lambda picture, label: (alter(picture, training=True), label))


def main():
    """Train, save and score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", required=True, help="file to write")
    flags = parser.parse_args()
    import tf_keras

    tf_keras.utils.set_random_seed(SEED)
    model, training = build(), batches()
    rate = tf_keras.optimizers.schedules.CosineDecay(RATE, EPOCHS * len(training))
    model.compile(tf_keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(training, epochs=EPOCHS, verbose=2)
    model.save(flags.output, include_optimizer=False)
    print(score(lambda values: model.predict(values, verbose=0)))


if __name__ == "__main__":
    main()
