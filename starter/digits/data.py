"""The handwritten digits that several starter models learn from: 8 x 8 pixels, values 0 to 16.

    python -m starter.digits.data

writes digits.npz and golden/*.png beside this script, out of scikit-learn's copy; reading them needs NumPy and Pillow.
Runs under Python 3.7 and later.
"""

from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parent
# The last fifth in the order of the set, so that it can be told without a seed.
HELDOUT = 360
GOLDEN = 8


def load():
    """Return training and held-out digits: two pairs of uint8 images [n, 8, 8] (0 to 16) and int64 labels [n]."""
    with np.load(str(HERE / "digits.npz")) as stored:
        images, labels = stored["images"], stored["labels"].astype(np.int64)
    return (images[:-HELDOUT], labels[:-HELDOUT]), (images[-HELDOUT:], labels[-HELDOUT:])


def pictures(images, size=8):
    """Return digits as 8-bit grey pictures, uint8 [n, size, size, 1]: 16 becomes 255, enlarged bilinearly by Pillow."""
    grey = np.round(images * (255 / 16)).astype(np.uint8)
    resized = [Image.fromarray(image).resize((size, size), Image.BILINEAR) for image in grey]
    return np.stack([np.asarray(image) for image in resized])[..., None]


def accuracy(predict, inputs):
    """Return the share of the held-out digits whose largest score is that of their class.

    Args:
        predict: function from inputs [n, ...] to scores [n, 10].
        inputs: function from images of :func:`load` to inputs.
    """
    images, labels = load()[1]
    return float((predict(inputs(images)).argmax(1) == labels).mean())


def main():
    """Write the files from scikit-learn's copy."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images, labels = digits.images.astype(np.uint8), digits.target.astype(np.uint8)
    np.savez_compressed(str(HERE / "digits.npz"), images=images, labels=labels)
    (HERE / "golden").mkdir(exist_ok=True)
    for number, picture in enumerate(pictures(load()[1][0][:GOLDEN])):
        Image.fromarray(picture[..., 0]).save(str(HERE / "golden" / (f"{number}.png")))


if __name__ == "__main__":
    main()
