"""Pictures of one slim triangle each, and where its corners are.

Runs with NumPy alone. Picture i of a seed depends on nothing but (seed, i), but for rounding in the last place.
"""

import numpy as np

SIZE = 48
# Half the angle at the tip, in radians, and the length of the two long sides, in pixels.
HALF_ANGLE = 0.2, 0.4
LENGTH = 18, 34


def triangle(random):
    """Return the corners of a triangle within the picture, float64 [3, 2] (x, y) in pixels: its tip, then clockwise."""
    while True:
        length, half = random.uniform(*LENGTH), random.uniform(*HALF_ANGLE)
        turn = random.uniform(0, 2 * np.pi)
        sides = [length * np.array([np.cos(turn + side), np.sin(turn + side)]) for side in (-half, half)]
        tip = random.uniform(3, SIZE - 3, 2)
        corners = np.stack([tip, tip + sides[0], tip + sides[1]])
        if (corners > 3).all() and (corners < SIZE - 3).all():
            return corners


def depth(corners):
    """Return the signed distance in pixels to the nearest side, positive inside: float64 [SIZE, SIZE]."""
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    sides = zip(corners, np.roll(corners, -1, axis=0), strict=True)
    return np.min(
        [((qx - px) * (y - py) - (qy - py) * (x - px)) / np.hypot(qx - px, qy - py) for (px, py), (qx, qy) in sides],
        axis=0,
    )


def picture(seed, index):
    """Return one picture, uint8 [SIZE, SIZE, 1], and its corners, float32 [6]: x, y, ... in parts of the edge."""
    random = np.random.RandomState([seed, index])
    corners = triangle(random)
    ground, contrast = random.uniform(0.2, 0.8), random.uniform(0.3, 0.6)
    slope = random.uniform(-0.15, 0.15, 2)
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE - 0.5
    canvas = ground + slope[0] * x + slope[1] * y + random.normal(0, 0.04, (SIZE, SIZE))
    canvas += np.clip(depth(corners) + 0.5, 0, 1) * (contrast if ground < 0.5 else -contrast)
    grey = np.round(np.clip(canvas, 0, 1) * 255).astype(np.uint8)
    return grey[..., None], (corners / SIZE).ravel().astype(np.float32)


def pictures(seed, count):
    """Return the first pictures of a seed, uint8 [count, SIZE, SIZE, 1], and their corners, float32 [count, 6]."""
    grey, corners = zip(*(picture(seed, index) for index in range(count)), strict=True)
    return np.stack(grey), np.stack(corners)
