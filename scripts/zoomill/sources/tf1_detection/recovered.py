"""What a pipeline.config would say of an SSD, told from the constants of its graph."""

import numpy as np

from zoomill.detection import anchors
from zoomill.errors import UserError
from zoomill.graph.graph_def import ancestors, constant, node_name
from zoomill.sources.tf1_detection import pipeline_config, source_nms, ssd_graph

_CONVERTERS = {"Identity": "IDENTITY", "Sigmoid": "SIGMOID", "Softmax": "SOFTMAX"}
_LOWEST = ([1.0, 2.0, 0.5], 0.1)  # ratios and first scale of `reduce_boxes_in_lowest_layer`


def pipeline(graph, heads, origin):
    """Return the ``ssd`` message of :mod:`zoomill.sources.tf1_detection.pipeline_config` that describes a graph.

    Args:
        graph: GraphDef of an inference graph, as the Object Detection API for TensorFlow 1 writes it.
        heads: its :class:`zoomill.sources.tf1_detection.ssd_graph.Heads`.
        origin: file name for error messages.

    Returns:
        The message; without an ``anchor_generator`` where the graph's constants are those of no ssd_anchor_generator.

    Raises:
        UserError: for a graph that does not tell its size, its scores or its post-processing.
    """
    nodes = {node.name: node for node in graph.node}
    own, found, scores = source_nms.read(graph), size(graph), _scores(nodes, heads)
    needed = {
        "one size of pictures, as a fixed_shape_resizer gives": found,
        "how logits become scores": scores,
        "an NMS and a faster_rcnn_box_coder that TFLite_Detection_PostProcess has": own,
    }
    if missing := [name for name, value in needed.items() if value is None]:
        raise UserError(
            f"{origin}: there is no pipeline.config, and the graph does not tell {' and '.join(missing)}; choose "
            "another model, or give pipeline.config if you know better"
        )
    ssd = pipeline_config.empty()
    resizer, nms = ssd.image_resizer.fixed_shape_resizer, ssd.post_processing.batch_non_max_suppression
    resizer.height, resizer.width = found
    if any(name.startswith("Preprocessor/") and "rgb_to_grayscale" in name for name in nodes):
        resizer.convert_to_grayscale = True
    ssd.num_classes = own.num_classes
    ssd.add_background_class = any(_drops_background(nodes, node) for node in graph.node)
    nms.score_threshold, nms.iou_threshold = _short(own.nms_score_threshold), _short(own.nms_iou_threshold)
    nms.max_detections_per_class, nms.max_total_detections = own.detections_per_class, own.max_detections
    ssd.post_processing.score_converter = pipeline_config.CONVERTERS.index(scores[0])
    ssd.post_processing.logit_scale = scores[1]
    coder = ssd.box_coder.faster_rcnn_box_coder
    coder.y_scale, coder.x_scale, coder.height_scale, coder.width_scale = (
        own.y_scale,
        own.x_scale,
        own.h_scale,
        own.w_scale,
    )
    making = {name: nodes[name] for name in ancestors(nodes, [heads.anchors] if heads.anchors else [])}
    if generator := _generator(making, len(ssd_graph.joined(nodes[heads.boxes]))):
        ssd.anchor_generator.ssd_anchor_generator.CopyFrom(generator)
    return ssd


def size(graph):
    """Return height and width that a graph brings pictures to, None where it does not tell one size."""
    nodes = {node.name: node for node in graph.node}
    resizes = [node for node in graph.node if node.name.startswith("Preprocessor/") and node.op.startswith("Resize")]
    sizes = [constant(nodes, tensor) for node in resizes for tensor in node.input[1:2]]
    if not resizes:
        shapes = [node.attr["shape"].shape.dim for node in graph.node if node.op == "Placeholder"]
        sizes = [np.array([axis.size for axis in dims])[1:3] for dims in shapes if len(dims) == 4]
    if len(sizes) != 1 or sizes[0] is None or sizes[0].size != 2 or min(sizes[0]) < 1:
        return None
    return tuple(sizes[0].tolist())


