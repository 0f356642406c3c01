"""Pairs of pictures: the outlines of a few shapes, and the same shapes filled.

Runs with NumPy alone. Picture i of a seed depends on nothing but (seed, i), but for rounding in the last place.
"""

import numpy as np

SIZE = 32
# Brightness, -1 to 1, of circles, triangles and squares on a background of -1.
FILLS = {0: 1.0, 3: 0.3, 4: -0.4}


def depth(corners, centre, radius, angle):
    """Return the signed distance in pixels to the edge of a shape, positive inside: float64 [SIZE, SIZE].

    Args:
        corners: 3 or 4 for a regular polygon, 0 for a circle.
        centre: x and y of its middle, in pixels from the picture's corner.
        radius: of the circle, or of the one around the polygon, in pixels.
        angle: radians by which it is turned.
    """
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    x, y = x - centre[0], y - centre[1]
    if not corners:
        return radius - np.hypot(x, y)
    normals = angle + 2 * np.pi / corners * np.arange(corners)
    return np.min([radius * np.cos(np.pi / corners) - x * np.cos(a) - y * np.sin(a) for a in normals], axis=0)


def pair(seed, index):
    """Return the outlines and the filled shapes of one picture, two float32 [SIZE, SIZE, 1] of -1 to 1."""
    random = np.random.RandomState([seed, index])
    edges, filled, free = -np.ones((SIZE, SIZE)), -np.ones((SIZE, SIZE)), np.ones((SIZE, SIZE), bool)
    for _ in range(6):
        corners = (0, 3, 4)[random.randint(3)]
        radius = random.uniform(5, 9) if corners else random.uniform(4, 7)
        centre, angle = random.uniform(radius + 1, SIZE - radius - 1, 2), random.uniform(0, 2 * np.pi)
        inside = depth(corners, centre, radius, angle)
        if not free[inside > -2].all():
            continue
        free[inside > -2] = False
        cover = np.clip(inside + 0.5, 0, 1)
        filled += cover * (FILLS[corners] + 1)
        edges += 2 * np.clip(1.2 - np.abs(inside), 0, 1)
    edges = np.clip(edges + random.normal(0, 0.05, edges.shape), -1, 1)
    return edges[..., None].astype(np.float32), filled[..., None].astype(np.float32)


def pairs(seed, count):
    """Return outlines and filled shapes of the first pictures of a seed, two float32 [count, SIZE, SIZE, 1]."""
    edges, filled = zip(*(pair(seed, index) for index in range(count)), strict=True)
    return np.stack(edges), np.stack(filled)
