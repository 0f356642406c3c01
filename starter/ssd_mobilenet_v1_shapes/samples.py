"""The shapes data set: pictures uint8 [160, 160, 3], with annotations in COCO's layout for the held-out ones.

python -m starter.ssd_mobilenet_v1_shapes.samples --output FOLDER
"""

import argparse
import functools
import json
from pathlib import Path

from starter import sample_files
from starter.ssd_mobilenet_v1_shapes import make_shapes

# Folder, seed and number of pictures: the first of a training set, and the held-out set of README.md, in part.
TRAINING = "training", 1, 64
HELDOUT = "heldout", 1000, 200
# For their pixels, and again for what they show.
drawn = functools.lru_cache(maxsize=None)(make_shapes.make_image)


def samples():
    """Yield name and picture, without a label."""
    for folder, seed, count in (TRAINING, HELDOUT):
        for number in range(count):
            yield f"{folder}/{number:03}.npy", drawn(seed, number)[0], ""


def annotations():
    """Return the annotations of the held-out pictures."""
    folder, seed, count = HELDOUT
    return make_shapes.coco([(f"{folder}/{number:03}.npy", drawn(seed, number)[1]) for number in range(count)])


if __name__ == "__main__":
    sample_files.main(samples)
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", type=Path, required=True)
    (parser.parse_args().output / "annotations.json").write_text(json.dumps(annotations()) + "\n")
