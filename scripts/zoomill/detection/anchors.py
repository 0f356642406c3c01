"""SSD anchors, computed in the float32 arithmetic of the Object Detection API's own graph."""

import math

import numpy as np

from zoomill.errors import UserError


def ssd_anchors(generator, feature_maps, image_size):
    """Return the anchors of the multiple-grid generator (Liu et al. 2016, section 2.2).

    Args:
        generator: the ``ssd_anchor_generator`` message of :mod:`zoomill.sources.tf1_detection.pipeline_config`.
        feature_maps: ``[(height, width), …]`` of the prediction layers, in grid cells, finest first.
        image_size: height and width of the network's input, in pixels.

    Returns:
        float32 array ``[anchors, 4]`` of ymin, xmin, ymax, xmax, relative to the image; bit-equal to the
        anchor nodes of an exported graph.

    Raises:
        UserError: when the pipeline's number of layers is not the graph's.
    """
    layers = len(feature_maps)
    if generator.num_layers != layers:
        raise UserError(
            f"pipeline.config: ssd_anchor_generator has num_layers {generator.num_layers}, "
            f"but the graph has {layers} prediction layers"
        )
    for name in ("scales", "height_stride", "width_stride", "height_offset", "width_offset"):
        if len(getattr(generator, name)) not in (0, layers):
            raise UserError(f"pipeline.config: ssd_anchor_generator has another number of {name} than layers")
    size = np.array(image_size, np.float32)
    base = np.array([generator.base_anchor_height, generator.base_anchor_width], np.float32) * (size.min() / size)
    boxes = []
    for layer, (cells, shapes) in enumerate(zip(feature_maps, layer_shapes(generator), strict=True)):
        stride, offset = _grid(generator, layer, cells, size)
        boxes.append(_tile(cells, stride, offset, base, shapes))
    return np.concatenate(boxes)


def layer_shapes(generator):
    """Return ``[[(scale, aspect ratio), …], …]``: the boxes of a cell in each prediction layer."""
    layers = generator.num_layers
    step = (generator.max_scale - generator.min_scale) / max(layers - 1, 1)
    scales = list(generator.scales) or [generator.min_scale + step * layer for layer in range(layers)]
    scales.append(1.0)
    return [_layer_shapes(generator, layer, *scales[layer : layer + 2]) for layer in range(layers)]


def center_size(corners):
    """Turn ``[anchors, 4]`` corners into ycenter, xcenter, height, width: what the TFLite op expects."""
    ymin, xmin, ymax, xmax = corners.T
    height, width = ymax - ymin, xmax - xmin
    two = np.float32(2)
    return np.stack([ymin + height / two, xmin + width / two, height, width], axis=1)


def _layer_shapes(generator, layer, scale, next_scale):
    """Return ``[(scale, aspect ratio), …]`` of one prediction layer."""
    if layer == 0 and generator.reduce_boxes_in_lowest_layer:
        return [(0.1, 1.0), (scale, 2.0), (scale, 0.5)]
    shapes = [(scale, ratio) for ratio in generator.aspect_ratios]
    if generator.interpolated_scale_aspect_ratio > 0:
        shapes.append((math.sqrt(scale * next_scale), generator.interpolated_scale_aspect_ratio))
    return shapes


def _grid(generator, layer, cells, size):
    """Return stride and offset (float32 pairs, relative to the image) of one layer's grid."""
    one_half = np.float32(0.5)
    if generator.height_stride:
        stride = np.array([generator.height_stride[layer], generator.width_stride[layer]], np.float32) / size
    else:
        stride = np.float32(1) / np.array(cells, np.float32)
    if generator.height_offset:
        offset = np.array([generator.height_offset[layer], generator.width_offset[layer]], np.float32) / size
    else:
        offset = one_half * stride
    return stride, offset


def _tile(cells, stride, offset, base, shapes):
    """Return the corners of ``shapes`` at every cell of the grid: row by row, the shape varying fastest."""
    scales = np.array([scale for scale, _ in shapes], np.float32)
    roots = np.sqrt(np.array([ratio for _, ratio in shapes], np.float32))
    heights, widths = scales / roots * base[0], scales * roots * base[1]
    rows, columns = (np.arange(n, dtype=np.float32) * s + o for n, s, o in zip(cells, stride, offset, strict=True))
    y, x, shape = (axis.ravel() for axis in np.meshgrid(rows, columns, np.arange(len(shapes)), indexing="ij"))
    half_height, half_width = np.float32(0.5) * heights[shape], np.float32(0.5) * widths[shape]
    return np.stack([y - half_height, x - half_width, y + half_height, x + half_width], axis=1)
