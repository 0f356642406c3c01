"""From the graph of an SSD checkpoint to the inference graph TFLite wants.

The detection graph is cut out of the checkpoint's own meta graph (or of a frozen graph): from the normalised image
to the concatenated heads. Neither TensorFlow 1 nor the Object Detection API is involved; the nodes in between
stay as the checkpoint has them.
"""

import collections
import dataclasses

import numpy as np

from zoomill.detection.head_names import BOXES, INPUT, SCORES
from zoomill.errors import UserError
from zoomill.graph.graph_def import ancestors, freeze_node, node_name, static_shapes

_FLOAT = 1  # DT_FLOAT in tensorflow/core/framework/types.proto
_SHAPE_OPS = ("Shape", "ShapeN", "Rank", "Size")
# A network with one prediction layer has no scope around the two.
_PREDICTORS = ("BoxPredictor", "BoxEncodingPredictor", "ClassPredictor")
# How many inputs operators have at least.
_INPUTS = dict.fromkeys(("Enter", "ExpandDims", "Identity", "Sigmoid", "Softmax", "Sqrt", "Squeeze", "Unpack"), 1)
_INPUTS |= dict.fromkeys(("BiasAdd", "ConcatV2", "Conv2D", "Greater", "Minimum", "Mul", "RealDiv", "Reshape"), 2)
_INPUTS |= {"ResizeBilinear": 2, "Slice": 3, "StridedSlice": 4}
_CONVERTERS = {0: "Identity", 1: "Sigmoid", 2: "Softmax"}


@dataclasses.dataclass(frozen=True)
class Heads:
    """Where the detection network begins and ends in a source graph, as tensor names without ``:0``.

    Attributes:
        image: the normalised image ``[1, height, width, channels]``.
        boxes: the concatenated box encodings, ``[1, anchors, 4]`` or ``[1, anchors, 1, 4]``.
        logits: the concatenated class logits ``[1, anchors, 1 + classes]``, background first, if there is one.
        anchors: the anchor corners ``[anchors, 4]`` or ``[1, anchors, 4]``, or None where the graph has none.
    """

    image: str
    boxes: str
    logits: str
    anchors: str | None


def find_heads(graph, origin):
    """Find the heads of an SSD graph by its structure.

    Args:
        graph: a GraphDef written by any release of the Object Detection API for TensorFlow 1.
        origin: file name for error messages.

    Raises:
        UserError: when the graph is not that of an SSD with convolutional box predictors.
    """
    nodes = {node.name: node for node in graph.node}
    _refuse_malformed(graph, origin)
    _refuse_training(graph, origin)
    concats = [
        node.name
        for node in graph.node
        if joined(node) and not node.name.startswith(("Postprocessor/", "Loss/")) and _joins_predictors(nodes, node)
    ]
    classes = [name for name in concats if _mentions(nodes, name, "ClassPredictor")]
    boxes = [name for name in concats if name not in classes]
    if len(classes) != 1 or len(boxes) != 1:
        raise UserError(
            f"{origin}: found {len(boxes)} box heads and {len(classes)} class heads instead of one each; "
            "is this an SSD of the TF1 Object Detection API?"
        )
    heads = [boxes[0], classes[0]]
    return Heads(_normalised_image(nodes, heads, origin), *heads, _anchors(nodes, graph, heads))


def _refuse_malformed(graph, origin):
    """Raise a UserError for a node that lacks inputs which are looked at here or in the post-processing."""
    for node in graph.node:
        if len(node.input) < _INPUTS.get(node.op, 3 if node.op.startswith("NonMaxSuppression") else 0):
            raise UserError(
                f"{origin}: the {node.op} {node.name} has {len(node.input)} inputs, too few; is it damaged?"
            )


def _refuse_training(graph, origin):
    """Raise a UserError for the graph of a training, which takes no pictures and normalises by its own batch."""
    norms = [node.attr for node in graph.node if node.op.startswith("FusedBatchNorm")]
    trains = any("is_training" not in attributes or attributes["is_training"].b for attributes in norms)
    if trains or not any(node.op == "Placeholder" for node in graph.node):
        raise UserError(
            f"{origin}: is the graph of a training; export its checkpoint by export_inference_graph.py of the Object "
            "Detection API, and take the files that it writes"
        )


def joined(node):
    """Return the tensors that a concat joins; nothing for another node.

    Of one tensor TensorFlow makes an Identity ``concat``.
    """
    if node.op == "ConcatV2" and len(node.input) > 2:
        return node.input[:-1]
    return node.input[:1] if node.op == "Identity" and node.name.endswith("/concat") else []


def _joins_predictors(nodes, concat):
    """Tell whether all data inputs of a concat come straight from box predictors."""
    for tensor in joined(concat):
        name = node_name(tensor)
        while not any(scope in name for scope in _PREDICTORS):
            if nodes[name].op not in ("Squeeze", "Reshape", "Identity", "ExpandDims"):
                return False
            name = node_name(nodes[name].input[0])
    return True


def _mentions(nodes, concat, scope):
    """Tell whether the first input of ``concat`` is computed in ``scope``."""
    return any(scope in name for name in ancestors(nodes, [nodes[concat].input[0]]))


