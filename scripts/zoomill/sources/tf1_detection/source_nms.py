"""What the post-processing of a detection graph does, read from the constants of the graph itself.

The Object Detection API for TensorFlow 1 writes one NonMaxSuppression for each class below
``Postprocessor/BatchMultiClassNonMaxSuppression``, and its box coder below ``Postprocessor/Decode``.
"""

from zoomill.detection.postprocess import Options
from zoomill.graph.graph_def import constant, node_name

_SCOPE = "Postprocessor/BatchMultiClassNonMaxSuppression/"
_SCALES = ("y_scale", "x_scale", "h_scale", "w_scale")


def read(graph):
    """Return the :class:`~zoomill.detection.postprocess.Options` that equal a source's own post-processing.

    Args:
        graph: GraphDef of an SSD.

    Returns:
        None for a graph that has no such post-processing, or one that TFLite_Detection_PostProcess cannot do: NMS
        over all classes at once, soft NMS, another box coder.
    """
    nodes = {node.name: node for node in graph.node}
    suppressions = [node for node in graph.node if node.op.startswith("NonMax") and node.name.startswith(_SCOPE)]
    found = [_suppression(nodes, node) for node in suppressions]
    scales = _scales(nodes)
    totals = _totals(nodes, {node_name(node.input[2]) for node in suppressions})
    floors = _score_floors(nodes)
    readable = len(set(found)) == len(totals) == 1 and len(floors) <= 1 and scales
    if not readable or None in (*found[0], *floors):
        return None
    iou_threshold, score_threshold, detections_per_class = found[0]
    return Options(
        max_detections=totals.pop(),
        max_classes_per_detection=1,
        detections_per_class=detections_per_class,
        use_regular_nms=True,
        nms_score_threshold=max([score_threshold, *floors]),
        nms_iou_threshold=iou_threshold,
        num_classes=len(found),
        **scales,
    )


def _suppression(nodes, node):
    """Return IoU threshold, score threshold (0 without one) and most boxes of one NonMaxSuppression."""
    values = [_constant(nodes, tensor) for tensor in node.input[3:]]  # after boxes, scores and how many boxes to keep
    iou_threshold = values[0] if values else node.attr["iou_threshold"].f
    score_threshold = max(values[1], 0.0) if len(values) > 1 and values[1] is not None else 0.0
    if len(values) > 2 and values[2] != 0:  # sigma of soft NMS
        return None, None, None
    return iou_threshold, score_threshold, _least(nodes, node_name(node.input[2]))


def _least(nodes, name):
    """Return the constant that a ``Minimum`` takes, None for another node."""
    if name not in nodes or nodes[name].op != "Minimum":
        return None
    return next((value for value in (_constant(nodes, one) for one in nodes[name].input) if value is not None), None)


def _totals(nodes, of_classes):
    """Return the set of constants that cut the joined list of all classes."""
    limits = (
        _least(nodes, name)
        for name, node in nodes.items()
        if node.op == "Minimum"
        and name not in of_classes
        and name.startswith(_SCOPE)
        and name.rpartition("/")[0].endswith("MultiClassNonMaxSuppression")
    )
    return {limit for limit in limits if isinstance(limit, int)}


def _score_floors(nodes):
    """Return the set of thresholds below which older releases drop scores before NMS."""
    names = (name for name in nodes if name.startswith(_SCOPE) and name.endswith("/Greater"))
    return {_constant(nodes, nodes[name].input[1]) for name in names if "/FilterGreaterThan" in name}


def _scales(nodes):
    """Return the scales by which the box coder divides, nothing where the coder is another."""
    divisors = {}
    for name, node in nodes.items():
        unstacked, _, number = node.input[0].partition(":") if node.input else ("", "", "")
        if node.op == "RealDiv" and name.startswith("Postprocessor/Decode/") and unstacked.endswith("Decode/unstack"):
            divisors[_SCALES[int(number or 0)]] = _constant(nodes, node.input[1])
    return divisors if len(divisors) == 4 and None not in divisors.values() else {}


def _constant(nodes, tensor):
    """Return the one number that a tensor is, None where it is computed or more than one."""
    values = constant(nodes, tensor)
    return values.item() if values is not None and values.size == 1 else None
