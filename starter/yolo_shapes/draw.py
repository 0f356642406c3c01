"""Pictures of one to four shapes each, and where they are: those of ssd_mobilenet_v1_shapes, hardly overlapping.

Runs with NumPy and Pillow. Picture i of a seed depends on nothing but (seed, i), but for rounding in the last place.
"""

import numpy as np
from starter.ssd_mobilenet_v1_shapes import make_shapes

LABELS = make_shapes.LABELS
SIZE = make_shapes.SIZE // 2
SHAPES = 4
OVERLAP = 0.02


def picture(seed, index):
    """Return one picture, uint8 RGB [SIZE, SIZE, 3], and its shapes.

    Returns:
        the picture, and float32 [shapes, 5]: class, xmin, ymin, xmax, ymax in parts of the edge.
    """
    random = np.random.RandomState([seed, index])
    canvas, shapes = make_shapes.background(random), []
    for _ in range(random.randint(1, SHAPES + 1)):
        number, angle = random.randint(len(LABELS)), random.uniform(0, 2 * np.pi)
        box = make_shapes.propose(random, [])
        if all(make_shapes.iou(box, other) < OVERLAP for _, *other in shapes):
            make_shapes.paint(random, canvas, {"depth": make_shapes.depth(LABELS[number], box, angle)})
            shapes.append((number, *box))
    halved = canvas.reshape(SIZE, 2, SIZE, 2, 3).mean(axis=(1, 3))
    pixels = np.clip(np.round(halved), 0, 255).astype(np.uint8)
    return pixels, np.array(shapes, np.float32) / [1, *4 * [make_shapes.SIZE]]


def pictures(seed, count):
    """Return the first pictures of a seed, uint8 [count, SIZE, SIZE, 3], and the list of their shapes."""
    pixels, shapes = zip(*(picture(seed, index) for index in range(count)), strict=True)
    return np.stack(pixels), list(shapes)
