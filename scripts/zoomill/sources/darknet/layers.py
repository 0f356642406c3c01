"""The layers of Darknet in TensorFlow, inference only.

Every layer is a function of its section, the output of the layer before, a list with the outputs of all layers before
(None for a detection head) and the weights. Tensors are float32 ``[1, height, width, channels]``.
"""

import numpy as np


def _convolutional(section, x, earlier, weights):
    """Convolve, add the bias and activate (forward_convolutional_layer)."""
    section.expect(
        binary=0, xnor=0, flipped=0, antialiasing=0, coordconv=0, sway=0, rotate=0, stretch=0, stretch_sway=0
    )
    filters, size, groups, stride = (
        section.integer(key, 1, least=1) for key in ("filters", "size", "groups", "stride")
    )
    strides = tuple(section.integer(key, stride, least=1) for key in ("stride_y", "stride_x"))
    if size > 1:
        section.expect(dilation=1)
    if "share_index" in section.options:
        raise section.error("share_index= is not supported")
    channels = x.shape[3]
    if channels % groups or filters % groups:
        raise section.error(f"has {groups} groups for {channels} channels and {filters} filters")
    kernel, bias = weights.convolution(section, filters, channels // groups, size)
    padding = size // 2 if section.integer("pad", 0) else section.integer("padding", 0)
    x, padding = _pad(section, x, size, strides, (padding, padding), "CONSTANT")
    return _activate(section, _convolve(x, kernel, strides, groups, padding) + bias, "logistic")


def _convolve(x, kernel, strides, groups, padding):
    """Convolve each group of channels with its own filters."""
    import tensorflow as tf

    size, _, channels, filters = kernel.shape
    if groups > 1 and channels == 1 and strides[0] == strides[1]:
        kernel = kernel.reshape(size, size, groups, filters // groups)
        return tf.nn.depthwise_conv2d(x, kernel, (1, *strides, 1), padding)
    parts = zip(_split(x, groups), np.split(kernel, groups, axis=3), strict=True)
    return _joined([tf.nn.conv2d(part, filters, strides, padding) for part, filters in parts])


def _connected(section, x, earlier, weights):
    """Multiply the flattened input by a matrix, add the bias and activate (forward_connected_layer)."""
    import tensorflow as tf

    kernel, bias = weights.connection(section, section.integer("output", 1, least=1), x.shape[1:])
    return _activate(section, tf.nn.conv2d(x, kernel, 1, "VALID") + bias, "logistic")


def _maxpool(section, x, earlier, weights):
    """Take the largest value of each window (forward_maxpool_layer)."""
    import tensorflow as tf

    section.expect(maxpool_depth=0, antialiasing=0)
    stride = section.integer("stride", 1, least=1)
    strides = tuple(section.integer(key, stride, least=1) for key in ("stride_y", "stride_x"))
    size = section.integer("size", stride, least=1)
    padding = section.integer("padding", size - 1)
    before, after = padding // 2, padding - padding // 2
    if 2 * after > size:
        raise section.error(f"padding={padding} is more than the window of size={size} can reach over")
    # A mirrored edge repeats only values that are in the window anyway, and unlike a pad of -3.4e38 can be quantised.
    x, padding = _pad(section, x, size, strides, (before, after), "SYMMETRIC")
    return tf.nn.max_pool2d(x, size, strides, padding)


def _pad(section, x, size, strides, padding, mode):
    """Pad height and width where TensorFlow's own rule, SAME, would give something else.

    Args:
        section: for an error.
        x: the input of a layer that moves a window over it.
        size: height and width of the window.
        strides: vertical and horizontal step.
        padding: by how much Darknet lengthens the input before and after.
        mode: of tf.pad.

    Returns:
        the padded input and the ``padding`` to call the layer with.
    """
    import tensorflow as tf

    pads, same = [], []
    for length, stride in zip(x.shape[1:3], strides, strict=True):
        if length + sum(padding) < size:
            raise section.error(f"has a window of {size}, but its input has only {length}")
        count = (length + sum(padding) - size) // stride + 1
        total = max((count - 1) * stride + size - length, 0)
        pads.append((padding[0], max(total - padding[0], 0)))
        same.append(count == -(-length // stride) and pads[-1] == (total // 2, total - total // 2))
    if not np.any(pads):
        return x, "VALID"
    if all(same):
        return x, "SAME"
    if mode == "SYMMETRIC" and any(max(pad) > length for pad, length in zip(pads, x.shape[1:3], strict=True)):
        raise section.error(f"has a window of {size}, too large for an input of {_shapes([x])}")
    return tf.pad(x, [(0, 0), *pads, (0, 0)], mode), "VALID"


def _avgpool(section, x, earlier, weights):
    """Take the mean of each channel (forward_avgpool_layer)."""
    import tensorflow as tf

    return tf.reduce_mean(x, [1, 2], keepdims=True)


def _upsample(section, x, earlier, weights):
    """Repeat every value ``stride`` times in both directions, times ``scale`` (upsample_cpu)."""
    import tensorflow as tf

    stride, scale = section.integer("stride", 2, least=1), section.real("scale", 1)
    size = [side * stride for side in x.shape[1:3]]
    x = tf.raw_ops.ResizeNearestNeighbor(images=x, size=size)
    return x if scale == 1 else x * scale


def _route(section, x, earlier, weights):
    """Join the channels of earlier layers, or of the same part of each (forward_route_layer)."""
    groups, group = section.integer("groups", 1, least=1), section.integer("group_id", 0)
    parts = _from(section, "layers", earlier)
    if group >= groups or any(part.shape[3] % groups for part in parts):
        raise section.error(f"cannot take group {group} of {groups} from {_shapes(parts)}")
    if len({tuple(part.shape[1:3]) for part in parts}) > 1:
        raise section.error(f"cannot join layers of {_shapes(parts)}")
    return _joined([_split(part, groups)[group] for part in parts])


def _shortcut(section, x, earlier, weights):
    """Add earlier layers (forward_shortcut_layer)."""
    section.expect(weights_type="none")
    if section.real("alpha", 1) != 1 or section.real("beta", 1) != 1:
        raise section.error("alpha= and beta= are not supported")
    for other in _from(section, "from", earlier):
        if other.shape != x.shape:
            raise section.error(f"cannot add layers of {_shapes([x, other])}")
        x = x + other
    return _activate(section, x, "linear")


def _scale_channels(section, x, earlier, weights):
    """Multiply each channel of an earlier layer by a factor (forward_scale_channels_layer), as squeeze-excite does."""
    section.expect(scale_wh=0)
    (other,) = _from(section, "from", earlier, 1)
    if x.shape != [1, 1, 1, other.shape[3]]:
        raise section.error(f"cannot scale the channels of {_shapes([other])} by {_shapes([x])}")
    return _activate(section, x * other, "linear")


def _sam(section, x, earlier, weights):
    """Multiply an earlier layer value by value (forward_sam_layer)."""
    (other,) = _from(section, "from", earlier, 1)
    if x.shape != other.shape:
        raise section.error(f"cannot multiply layers of {_shapes([x, other])}")
    return _activate(section, x * other, "linear")


def _reorg(section, x, earlier, weights):
    """Trade height and width for channels (reorg_cpu called without ``forward``, as forward_reorg_layer does).

    Darknet takes the values as if the input had ``stride`` times the height and width and so much fewer channels,
    which is not what the name says; models are trained with it.
    """
    import tensorflow as tf

    stride = _reorg_stride(section, x)
    _, height, width, channels = x.shape
    if channels % stride**2:
        raise section.error(f"cannot split {_shapes([x])} by {stride}")
    x = tf.reshape(tf.transpose(x, [0, 3, 1, 2]), [channels // stride**2, height, stride, width, stride])
    x = tf.transpose(x, [2, 4, 0, 1, 3])
    return tf.transpose(tf.reshape(x, [1, -1, height // stride, width // stride]), [0, 2, 3, 1])


def _reorg3d(section, x, earlier, weights):
    """Put the ``stride`` by ``stride`` pixels of each block behind each other as channels.

    reorg_cpu called with the sizes of the output, as forward_reorg_layer of AlexeyAB's continuation does. There
    [reorg] is forward_reorg_old_layer, which does what Darknet's [reorg] does.
    """
    import tensorflow as tf

    stride = _reorg_stride(section, x)
    return tf.nn.space_to_depth(x, stride) if stride > 1 else x


def _reorg_stride(section, x):
    """Return by how much a reorg layer shortens height and width."""
    section.expect(reverse=0, flatten=0, extra=0)
    stride = section.integer("stride", 1, least=1)
    if x.shape[1] % stride or x.shape[2] % stride:
        raise section.error(f"cannot split {_shapes([x])} by {stride}")
    return stride


def _softmax(section, x, earlier, weights):
    """Turn each group of values into probabilities (forward_softmax_layer)."""
    import tensorflow as tf

    section.expect(spatial=0)
    groups, temperature = section.integer("groups", 1, least=1), section.real("temperature", 1)
    if "tree" in section.options:
        raise section.error("tree= is not supported")
    if x.shape[1:3] != [1, 1] or x.shape[3] % groups:
        raise section.error(f"cannot make {groups} groups of probabilities from {_shapes([x])}")
    return _joined([tf.nn.softmax(part / temperature) for part in _split(x, groups)])


def _nothing(section, x, earlier, weights):
    """Do nothing: dropout and cost are for training."""
    return x


def _activate(section, x, default):
    """Apply the activation of a section (src/activations.c)."""
    import tensorflow as tf

    def mish(x):
        # x * tanh(log(1 + e^x)) without the logarithm; at 20 the factor is 1 in float32.
        power = tf.exp(tf.minimum(x, 20.0))
        square = power * (power + 2)
        return x * square / (square + 2)

    functions = {
        "leaky": lambda x: tf.nn.leaky_relu(x, 0.1),
        "linear": lambda x: x,
        "logistic": tf.sigmoid,
        "mish": mish,
        "relu": tf.nn.relu,
        "relu6": tf.nn.relu6,
        "swish": lambda x: x * tf.sigmoid(x),
    }
    name = section.options.get("activation", default)
    if name not in functions:
        raise section.error(f"activation={name} is not supported; there are: {', '.join(functions)}")
    return functions[name](x)


def _from(section, key, earlier, count=None):
    """Return the outputs of the layers that an option names by number, from the first one or, below 0, from here."""
    numbers = section.integers(key)
    found = [earlier[number] for number in numbers if -len(earlier) <= number < len(earlier)]
    if len(found) != len(numbers) or any(layer is None for layer in found) or len(found) != (count or len(found)):
        raise section.error(f"cannot take {key}={section.options[key]}, there are layers 0 to {len(earlier) - 1}")
    return found


def _split(x, groups):
    """Return equal parts of the channels."""
    import tensorflow as tf

    return tf.split(x, groups, axis=3) if groups > 1 else [x]


def _joined(parts):
    """Return the channels of all parts as one tensor."""
    import tensorflow as tf

    return tf.concat(parts, axis=3) if len(parts) > 1 else parts[0]


def _shapes(tensors):
    """Return heights, widths and channels for a message."""
    return ", ".join("x".join(map(str, tensor.shape[1:])) for tensor in tensors)


BY_KIND = {
    "avgpool": _avgpool,
    "connected": _connected,
    "convolutional": _convolutional,
    "cost": _nothing,
    "dropout": _nothing,
    "maxpool": _maxpool,
    "reorg": _reorg,
    "reorg3d": _reorg3d,
    "reorg_old": _reorg,
    "route": _route,
    "sam": _sam,
    "scale_channels": _scale_channels,
    "shortcut": _shortcut,
    "softmax": _softmax,
    "upsample": _upsample,
}
