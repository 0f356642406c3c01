"""The outlines data set: pictures uint8 [32, 32, 1], labels the files with the same shapes filled, float32 -1 to 1.

python -m starter.edges_pix2pix.samples --output FOLDER
"""

import numpy as np
from starter import sample_files
from starter.edges_pix2pix import draw

# Folder, seed and number of pictures; the seeds of train.py.
SETS = (("training", 1, 64), ("heldout", 1000, 200))


def samples():
    """Yield name, outlines in 8 bits and name of the target; then the target."""
    for folder, seed, count in SETS:
        for number, (edges, filled) in enumerate(zip(*draw.pairs(seed, count), strict=True)):
            target = f"{folder}/{number:03}_filled.npy"
            yield f"{folder}/{number:03}.npy", np.round((edges + 1) * 127.5).astype(np.uint8), target
            yield target, filled, None


if __name__ == "__main__":
    sample_files.main(samples)
