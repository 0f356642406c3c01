"""Golden outputs: the network run by OpenCV's DNN module, which reads .cfg and .weights files by itself.

OpenCV's own heads set scores to 0 below a threshold and for boxes that overlap a better one. So of a decoded head we
take OpenCV's box and objectness, and compute class probabilities from what OpenCV feeds into the head.
"""

import numpy as np

from zoomill.errors import UserError


def source(config, weights, network, decoded):
    """Return a function that runs a network in OpenCV.

    Args:
        config, weights: paths of the .cfg and the .weights file.
        network: :class:`~zoomill.darknet.graph.Network`; only its names, shapes and heads are used.
        decoded: whether heads give boxes.

    Returns:
        function from ``{input name: array}`` to ``{output name: array}``.

    Raises:
        UserError: when OpenCV cannot read the files.
    """
    import cv2

    try:
        net = cv2.dnn.readNetFromDarknet(config, weights)
    except cv2.error as error:
        raise UserError(f"{config}: OpenCV, which makes the golden outputs, cannot read it: {error.err}") from error
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
        return {output.name: _shaped(output, value, config) for output, value in zip(network.outputs, values, strict=True)}

    return run


def _shaped(output, value, config):
    """Return a value in the shape of an output, whose batch of one and single pixel OpenCV sometimes leaves out."""
    if value.size != np.prod(output.shape) or (len(output.shape) == 4 and value.shape != output.shape):
        raise UserError(
            f"{config}: OpenCV, which makes the golden outputs, gives {output.name} the shape {list(value.shape)} "
            f"instead of {list(output.shape)}; it ignores options that it does not know"
        )
    return value.reshape(output.shape)


def _boxes(head, values, own):
    """Return ``[boxes, 5 + classes]`` of a head.

    Args:
        head: :class:`~zoomill.darknet.heads.Head`.
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
