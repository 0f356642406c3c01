"""Operators that the TensorFlow.js converter makes and that TensorFlow or TFLite do not have, as plain ones."""

from zoomill.errors import UserError

# The plain operator of a fused one, and its attributes.
_FUSED = {
    "_FusedConv2D": ("Conv2D", ("T", "strides", "padding", "explicit_paddings", "data_format", "dilations")),
    "FusedDepthwiseConv2dNative": (
        "DepthwiseConv2dNative",
        ("T", "strides", "padding", "explicit_paddings", "data_format", "dilations"),
    ),
    "_FusedMatMul": ("MatMul", ("T", "transpose_a", "transpose_b")),
}
_ACTIVATIONS = ("Relu", "Relu6", "Elu", "Sigmoid", "Tanh")


def without_fused(node, path):
    """Return the plain nodes that compute a node; the last one has its name.

    Args:
        node: NodeDef.
        path: file name for messages.

    Raises:
        UserError: for a fusion that is not known.
    """
    if node.op == "Prelu":
        return _prelu(node.name, *node.input)
    if node.op not in _FUSED:
        return [node]
    op, attributes = _FUSED[node.op]
    fused = [name.decode() for name in node.attr["fused_ops"].list.s]
    data, kernel, *more = node.input
    last = _node(f"{node.name}/{op}", op, data, kernel)
    for key in attributes:
        if key in node.attr:
            last.attr[key].CopyFrom(node.attr[key])
    nodes = [last]
    for name in fused:
        if name == "BiasAdd" and more:
            new = [_node(f"{node.name}/BiasAdd", name, last.name, more.pop(0))]
            if "data_format" in node.attr:
                new[-1].attr["data_format"].CopyFrom(node.attr["data_format"])
        elif name == "Prelu" and more:
            new = _prelu(f"{node.name}/Prelu", last.name, more.pop(0))
        elif name == "LeakyRelu":
            new = [_node(f"{node.name}/{name}", name, last.name)]
            new[-1].attr["alpha"].f = node.attr["leakyrelu_alpha"].f
        elif name in _ACTIVATIONS:
            new = [_node(f"{node.name}/{name}", name, last.name)]
        else:
            raise UserError(f"{path}: {node.name} ({node.op}) has an unknown fusion: {', '.join(fused)}")
        nodes += new
        last = nodes[-1]
    nodes[-1].name = node.name
    return nodes


def _prelu(name, data, alpha):
    """Return relu(x) + -alpha * relu(-x), in the form that TFLite's converter turns into one PRELU."""
    parts = [
        _node(f"{name}/positive", "Relu", data),
        _node(f"{name}/minus", "Neg", data),
        _node(f"{name}/negative", "Relu", f"{name}/minus"),
        _node(f"{name}/slope", "Neg", alpha),
        _node(f"{name}/scaled", "Mul", f"{name}/slope", f"{name}/negative"),
        _node(name, "AddV2", f"{name}/positive", f"{name}/scaled"),
    ]
    return parts


def _node(name, op, *inputs):
    """Return a float32 node."""
    from tensorflow.core.framework import node_def_pb2, types_pb2

    node = node_def_pb2.NodeDef(name=name, op=op, input=inputs)
    node.attr["T"].type = types_pb2.DT_FLOAT
    return node
