"""Train a landmark regressor with Keras 3: the corners of a triangle; print its error on held-out pictures.

python -m starter.shapes_landmarks.train --output shapes_landmarks.keras --golden golden
"""

import argparse
import json
import zipfile
from pathlib import Path

import numpy as np
from starter.shapes_landmarks import draw

SEED = 6
EPOCHS = 20
BATCH = 32
RATE = 3e-3
TRAIN = {"seed": 1, "count": 5000}
HELDOUT = {"seed": 1000, "count": 200}
GOLDEN = 8


def inputs(pictures):
    """Return pictures as the model takes them: float32 [n, 48, 48, 1], 0 to 1."""
    return pictures.astype(np.float32) / 255


def score(predict):
    """Return the figures of the model's README: the mean distance of a corner from where it is, in pixels.

    Args:
        predict: function from float32 [n, 48, 48, 1] to x, y of three corners [n, 6], in parts of the edge.
    """
    pictures, corners = draw.pictures(**HELDOUT)
    apart = (predict(inputs(pictures)) - corners).reshape(-1, 3, 2) * draw.SIZE
    return {"mean error": float(np.hypot(apart[..., 0], apart[..., 1]).mean(dtype=np.float64))}


def build():
    """Return the untrained model: a heat map for each corner, whose centre of mass is the corner."""
    from keras import Input, Model, layers

    tensor = picture = Input((draw.SIZE, draw.SIZE, 1), name="picture")
    for filters, stride in ((16, 2), (24, 2), (32, 1), (32, 1), (32, 1), (32, 1)):
        tensor = layers.Conv2D(filters, 3, stride, "same", use_bias=False)(tensor)
        tensor = layers.ReLU()(layers.BatchNormalization()(tensor))
    maps = layers.Reshape((-1, 3))(layers.Conv2D(3, 1)(tensor))
    maps = layers.Softmax(name="maps")(layers.Permute((2, 1))(maps))
    x, y = np.meshgrid(*2 * [(np.arange(tensor.shape[1]) + 0.5) / tensor.shape[1]])
    centre = layers.Dense(2, use_bias=False, trainable=False, name="centre")
    corners = layers.Flatten(name="corners")(centre(maps))
    centre.set_weights([np.stack([x.ravel(), y.ravel()], axis=1)])
    return Model(picture, corners, name="shapes_landmarks")


def save(model, path):
    """Write a .keras file without the state of the optimizer and the time of its making."""
    import keras

    keras.Model(model.inputs, model.outputs, name=model.name).save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    metadata = json.loads(members["metadata.json"])
    del metadata["date_saved"]
    members["metadata.json"] = json.dumps(metadata).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)


def write_golden(folder):
    """Write the first held-out pictures: the pinned inputs of the card."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(draw.pictures(HELDOUT["seed"], GOLDEN)[0]):
        Image.fromarray(picture[..., 0]).save(folder / f"{number}.png")


def main():
    """Train, save and score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", required=True, help="file to write")
    parser.add_argument("--golden", type=Path, required=True, help="folder for the pinned inputs")
    flags = parser.parse_args()
    import keras

    keras.utils.set_random_seed(SEED)
    model, (pictures, corners) = build(), draw.pictures(**TRAIN)
    rate = keras.optimizers.schedules.CosineDecay(RATE, EPOCHS * -(-len(pictures) // BATCH))
    model.compile(keras.optimizers.Adam(rate), "mse")
    model.fit(inputs(pictures), corners, BATCH, EPOCHS, verbose=2)
    save(model, flags.output)
    write_golden(flags.golden)
    print(score(lambda values: model.predict(values, verbose=0)))


if __name__ == "__main__":
    main()
