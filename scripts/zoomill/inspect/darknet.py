"""Darknet networks: the .cfg, and the length of its .weights.

Shapes are (channels, height, width), as Darknet keeps them.
"""

import collections
import os
import struct
from pathlib import Path

from zoomill.errors import UserError
from zoomill.inspect import darknet_cfg, report

_HEADS = {"yolo", "region", "detection", "gaussian_yolo"}


def read(path, companion=None):
    """Report a .cfg and the .weights beside it; ``companion`` is the file of weights where it has another name.

    Raises:
        UserError: when the file is no Darknet configuration, or the weights are more or fewer than it needs.
        ValueError: when it has values that make no network.
    """
    net, layers = darknet_cfg.read(path)
    start = tuple(net.integer(key, 0, least=1) for key in ("channels", "height", "width"))
    shapes, parameters, unknown = _walk(start, layers)
    weights = Path(companion or Path(path).with_suffix(".weights"))
    present = companion is not None or weights.exists()
    producer, stored = _header(weights) if present else ({}, None)
    count = parameters.as_json().get("float32", {"count": 0})["count"]
    if present and not unknown and stored != count:
        raise UserError(f"{weights}: holds {stored} values where {os.path.basename(path)} needs {count}")
    ends = [index for index, layer in enumerate(layers) if layer.kind in _HEADS] or range(len(layers))[-1:]
    outputs = [_tensor(f"{layers[index].kind}_{index}", str(index), shapes[index]) for index in ends]
    graph = report.graph(
        [report.signature(None, [_tensor("net", "net", start)], outputs)],
        collections.Counter(layer.kind for layer in layers),
        (),
        unknown.__contains__,
        parameters,
    )
    notes = [f"shapes and parameters from [{kind}] on are not known" for kind in list(unknown)[:1]]
    if not present:
        notes.append(f"{weights.name} is not there")
    return report.report("darknet", producer, [graph], notes=notes, files=[weights.name])


def _tensor(name, place, shape):
    return report.tensor(name, place, "float32", None if shape is None else [-1, *shape])


def _walk(start, layers):
    """Return the shape after every layer, the parameters, and the kinds that are not known, in order.

    After a layer of an unknown kind shapes are None and nothing is counted.
    """
    parameters, unknown, shapes = report.Parameters(), {}, []
    shape = start
    for layer in layers:
        if layer.kind not in _LAYERS:
            unknown[layer.kind] = shape = None
        elif shape is not None:
            shape, weights = _LAYERS[layer.kind](layer, shape, shapes)
            report.elements(shape)
            for size in weights:
                parameters.add("float32", [size])
        shapes.append(shape)
    return shapes, parameters, unknown


def _convolutional(layer, shape, _):
    channels, height, width = shape
    filters, size, groups, stride = (layer.integer(key, 1, least=1) for key in ("filters", "size", "groups", "stride"))
    padding = size // 2 if layer.integer("pad", 0) else layer.integer("padding", 0)
    down, across = (layer.integer(key, stride, least=1) for key in ("stride_y", "stride_x"))
    spread = 2 * padding - size
    shape = (filters, (height + spread) // down + 1, (width + spread) // across + 1)
    return shape, [filters, _normalisation(layer, filters), channels // groups * filters * size * size]


def _connected(layer, shape, _):
    outputs = layer.integer("output", 1, least=1)
    return (outputs, 1, 1), [outputs, _normalisation(layer, outputs), outputs * report.elements(shape)]


def _normalisation(layer, filters):
    """Return how many scales, means and variances the layer has."""
    return 3 * filters if layer.integer("batch_normalize", 0) else 0


def _maxpool(layer, shape, _):
    channels, height, width = shape
    stride = layer.integer("stride", 1, least=1)
    down, across = (layer.integer(key, stride, least=1) for key in ("stride_y", "stride_x"))
    size = layer.integer("size", stride, least=1)
    spread = layer.integer("padding", size - 1) - size
    return (channels, (height + spread) // down + 1, (width + spread) // across + 1), []


def _avgpool(layer, shape, _):
    return (shape[0], 1, 1), []


def _upsample(layer, shape, _):
    channels, height, width = shape
    stride = layer.integer("stride", 2, least=1)
    return (channels, height * stride, width * stride), []


def _reorg(layer, shape, _):
    channels, height, width = shape
    stride = layer.integer("stride", 1, least=1)
    return (channels * stride * stride, height // stride, width // stride), []


def _route(layer, _, earlier):
    chosen = _from(layer, "layers", earlier)
    channels = sum(shape[0] for shape in chosen) // layer.integer("groups", 1, least=1)
    return (channels, *chosen[0][1:]), []


def _scale_channels(layer, _, earlier):
    return _from(layer, "from", earlier)[0], []


def _same(layer, shape, _):
    return shape, []


def _from(layer, key, earlier):
    """Return the shapes of the layers that an option names by number, from the first one or, below 0, from here."""
    numbers = layer.integers(key)
    if not all(-len(earlier) <= number < len(earlier) for number in numbers):
        raise layer.error(f"cannot take {key}={layer.options[key]}, there are layers 0 to {len(earlier) - 1}")
    return [earlier[number] for number in numbers]


_LAYERS = dict.fromkeys([*_HEADS, "activation", "cost", "dropout", "logistic", "sam", "shortcut", "softmax"], _same) | {
    "convolutional": _convolutional,
    "connected": _connected,
    "maxpool": _maxpool,
    "avgpool": _avgpool,
    "upsample": _upsample,
    **dict.fromkeys(["reorg", "reorg3d", "reorg_old"], _reorg),
    "route": _route,
    "scale_channels": _scale_channels,
}


def _header(path):
    """Return what the header of a .weights tells, and how many float32 values follow.

    Three int32 for the version, then the number of pictures seen in training: uint64 since version 0.2, uint32 before
    (``load_weights_upto`` in Darknet's src/parser.c).

    Raises:
        UserError: when the file is missing or truncated.
    """
    if not os.path.isfile(path):
        raise UserError(f"{path}: there is no such file")
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        start = file.read(20)
    if len(start) < 20:
        raise UserError(f"{path}: is truncated, or holds no Darknet weights")
    major, minor, revision = struct.unpack_from("<3i", start)
    wide = major * 10 + minor >= 2 and max(major, minor) < 1000
    (seen,) = struct.unpack_from("<Q" if wide else "<I", start, 12)
    values, left = divmod(size - (20 if wide else 16), 4)
    if left:
        raise UserError(f"{path}: is truncated, or holds no Darknet weights: {left} bytes are left over")
    return {"weights": f"{major}.{minor}.{revision}", "pictures_seen": seen}, values
