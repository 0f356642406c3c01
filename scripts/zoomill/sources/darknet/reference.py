"""Darknet once more, layer by layer in NumPy after its C code: golden outputs of what OpenCV cannot run.

Shares nothing with the exporter but the reading of the .cfg file: values are float64 ``[channels, height, width]``,
normalisation is not folded, and padding is done by hand.
"""

import struct

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def run(sections, path, image):
    """Run a network.

    Args:
        sections: the layers' sections, known to be supported.
        path: the .weights file, known to fit.
        image: ``[channels, height, width]``.

    Returns:
        the outputs of all layers; of a detection head what goes into it.
    """
    take = _reader(path)
    outputs = []
    x = image.astype(np.float64)
    for section in sections:
        x = _LAYERS[section.kind](section, x, outputs, take)
        outputs.append(x)
    return outputs


def boxes(net, section, x):
    """Decode a detection head.

    Args:
        net, section: the ``[net]`` section and the head's.
        x: what goes into the head.

    Returns:
        ``[rows * columns * anchors, 5 + classes]``: xmin, ymin, xmax, ymax, objectness, scores.
    """
    _, rows, columns = x.shape
    total, stretch = section.integer("num", 1), section.real("scale_x_y", 1)
    plain = section.integer("new_coords", 0)
    yolo = section.kind == "yolo"
    mask = section.integers("mask", list(range(total))) if yolo else range(total)
    widths, heights = section.reals("anchors")[0::2], section.reals("anchors")[1::2]
    unit = (net.integer("width", 0), net.integer("height", 0)) if yolo else (columns, rows)
    found = []
    for block, anchor in zip(np.split(x, len(mask)), mask, strict=True):
        activated = block if plain else _logistic(block)
        left = (np.arange(columns) + activated[0] * stretch - (stretch - 1) / 2) / columns
        top = (np.arange(rows)[:, None] + activated[1] * stretch - (stretch - 1) / 2) / rows
        factors = 4 * block[2:4] ** 2 if plain else np.exp(block[2:4])
        width, height = factors[0] * widths[anchor] / unit[0], factors[1] * heights[anchor] / unit[1]
        softmax = not yolo and section.integer("softmax", 0)
        scores = activated[4] * (_softmax(block[5:]) if softmax else activated[5:])
        corners = [left - width / 2, top - height / 2, left + width / 2, top + height / 2]
        found.append(np.stack([*corners, activated[4], *scores], axis=-1))
    return np.stack(found, axis=2).reshape(rows * columns * len(mask), -1)


def _reader(path):
    """Return a function that returns the next so many values of a .weights file."""
    with open(path, "rb") as file:
        major, minor, _ = struct.unpack("<iii", file.read(12))
        file.seek(8 if major * 10 + minor >= 2 else 4, 1)
        values = np.frombuffer(file.read(), "<f4").astype(np.float64)
    place = 0

    def take(*shape):
        nonlocal place
        place += int(np.prod(shape))
        return values[place - int(np.prod(shape)) : place].reshape(shape)

    return take


