"""Train a small pix2pix generator with Keras 2 to fill outlined shapes; print its PSNR on held-out pictures.

    python -m starter.edges_pix2pix.train --output edges_pix2pix.h5 --golden golden

There is no discriminator: the loss is the mean absolute error alone.
"""

import argparse
from pathlib import Path

import numpy as np
from starter.edges_pix2pix import draw

SEED = 5
EPOCHS = 30
BATCH = 32
RATE = 3e-3
TRAIN = {"seed": 1, "count": 4000}
HELDOUT = {"seed": 1000, "count": 200}
GOLDEN = 8
FILTERS = 12, 24, 48, 48


def score(predict):
    """Return the figures of the model's README: the PSNR over all held-out pixels, whose range is 2.

    Args:
        predict: function from outlines, float32 [n, 32, 32, 1] of -1 to 1, to filled shapes alike.
    """
    edges, filled = draw.pairs(**HELDOUT)
    return {"PSNR": float(10 * np.log10(2**2 / np.mean((predict(edges) - filled) ** 2, dtype=np.float64)))}


def build():
    """Return the untrained model: the U-Net of pix2pix, with four levels."""
    from tf_keras import Input, Model, layers

    tensor = edges = Input((draw.SIZE, draw.SIZE, 1), name="edges")
    skips = []
    for level, filters in enumerate(FILTERS):
        skips.append(tensor)
        tensor = layers.Conv2D(filters, 4, 2, "same", use_bias=level == 0)(tensor)
        tensor = layers.LeakyReLU(0.2)(layers.BatchNormalization()(tensor) if level else tensor)
    for filters, skip in zip(FILTERS[-2::-1], skips[:0:-1], strict=True):
        tensor = layers.BatchNormalization()(layers.Conv2DTranspose(filters, 4, 2, "same", use_bias=False)(tensor))
        tensor = layers.Concatenate()([layers.ReLU()(tensor), skip])
    shapes = layers.Conv2DTranspose(1, 4, 2, "same", activation="tanh", name="shapes")(tensor)
    return Model(edges, shapes, name="edges_pix2pix")


def write_golden(folder):
    """Write the first held-out outlines as 8-bit pictures: the pinned inputs of the card."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    for number, edges in enumerate(draw.pairs(HELDOUT["seed"], GOLDEN)[0]):
        Image.fromarray(np.round((edges[..., 0] + 1) * 127.5).astype(np.uint8)).save(folder / f"{number}.png")


def main():
    """Train, save and score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", required=True, help="file to write")
    parser.add_argument("--golden", type=Path, required=True, help="folder for the pinned inputs")
    flags = parser.parse_args()
    import tf_keras

    tf_keras.utils.set_random_seed(SEED)
    model, (edges, filled) = build(), draw.pairs(**TRAIN)
    rate = tf_keras.optimizers.schedules.CosineDecay(RATE, EPOCHS * -(-len(edges) // BATCH))
    model.compile(tf_keras.optimizers.Adam(rate), "mae")
    model.fit(edges, filled, BATCH, EPOCHS, verbose=2)
    model.save(flags.output, include_optimizer=False)
    write_golden(flags.golden)
    print(score(lambda values: model.predict(values, verbose=0)))


if __name__ == "__main__":
    main()
