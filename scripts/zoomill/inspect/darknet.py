"""Darknet networks: the .cfg, and the length of its .weights."""

import collections
import os
import struct
from pathlib import Path

from zoomill.errors import UserError
from zoomill.inspect import guards, report

# Output keeps the shape of the input.
_SAME = {"dropout", "softmax", "cost", "activation", "logistic", "sam", "yolo", "region", "detection", "gaussian_yolo"}
_HEADS = {"yolo", "region", "detection", "gaussian_yolo"}


def read(path, companion=None):
    """Report a .cfg and the .weights beside it; ``companion`` is the file of weights where it has another name.

    Raises:
        UserError: when the file is no Darknet configuration, or the weights are more or fewer than it needs.
        ValueError, IndexError, ZeroDivisionError: when it has values that make no network.
    """
    sections = _sections(guards.read(path, guards.TEXT_LIMIT).decode(errors="replace"))
    if not sections or sections[0][0] not in {"net", "network"}:
        raise UserError(f"{path}: is no Darknet configuration: it does not begin with [net]")
    (_, net), layers = sections[0], sections[1:]
    start = tuple(_integer(net[key]) for key in ("channels", "height", "width"))
    shapes, parameters, unknown = _walk(start, layers)
    weights = Path(companion or Path(path).with_suffix(".weights"))
    present = companion is not None or weights.exists()
    producer, stored = _header(weights) if present else ({}, None)
    count = parameters.as_json().get("float32", {"count": 0})["count"]
    if present and not unknown and stored != count:
        raise UserError(f"{weights}: holds {stored} values where {os.path.basename(path)} needs {count}")
    ends = [index for index, (kind, _) in enumerate(layers) if kind in _HEADS] or [len(layers) - 1]
    outputs = [(f"{layers[index][0]}_{index}", str(index), shapes[index]) for index in ends if index >= 0]
    graph = report.graph(
        [report.signature(None, [_tensor("net", "net", start)], [_tensor(*output) for output in outputs])],
        collections.Counter(kind for kind, _ in layers),
        (),
        unknown.__contains__,
        parameters,
    )
    notes = [f"shapes and parameters after [{kind}] are not known" for kind in sorted(unknown)[:1]]
    if not present:
        notes.append(f"{weights.name} is not there")
    return report.report("darknet", producer, [graph], notes=notes)


def _sections(text):
    """Return [(kind, {key: value})] in the order of the file; Darknet ignores white space and # and ; lines."""
    sections = []
    for line in ("".join(line.split()) for line in text.splitlines()):
        if line.startswith("["):
            sections.append((line.strip("[]"), {}))
        elif line and line[0] not in "#;" and sections:
            key, _, value = line.partition("=")
            sections[-1][1][key] = value
    return sections


def _tensor(name, place, shape):
    return report.tensor(name, place, "float32", None if shape is None else [-1, *shape])


def _walk(start, layers):
    """Return the (channels, height, width) after every layer, the parameters, and the kinds that are not known.

    After a layer of an unknown kind shapes are None and nothing is counted.
    """
    parameters, unknown, shapes = report.Parameters(), set(), []
    shape = start
    for index, (kind, settings) in enumerate(layers):
        numbers = collections.defaultdict(int)
        numbers |= {key: _integer(value) for key, value in settings.items() if value.lstrip("-").isdecimal()}
        if kind not in _LAYERS:
            unknown.add(kind)
            shape = None
        elif shape is not None:
            shape, weights = _LAYERS[kind](_Layer(index, shape, shapes, settings, numbers))
            for size in weights:
                parameters.add("float32", [size])
        shapes.append(shape)
    return shapes, parameters, unknown


_Layer = collections.namedtuple("_Layer", "index shape before settings numbers")


def _integer(text):
    if len(text) > len(str(1 << 31)):
        raise ValueError(f"{text[:20]} … is no sensible size")
    return int(text)


def _convolutional(layer):
    (channels, height, width), numbers = layer.shape, layer.numbers
    filters, size, stride = numbers["filters"] or 1, numbers["size"] or 1, numbers["stride"] or 1
    padding = size // 2 if numbers["pad"] else numbers["padding"]
    kernel = channels // (numbers["groups"] or 1) * filters * size * size
    batch_norm = 3 * filters if numbers["batch_normalize"] else 0
    across = numbers["stride_x"] or stride
    down = numbers["stride_y"] or stride
    spread = 2 * padding - size
    return (filters, (height + spread) // down + 1, (width + spread) // across + 1), [filters, batch_norm, kernel]


def _connected(layer):
    channels, height, width = layer.shape
    outputs = layer.numbers["output"] or 1
    batch_norm = 3 * outputs if layer.numbers["batch_normalize"] else 0
    return (outputs, 1, 1), [outputs, batch_norm, channels * height * width * outputs]


def _maxpool(layer):
    channels, height, width = layer.shape
    stride = layer.numbers["stride"] or 1
    size = layer.numbers["size"] or stride
    padding = layer.numbers["padding"] if "padding" in layer.settings else size - 1
    return (channels, (height + padding - size) // stride + 1, (width + padding - size) // stride + 1), []


def _avgpool(layer):
    return (layer.shape[0], 1, 1), []


def _upsample(layer):
    channels, height, width = layer.shape
    stride = layer.numbers["stride"] or 2
    return (channels, height * stride, width * stride), []


def _reorg(layer):
    channels, height, width = layer.shape
    stride = layer.numbers["stride"] or 1
    return (channels * stride * stride, height // stride, width // stride), []


def _route(layer):
    chosen = [_earlier(layer, _integer(place)) for place in layer.settings["layers"].split(",") if place]
    channels = sum(shape[0] for shape in chosen) // (layer.numbers["groups"] or 1)
    return (channels, *chosen[0][1:]), []


def _scale_channels(layer):
    return _earlier(layer, layer.numbers["from"]), []


def _same(layer):
    return layer.shape, []


def _earlier(layer, place):
    """Return the shape after layer ``place``, counted from here when it is negative."""
    place += layer.index if place < 0 else 0
    if not 0 <= place < layer.index:
        raise IndexError(f"layer {layer.index} reads layer {place}")
    return layer.before[place]


_LAYERS = dict.fromkeys([*_SAME, "shortcut"], _same) | {
    "convolutional": _convolutional,
    "conv": _convolutional,
    "connected": _connected,
    "conn": _connected,
    "maxpool": _maxpool,
    "max": _maxpool,
    "avgpool": _avgpool,
    "avg": _avgpool,
    "upsample": _upsample,
    "reorg": _reorg,
    "reorg3d": _reorg,
    "route": _route,
    "scale_channels": _scale_channels,
}


def _header(path):
    """Return what the header of a .weights tells, and how many float32 values follow.

    Three int32 for the version, then the number of images seen: uint64 since version 0.2, uint32 before
    (darknet, src/parser.c, load_weights_upto).

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
    return {"weights": f"{major}.{minor}.{revision}", "images_seen": seen}, values