def _convolutional(section, x, outputs, take):
    filters, size, groups = (section.integer(key, 1) for key in ("filters", "size", "groups"))
    pad = size // 2 if section.integer("pad", 0) else section.integer("padding", 0)
    biases, normalise = take(filters), _normalisation(section, filters, take)
    kernel = take(filters, x.shape[0] // groups, size, size)
    windows = sliding_window_view(np.pad(x, ((0, 0), (pad, pad), (pad, pad))), (size, size), axis=(1, 2))
    down, across = _strides(section)
    parts = zip(np.split(windows[:, ::down, ::across], groups), np.split(kernel, groups), strict=True)
    sums = np.concatenate([np.einsum("cyxij,fcij->fyx", *part) for part in parts])
    return _activated(section, normalise(sums) + biases[:, None, None], "logistic")


def _connected(section, x, outputs, take):
    count = section.integer("output", 1)
    biases, kernel = take(count), take(count, x.size)
    sums = (kernel @ x.ravel())[:, None, None]
    return _activated(section, _normalisation(section, count, take)(sums) + biases[:, None, None], "logistic")


def _normalisation(section, count, take):
    if not section.integer("batch_normalize", 0):
        return lambda sums: sums
    scales, mean, variance = take(3, count)[..., None, None]
    return lambda sums: (sums - mean) / (np.sqrt(variance) + 0.000001) * scales


def _strides(section):
    stride = section.integer("stride", 1)
    return section.integer("stride_y", stride), section.integer("stride_x", stride)


def _maxpool(section, x, outputs, take):
    down, across = _strides(section)
    size = section.integer("size", section.integer("stride", 1))
    padding = section.integer("padding", size - 1)
    ends = (padding // 2, padding - padding // 2)
    padded = np.pad(x, ((0, 0), ends, ends), constant_values=-np.inf)
    return sliding_window_view(padded, (size, size), axis=(1, 2))[:, ::down, ::across].max(axis=(3, 4))


def _avgpool(section, x, outputs, take):
    return x.mean(axis=(1, 2), keepdims=True)


def _upsample(section, x, outputs, take):
    stride = section.integer("stride", 2)
    return x.repeat(stride, axis=1).repeat(stride, axis=2) * section.real("scale", 1)


def _route(section, x, outputs, take):
    groups, group = section.integer("groups", 1), section.integer("group_id", 0)
    return np.concatenate([np.split(outputs[index], groups)[group] for index in section.integers("layers")])


def _shortcut(section, x, outputs, take):
    return _activated(section, x + sum(outputs[index] for index in section.integers("from")), "linear")


def _multiply(section, x, outputs, take):
    (index,) = section.integers("from")
    return _activated(section, x * outputs[index], "linear")


def _reorg(section, x, outputs, take):
    stride = section.integer("stride", 1)
    channels, height, width = x.shape
    seen = x.reshape(channels // stride**2, height * stride, width * stride)
    parts = [seen[:, row::stride, column::stride] for row in range(stride) for column in range(stride)]
    return np.concatenate(parts).reshape(-1, height // stride, width // stride)


def _reorg3d(section, x, outputs, take):
    stride = section.integer("stride", 1)
    return np.concatenate([x[:, row::stride, column::stride] for row in range(stride) for column in range(stride)])


def _softmax_layer(section, x, outputs, take):
    parts = np.split(x / section.real("temperature", 1), section.integer("groups", 1))
    return np.concatenate([_softmax(part) for part in parts])


def _same(section, x, outputs, take):
    return x


def _softmax(x):
    powers = np.exp(x - x.max(axis=0))
    return powers / powers.sum(axis=0)


def _logistic(x):
    return 1 / (1 + np.exp(-x))


def _activated(section, x, default):
    functions = {
        "leaky": lambda: np.where(x > 0, x, 0.1 * x),
        "linear": lambda: x,
        "logistic": lambda: _logistic(x),
        "mish": lambda: x * np.tanh(np.logaddexp(0, x)),
        "relu": lambda: np.maximum(x, 0),
        "relu6": lambda: np.clip(x, 0, 6),
        "swish": lambda: x * _logistic(x),
    }
    return functions[section.options.get("activation", default)]()


_LAYERS = {
    "avgpool": _avgpool,
    "connected": _connected,
    "convolutional": _convolutional,
    "cost": _same,
    "dropout": _same,
    "maxpool": _maxpool,
    "region": _same,
    "reorg": _reorg,
    "reorg3d": _reorg3d,
    "reorg_old": _reorg,
    "route": _route,
    "sam": _multiply,
    "scale_channels": _multiply,
    "shortcut": _shortcut,
    "softmax": _softmax_layer,
    "upsample": _upsample,
    "yolo": _same,
}
