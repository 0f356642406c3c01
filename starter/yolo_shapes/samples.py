"""The loose_shapes data set: pictures uint8 [80, 80, 3], with annotations in COCO's layout for the held-out ones.

python -m starter.yolo_shapes.samples --output FOLDER
"""

import argparse
import functools
import json
from pathlib import Path

from starter import sample_files
from starter.ssd_mobilenet_v1_shapes import make_shapes
from starter.yolo_shapes import draw

# Folder, seed and number of pictures; the seeds of train.py.
TRAINING = "training", 1, 64
HELDOUT = "heldout", 1000, 200
# For their pixels, and again for what they show.
drawn = functools.lru_cache(maxsize=None)(draw.picture)


def samples():
    """Yield name and picture, without a label."""
    for folder, seed, count in (TRAINING, HELDOUT):
        for number in range(count):
            yield f"{folder}/{number:03}.npy", drawn(seed, number)[0], ""


def annotations():
    """Return the annotations of the held-out pictures."""
    folder, seed, count = HELDOUT
    images = []
    for number in range(count):
        shapes = [
            (draw.LABELS[int(label)], tuple(round(float(edge) * draw.SIZE, 2) for edge in box))
            for label, *box in drawn(seed, number)[1]
        ]
        images.append((f"{folder}/{number:03}.npy", shapes))
    return make_shapes.coco(images, draw.SIZE)


if __name__ == "__main__":
    sample_files.main(samples)
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", type=Path, required=True)
    (parser.parse_args().output / "annotations.json").write_text(json.dumps(annotations()) + "\n")