def _normalised_image(nodes, heads, origin):
    """Return the single tensor of the preprocessor that the heads read other than for its shape.

    Its name changes with the age of the exporter (``Preprocessor/sub``, or a gather after the resize loop).
    """
    found, seen, stack = collections.Counter(), set(), list(heads)
    while stack:
        name = stack.pop()
        if name in seen:
            continue
        seen.add(name)
        for tensor in nodes[name].input:
            source = node_name(tensor)
            if source.startswith("Preprocessor/") or nodes[source].op == "Placeholder":
                found[source] += nodes[name].op not in _SHAPE_OPS
            elif not tensor.startswith("^"):
                stack.append(source)
    images = [name for name, uses in found.items() if uses]
    if len(images) != 1:
        raise UserError(f"{origin}: cannot tell the normalised image apart; candidates: {images or 'none'}")
    return images[0]


def _anchors(nodes, graph, heads):
    """Return the anchor corners that the graph's own postprocessor reads, or None."""
    for node in graph.node:
        if not node.name.startswith("Postprocessor/"):
            continue
        for tensor in node.input:
            if _are_boxes(nodes[node_name(tensor)]):
                return node_name(tensor)
            if tensor.startswith(("Postprocessor/", "^")):
                continue
            past = ancestors(nodes, [tensor], stop=heads)
            if any("AnchorGenerator" in name for name in past) and not any("BoxPredictor" in n for n in past):
                return node_name(tensor)
    return None


def _are_boxes(node):
    """Tell whether a node is a constant of boxes, as which an optimised graph has its anchors."""
    sizes = [axis.size for axis in node.attr["value"].tensor.tensor_shape.dim] if node.op == "Const" else []
    return len(sizes) > 1 and sizes[-1] == 4 and node.attr["dtype"].type == _FLOAT


def cut(graph, heads, ssd, variables, origin):
    """Cut the detection network out of a source graph.

    Args:
        graph: the source GraphDef.
        heads: its :class:`Heads`.
        ssd: the pipeline's ``ssd`` message.
        variables: function from a variable's name to its value, or None for a frozen graph.
        origin: file name for error messages.

    Returns:
        A GraphDef from ``normalized_input_image_tensor`` (float32 ``[1, height, width, channels]``) to
        ``raw_outputs/box_encodings`` (``[1, anchors, 4]``) and ``raw_outputs/class_predictions``
        (``[1, anchors, 1 + classes]``, scores 0 to 1 where the pipeline converts them), and the feature maps
        ``[(height, width), …]`` of the prediction layers.

    Raises:
        UserError: for a variable the checkpoint lacks, or a class count that is not the pipeline's.
    """
    import tensorflow as tf

    nodes = {node.name: node for node in graph.node}
    result = tf.compat.v1.GraphDef(versions=graph.versions)
    result.node.append(_placeholder(tf, ssd))
    kept = ancestors(nodes, [heads.boxes, heads.logits], stop={heads.image})
    for node in graph.node:
        if node.name in kept:
            copy = freeze_node(tf, node, variables)
            for index, tensor in enumerate(copy.input):
                if node_name(tensor) == heads.image:
                    copy.input[index] = INPUT
            result.node.append(copy)
    shapes = static_shapes(tf, result)
    rows, columns = shapes[heads.logits][-2:]
    if columns != ssd.num_classes + ssd.add_background_class:
        background = " and a background" if ssd.add_background_class else ", add_background_class false"
        raise UserError(
            f"{origin}: the class head has {columns} columns, but pipeline.config says num_classes "
            f"{ssd.num_classes}{background}"
        )
    boxes = heads.boxes
    if len(shapes[boxes]) == 4:
        boxes = _add(result, "Squeeze", "box_encodings_squeezed", boxes)
        result.node[-1].attr["squeeze_dims"].list.i.append(2)
    _add(result, "Identity", BOXES, boxes)
    _add(result, "Identity", SCORES, _convert_scores(tf, result, heads.logits, ssd.post_processing))
    return result, _feature_maps(nodes, heads.boxes, shapes)


def input_shape(ssd):
    """Return the shape ``[1, height, width, channels]`` of the network's input."""
    resizer = ssd.image_resizer.fixed_shape_resizer
    return [1, resizer.height, resizer.width, 1 if resizer.convert_to_grayscale else 3]


def _placeholder(tf, ssd):
    node = tf.compat.v1.NodeDef(name=INPUT, op="Placeholder")
    node.attr["dtype"].type = tf.float32.as_datatype_enum
    node.attr["shape"].shape.CopyFrom(tf.TensorShape(input_shape(ssd)).as_proto())
    return node


def _feature_maps(nodes, boxes, shapes):
    """Return ``[(height, width), …]`` of the convolutions that feed the box head."""
    maps = []
    for tensor in joined(nodes[boxes]):
        name = node_name(tensor)
        while nodes[name].op not in ("Conv2D", "BiasAdd"):
            name = node_name(nodes[name].input[0])
        maps.append(tuple(shapes[name][1:3]))
    return maps


def _convert_scores(tf, graph, logits, post_processing):
    """Append the pipeline's score conversion and return its tensor."""
    if post_processing.logit_scale not in (0, 1):
        graph.node.append(_constant(tf, "logit_scale", np.float32(post_processing.logit_scale)))
        logits = _add(graph, "RealDiv", "scaled_logits", logits, "logit_scale")
    return _add(graph, _CONVERTERS[post_processing.score_converter], "convert_scores", logits)


def _constant(tf, name, value):
    node = tf.compat.v1.NodeDef(name=name, op="Const")
    node.attr["dtype"].type = tf.as_dtype(value.dtype).as_datatype_enum
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
    return node


def _add(graph, op, name, *inputs):
    """Append a float32 node and return its name."""
    node = graph.node.add(name=name, op=op)
    node.input.extend(inputs)
    node.attr["T"].type = _FLOAT
    return name
