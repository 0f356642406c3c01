"""Boxes out of a raw YOLO head, by the ``decode`` entry that the contract has for it."""

import numpy as np


def decode(head, entry):
    """Decode a raw head as the graph with decoded heads does.

    Formulas: :mod:`zoomill.sources.darknet.heads`.

    Args:
        head: float ``[1, rows, columns, anchors * (5 + classes)]``: for each anchor x, y, width, height, objectness
            and classes, as they go into the head.
        entry: the ``decode`` of an output in the contract: see docs/darknet.md.

    Returns:
        float64 ``[1, rows * columns * anchors, 5 + classes]``, row by row: xmin, ymin, xmax, ymax relative to the
        picture, objectness 0 to 1, and for each class its score, objectness times class probability.
    """
    _, rows, columns, _ = head.shape
    anchors = np.array(entry["anchors"], np.float64)
    values = np.asarray(head, np.float64).reshape(rows, columns, len(anchors), 5 + entry["classes"])
    centre, extent, objectness, classes = np.split(values, [2, 4, 5], axis=3)
    if entry["activation"] == "none":
        extent = np.square(2 * extent)
    else:
        centre, extent, objectness = _logistic(centre), np.exp(extent), _logistic(objectness)
        classes = _softmax(classes) if entry["activation"] == "softmax" else _logistic(classes)
    cells = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1)[:, :, None]
    stretch = entry["scale_x_y"]
    centre = (centre * stretch - (stretch - 1) / 2 + cells) / [columns, rows]
    half = extent * anchors / 2
    decoded = np.concatenate([centre - half, centre + half, objectness, objectness * classes], axis=3)
    return decoded.reshape(1, -1, 5 + entry["classes"])


def _logistic(x):
    return 1 / (1 + np.exp(-x))


def _softmax(x):
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