def _scores(nodes, heads):
    """Return the name of the ScoreConverter and the logit_scale behind the class logits, None for anything else."""
    for name, node in nodes.items():
        if not name.startswith("Postprocessor/convert_scores") or node.op not in _CONVERTERS:
            continue
        scale, before = 1.0, nodes[node_name(node.input[0])]
        while before.name != heads.logits and before.op in ("RealDiv", "Mul", "Slice", "Identity", "Reshape"):
            if before.op in ("RealDiv", "Mul"):
                factor = constant(nodes, before.input[1])
                if factor is None or factor.size != 1 or not factor.item():
                    return None
                scale *= factor.item() if before.op == "RealDiv" else 1 / factor.item()
            before = nodes[node_name(before.input[0])]
        if before.name == heads.logits:
            return _CONVERTERS[node.op], scale
    return None


def _drops_background(nodes, node):
    """Tell whether a node of the post-processing leaves out the first column, that of the background."""
    if node.op != "Slice" or node.name.count("/") != 1 or not node.name.startswith("Postprocessor/"):
        return False
    begin = constant(nodes, node.input[1])
    return begin is not None and begin.tolist() == [0, 0, 1]


def _generator(nodes, count):
    """Return the ``ssd_anchor_generator`` whose numbers are those of the graph, bit for bit, None without such.

    Args:
        nodes: those that make the anchors, ``{name: NodeDef}``.
        count: of prediction layers.
    """
    layers = _layers(nodes)
    if not layers or len(layers) != count:
        return None
    lowest = layers[0][0] == _LOWEST[0] and len(layers[0][1]) == 3 and layers[0][1][0] == np.float32(_LOWEST[1])
    ratios, scales = layers[-1]
    interpolated = len(scales) > 1 and scales[-1] != scales[0] and not (lowest and len(layers) == 1)
    first = [float(_short(scales[1 if lowest and not number else 0])) for number, (_, scales) in enumerate(layers)]
    spaced = {"min_scale": first[0], "max_scale": first[-1]}
    for chosen in (spaced, {"scales": first}):
        generator = pipeline_config.empty().anchor_generator.ssd_anchor_generator
        generator.num_layers, generator.reduce_boxes_in_lowest_layer = len(layers), lowest
        generator.aspect_ratios.extend(map(_short, ratios[: len(ratios) - interpolated]))
        generator.interpolated_scale_aspect_ratio = _short(ratios[-1]) if interpolated else 0
        for name, value in chosen.items():
            generator.scales.extend(value) if name == "scales" else setattr(generator, name, value)
        for name, value in zip(("base_anchor_height", "base_anchor_width"), _base(nodes), strict=True):
            if value != 1:
                setattr(generator, name, _short(value))
        if _numbers(anchors.layer_shapes(generator)) == layers:
            return generator
    return None


def _numbers(shapes):
    """Return what :func:`_layers` would read of a graph with these ``[[(scale, ratio), …], …]``."""
    pairs = [zip(*layer, strict=True) for layer in shapes]
    return [tuple(np.float32(ratios).tolist() for ratios in (ratio, scale)) for scale, ratio in pairs]


def _layers(nodes):
    """Return ``[(ratios, scales), …]`` of the prediction layers, float32 values; nothing where some are computed."""
    roots = [node for name, node in nodes.items() if node.op == "Sqrt" and "AnchorGenerator/" in name]
    found = {}
    for root in roots:
        divided = [n for n in nodes.values() if n.op == "RealDiv" and node_name(n.input[1]) == root.name]
        pair = [constant(nodes, tensor) for tensor in (root.input[0], *(node.input[0] for node in divided))]
        if len(pair) != 2 or any(value is None for value in pair):
            return []
        number = root.name.rpartition("Sqrt")[2].lstrip("_")
        found[int(number or 0)] = tuple(value.ravel().tolist() for value in pair)
    return [found[number] for number in sorted(found)]


def _base(nodes):
    """Return height and width that the scales multiply."""
    for name, node in nodes.items():
        if node.op == "StridedSlice" and "AnchorGenerator/" in name:
            value = constant(nodes, node.input[0])
            if value is not None and value.dtype == np.float32 and value.size == 2:
                return value.tolist()
    return [1.0, 1.0]


def _short(value):
    """Return the shortest decimal that is the same float32."""
    return float(str(np.float32(value)))
