"""Golden outputs: the network run by OpenCV's DNN module, which reads .cfg and .weights files by itself.

OpenCV's own heads set scores to 0 below a threshold and for boxes that overlap a better one. So of a decoded head we
take OpenCV's box and objectness, and compute class probabilities from what OpenCV feeds into the head.
"""

import contextlib

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

    with _explained(config):
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
        for output, value in zip(network.outputs, values, strict=True):
            _check(output, value)
        return {output.name: value.reshape(output.shape) for output, value in zip(network.outputs, values, strict=True)}

    def explained(feed):
        with _explained(config):
            return run(feed)

    return explained


@contextlib.contextmanager
def _explained(config):
    """Turn OpenCV's errors into a user's."""
    import cv2

    try:
        yield
    except (cv2.error, ValueError) as error:
        reason = getattr(error, "err", error)
        raise UserError(f"{config}: OpenCV, which makes the golden outputs, cannot run it: {reason}") from error


def _check(output, value):
    """Refuse outputs of another shape, for which options that OpenCV does not know are a reason, or no numbers."""
    if value.size != np.prod(output.shape) or (value.ndim == len(output.shape) == 4 and value.shape != output.shape):
        raise ValueError(f"its {output.name} is {list(value.shape)} instead of {list(output.shape)}")
    if not np.isfinite(value).all():
        raise ValueError(f"its {output.name} has values that are no numbers")


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
