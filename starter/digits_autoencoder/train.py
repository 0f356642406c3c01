"""Train a dense autoencoder on handwritten digits but nines with Keras 2; print how well it tells nines from them.

python -m starter.digits_autoencoder.train --output digits_autoencoder.h5
"""

import argparse

import numpy as np
from starter.digits import data

ANOMALY = 9
# Units of the narrowest layer.
CODE = 12
SEED = 3
EPOCHS = 100
BATCH = 64
RATE = 2e-3


def inputs(images):
    """Return digits as the model takes them: float32 [n, 64], row by row, 0 to 1."""
    return (images.reshape(-1, 64) / 16).astype(np.float32)


def area_under_curve(normal, anomalous):
    """Return the chance that an anomalous score is above a normal one, a tie counting half: the area under the ROC."""
    above = (anomalous[:, None] > normal[None]).mean()
    return float(above + (anomalous[:, None] == normal[None]).mean() / 2)


def score(predict):
    """Return the figures of the model's README; the anomaly score is the mean squared error.

    Args:
        predict: function from float32 [n, 64] to reconstructions [n, 64].
    """
    images, labels = data.load()[1]
    values = inputs(images)
    errors = ((predict(values) - values) ** 2).mean(1)
    return {"AUC": area_under_curve(errors[labels != ANOMALY], errors[labels == ANOMALY])}


def build():
    """Return the untrained model: the autoencoder of MLPerf Tiny, smaller."""
    from tf_keras import Sequential, layers

    stack = [layers.Input(64, name="digit")]
    for width in (64, 64, CODE, 64, 64):
        stack += [layers.Dense(width), layers.BatchNormalization(), layers.ReLU()]
    return Sequential([*stack, layers.Dense(64, name="reconstruction")], name="digits_autoencoder")


def main():
    """Train, save and score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", required=True, help="file to write")
    flags = parser.parse_args()
    import tf_keras

    tf_keras.utils.set_random_seed(SEED)
    model = build()
    images, labels = data.load()[0]
    normal = inputs(images[labels != ANOMALY])
    steps = -(-len(normal) // BATCH)
    rate = tf_keras.optimizers.schedules.CosineDecay(RATE, EPOCHS * steps)
    model.compile(tf_keras.optimizers.Adam(rate), "mse")
    model.fit(normal, normal, BATCH, EPOCHS, verbose=2)
    model.save(flags.output, include_optimizer=False)
    print(score(lambda values: model.predict(values, verbose=0)))


if __name__ == "__main__":
    main()
