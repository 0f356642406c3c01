"""Golden outputs: the network run by OpenCV's DNN module, which reads .cfg and .weights files by itself.

OpenCV's own heads set scores to 0 below a threshold and for boxes that overlap a better one. So of a decoded head we
take OpenCV's box and objectness, and compute class probabilities from what OpenCV feeds into the head. What OpenCV
does not know is run by :mod:`zoomill.sources.darknet.reference` instead.
"""

import sys

import numpy as np

from zoomill.sources.darknet import heads, reference


def source(net, sections, weights, network, decoded):
    """Return a function that runs a network, and print when OpenCV cannot.

    Args:
        net, sections: what :func:`zoomill.inspect.darknet_cfg.read` returned.
        weights: path of the .weights file.
        network: :class:`~zoomill.sources.darknet.graph.Network`; only its names, shapes and heads are used.
        decoded: whether heads give boxes.

    Returns:
        function from ``{input name: array}`` to ``{output name: array}``.
    """
    import cv2

    try:
        _check_known(sections)
        run = _opencv(cv2, net.path, weights, network, decoded)
        run({entry.name: np.zeros(entry.shape, np.float32) for entry in network.inputs})
    except (cv2.error, ValueError) as error:
        reason = getattr(error, "err", error)
        print(f"{net.path}: golden outputs by NumPy, because OpenCV cannot run the network: {reason}", file=sys.stderr)
        return _numpy(net, sections, weights, network, decoded)
    return run


def _check_known(sections):
    """Raise ValueError for what OpenCV reads otherwise than Darknet, without a word."""
    misread = {
        "connected": lambda options: "activation" not in options or options.get("batch_normalize", "0") != "0",
        "convolutional": lambda options: "activation" not in options,
        "maxpool": lambda options: not {"size", "stride"} <= set(options),
        "shortcut": lambda options: "," in options["from"],
        "softmax": lambda options: "temperature" in options,
        "upsample": lambda options: "stride" not in options or "scale" in options,
    }
    for section in sections:
        if section.kind in misread and misread[section.kind](section.options):
            raise ValueError(f"it misreads [{section.kind}] of line {section.line}")


def _opencv(cv2, config, weights, network, decoded):
    """Return a function that runs a network in OpenCV, which raises ValueError for results that cannot be right."""
    cv2.setNumThreads(1)  # the order of sums, and with it their last bits, depends on it
    net = cv2.dnn.readNetFromDarknet(config, weights)
    net.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)
    net.enableWinograd(False)  # Winograd convolutions are faster and less exact
    names = net.getLayerNames()
    undecoded = [name for name in names if name.startswith("permute_")]
    own = [name for name in names if name.startswith("yolo_") or name == "detection_out"]

    def run(feed):
        (image,) = feed.values()
        net.setInput(np.ascontiguousarray(image.transpose(0, 3, 1, 2)))
        if not network.heads:
            found = net.forward()
            values = [found.transpose(0, 2, 3, 1) if found.ndim == 4 else found]
        elif decoded:
            pairs = zip(network.heads, net.forward(undecoded), net.forward(own), strict=True)
            values = [np.concatenate([_boxes(*pair) for pair in pairs])]
        else:
            values = net.forward(undecoded)
        return {entry.name: _checked(entry, value) for entry, value in zip(network.outputs, values, strict=True)}

    return run


def _checked(entry, value):
    """Return a value in the shape of an output; OpenCV may leave out a batch of one and a single pixel."""
    if value.size != np.prod(entry.shape) or (value.ndim == len(entry.shape) == 4 and value.shape != entry.shape):
        raise ValueError(f"its {entry.name} is {list(value.shape)} instead of {list(entry.shape)}")
    if not np.isfinite(value).all():
        raise ValueError(f"its {entry.name} has values that are no numbers")
    return value.reshape(entry.shape)


def _boxes(head, values, own):
    """Return ``[boxes, 5 + classes]`` of a head.

    Args:
        head: :class:`~zoomill.sources.darknet.heads.Head`.
        values: what goes into the head: ``[1, rows, columns, anchors * (5 + classes)]``.
        own: OpenCV's output: ``[boxes, 5 + classes]``: centre x and y, width, height, objectness, scores.
    """
    logits = values.reshape(own.shape)[:, 5:].astype(np.float64)
    if head.section.integer("new_coords", 0):
        probabilities = logits
    elif head.softmax:
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities = powers / powers.sum(axis=1, keepdims=True)
    else:
        probabilities = 1 / (1 + np.exp(-logits))
    centre, half, objectness = own[:, 0:2], own[:, 2:4] / 2, own[:, 4:5]
    return np.hstack([centre - half, centre + half, objectness, objectness * probabilities]).astype(np.float32)


def _numpy(net, sections, weights, network, decoded):
    """Return a function that runs a network in NumPy."""

    def run(feed):
        (image,) = feed.values()
        found = reference.run(sections, weights, image[0].transpose(2, 0, 1))
        inner = [(section, x) for section, x in zip(sections, found, strict=True) if section.kind in heads.KINDS]
        if not inner:
            values = [found[-1].transpose(1, 2, 0)]
        elif decoded:
            values = [np.concatenate([reference.boxes(net, section, x) for section, x in inner])]
        else:
            values = [x.transpose(1, 2, 0) for _, x in inner]
        pairs = zip(network.outputs, values, strict=True)
        return {entry.name: value.reshape(entry.shape).astype(np.float32) for entry, value in pairs}

    return run
