"""The two kinds of detection head: [region] of YOLO 2 and [yolo] of YOLO 3 and 4.

Formulas: get_yolo_box and get_yolo_detections in src/yolo_layer.c, get_region_box and get_region_detections in
src/region_layer.c of Darknet; ``scale_x_y`` and ``new_coords`` in src/yolo_layer.c of AlexeyAB's continuation.
"""

import dataclasses

import numpy as np

from zoomill.inspect.darknet_cfg import Section

KINDS = ("region", "yolo")
DECODED = (
    "one row for each cell and anchor of all heads in order, row by row: xmin, ymin, xmax, ymax relative to the image, "
    "objectness, and for each class its score, which is objectness times class probability"
)


@dataclasses.dataclass(frozen=True)
class Head:
    """A detection head.

    Attributes:
        section: its section.
        tensor: what goes into it: tensor ``[1, rows, columns, anchors * (5 + classes)]``.
        anchors: float64 ``[anchors, 2]``: width and height, in pixels of the network's input for [yolo], in cells
            for [region].
        classes: number of classes.
    """

    section: Section
    tensor: object
    anchors: np.ndarray
    classes: int

    @property
    def softmax(self):
        """Whether class probabilities add up to 1 in each box."""
        return self.section.kind == "region" and self.section.integer("softmax", 0) > 0

    @property
    def meaning(self):
        """What goes into the head, in a line for the contract."""
        return (
            f"what goes into [{self.section.kind}]: in each cell, for each anchor: x, y, width, height, objectness, "
            f"{self.classes} classes; `decode` says how to read them"
        )

    def entry(self, size):
        """Return the contract's ``decode`` entry for :func:`zoomill.detection.yolo.decode`.

        Args:
            size: width and height of the network's input in pixels.
        """
        _, rows, columns, _ = self.tensor.shape
        unit = size if self.section.kind == "yolo" else (columns, rows)
        # With new_coords, the layer before ends in a logistic activation.
        ready = self.section.integer("new_coords", 0)
        return {
            "kind": "yolo",
            "anchors": (self.anchors / unit).tolist(),
            "classes": self.classes,
            "scale_x_y": self.section.real("scale_x_y", 1),
            "activation": "none" if ready else "softmax" if self.softmax else "logistic",
        }


def read(section, tensor):
    """Return the :class:`Head` of a section whose input is ``tensor``.

    Raises:
        UserError: when the input has another number of channels than the head needs, or for an option that is not
            supported.
    """
    section.expect(coords=4, background=0)
    if "tree" in section.options:
        raise section.error("tree= is not supported")
    classes, total = section.integer("classes", 20, least=1), section.integer("num", 1, least=1)
    anchors = section.reals("anchors")
    mask = section.integers("mask", list(range(total))) if section.kind == "yolo" else list(range(total))
    if len(anchors) < 2 * total or not set(mask) <= set(range(total)):
        raise section.error(f"has {len(anchors)} numbers in anchors= and mask {mask}, but num={total}")
    channels = len(mask) * (5 + classes)
    if tensor.shape[3] != channels:
        raise section.error(
            f"needs {channels} channels (anchors * (5 + classes)), the layer before has {tensor.shape[3]}"
        )
    return Head(section, tensor, np.reshape(anchors[: 2 * total], (-1, 2))[mask], classes)


def decode(head, size):
    """Return the boxes of a head as a tensor ``[1, rows * columns * anchors, 5 + classes]``; see :data:`DECODED`.

    Args:
        head: :class:`Head`.
        size: width and height of the network's input in pixels.
    """
    import tensorflow as tf

    _, rows, columns, _ = head.tensor.shape
    entry, count = head.entry(size), len(head.anchors)
    grid = np.array([columns, rows], np.float64)
    corners = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2)
    cells = np.repeat(corners, count, axis=0) / grid
    anchors = np.tile(entry["anchors"], (rows * columns, 1))
    values = tf.reshape(head.tensor, [1, rows * columns * count, 5 + head.classes])
    centre, extent, objectness, classes = tf.split(values, [2, 2, 1, head.classes], axis=2)
    if entry["activation"] == "none":
        extent = tf.square(2 * extent)
    else:
        centre, extent, objectness = tf.sigmoid(centre), tf.exp(extent), tf.sigmoid(objectness)
        classes = tf.nn.softmax(classes) if entry["activation"] == "softmax" else tf.sigmoid(classes)
    stretch = entry["scale_x_y"]
    shift = cells - (stretch - 1) / 2 / grid
    centre = centre * (stretch / grid).astype(np.float32) + shift.astype(np.float32)
    half = extent * (anchors / 2).astype(np.float32)
    return tf.concat([centre - half, centre + half, objectness, objectness * classes], axis=2)
