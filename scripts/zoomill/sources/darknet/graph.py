"""From the sections of a .cfg file and the parameters of a .weights file to a frozen TensorFlow graph."""

import dataclasses
import math

from zoomill.framework import refusing
from zoomill.graph.source import Tensor
from zoomill.sources.darknet import heads, layers

INPUT = "image"
# Of one layer: 1 GiB.
_MOST_VALUES = 1 << 28


@dataclasses.dataclass(frozen=True)
class Network:
    """A network as a graph.

    Attributes:
        graph: GraphDef.
        inputs: :class:`~zoomill.graph.source.Tensor` list: ``image``, float32 ``[1, height, width, channels]``, 0 to 1.
        outputs: likewise: ``detections``, or ``head_0``, ``head_1`` …; ``scores`` of a network without a head.
        heads: :class:`~zoomill.sources.darknet.heads.Head` list.
        classes: number of classes.
    """

    graph: object
    inputs: list
    outputs: list
    heads: list
    classes: int


def build(net, sections, weights, decoded):
    """Return the :class:`Network` of a .cfg file.

    Args:
        net: the ``[net]`` section.
        sections: the layers' sections.
        weights: :class:`~zoomill.sources.darknet.weights.Weights`.
        decoded: whether detection heads give boxes (:data:`~zoomill.sources.darknet.heads.DECODED`) or what goes into
            them.

    Raises:
        UserError: for a section or an option that is not supported, sizes that do not fit together, or a weights file
            of another size.
    """
    known = sorted((*layers.BY_KIND, *heads.KINDS))
    for section in sections:
        if section.kind not in known:
            raise section.error(f"is not supported; there are: {', '.join(known)}")
    if not sections:
        raise net.error("is followed by no layers")
    import tensorflow as tf

    height, width, channels = (net.integer(key, least=1) for key in ("height", "width", "channels"))
    if channels not in (1, 3):
        raise net.error(f"channels={channels} is not supported, only 1 and 3")
    _check_size(net, (height, width, channels))
    with tf.Graph().as_default() as graph:
        image = tf.compat.v1.placeholder(tf.float32, [1, height, width, channels], INPUT)
        last, found = _connect(sections, image, weights)
        weights.finish(net.path)
        named = _outputs(last, found, (width, height), decoded)
    return Network(
        graph.as_graph_def(),
        [_tensor(INPUT, image, {"value_range": [0, 1], **_letterbox(net)})],
        [_tensor(name, value, known) for name, (value, known) in named.items()],
        found,
        found[0].classes if found else last.shape[3],
    )


def _letterbox(net):
    """Return how the contract says that pictures keep their shape (letterbox_image in Darknet's src/image.c)."""
    if not net.integer("letter_box", 0):
        return {}
    return {"preprocess": {"fit": "letterbox", "centred": True, "padding": 127.5}}


def _check_size(section, shape):
    count = math.prod(shape)
    if count > _MOST_VALUES:
        raise section.error(f"makes {count} values, more than the {_MOST_VALUES} that a layer may have")


def _tensor(name, value, known):
    return Tensor(name, value.name, "float32", tuple(value.shape), known)


def _connect(sections, x, weights):
    """Return the output of the last layer, None for a detection head, and the list of all heads."""
    import tensorflow as tf

    outputs, found = [], []
    for index, section in enumerate(sections):
        if x is None and section.kind != "route":
            raise section.error("follows a detection head; a [route] must lead back to a layer before it")
        with tf.name_scope(f"{section.kind}_{index}"):
            if section.kind in heads.KINDS:
                found.append(heads.read(section, x))
                x = None
            else:
                with refusing(str(section.error("cannot be built"))):
                    x = layers.BY_KIND[section.kind](section, x, outputs, weights)
                _check_size(section, x.shape)
        outputs.append(x)
    return x, found


def _outputs(last, found, size, decoded):
    """Return ``{output: (tensor, what the contract says about it)}``."""
    import tensorflow as tf

    if not found:
        # A classifier ends in a single pixel; anything else stays a picture.
        scores = tf.reshape(last, [1, -1]) if last.shape[1:3] == [1, 1] else last
        return {"scores": (scores, {"meaning": "score of each class, as the last layer gives it"})}
    for head in found:
        if head.classes != found[0].classes:
            raise head.section.error(f"has {head.classes} classes, another head {found[0].classes}")
    if decoded:
        boxes = tf.concat([heads.decode(head, size) for head in found], axis=1)
        return {"detections": (boxes, {"meaning": heads.DECODED})}
    return {
        f"head_{index}": (head.tensor, {"meaning": head.meaning, "decode": head.entry(size)})
        for index, head in enumerate(found)
    }
