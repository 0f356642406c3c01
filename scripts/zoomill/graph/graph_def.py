"""Editing TensorFlow graphs as data."""

import numpy as np

VARIABLE_OPS = ("VariableV2", "Variable", "VarHandleOp")
_DTYPES = {1: np.float32, 3: np.int32, 9: np.int64}  # tensorflow/core/framework/types.proto


def node_name(tensor):
    """Return the node of a tensor or control input: ``^a`` and ``a:1`` become ``a``."""
    return tensor.lstrip("^").split(":")[0]


def ancestors(nodes, tensors, stop=()):
    """Return the names of all nodes that ``tensors`` depend on, themselves included, not going past ``stop``."""
    seen, stack = set(), [node_name(tensor) for tensor in tensors]
    while stack:
        name = stack.pop()
        if name not in seen and name not in stop:
            seen.add(name)
            stack += [node_name(tensor) for tensor in nodes[name].input]
    return seen


def constant(nodes, tensor):
    """Return the numbers of a constant, ``[values]``, None for a tensor that is computed or is of no known type.

    A value that stands for several of a shape is there once.
    """
    node = nodes.get(node_name(tensor))
    while node is not None and node.op in ("Enter", "Identity"):
        node = nodes.get(node_name(node.input[0]))
    if node is None or node.op != "Const":
        return None
    value = node.attr["value"].tensor
    dtype = _DTYPES.get(value.dtype)
    if dtype is None or len(value.tensor_content) % np.dtype(dtype).itemsize:
        return None
    packed = np.frombuffer(value.tensor_content, dtype)
    return np.array([*value.float_val, *value.int_val, *value.int64_val, *packed], dtype)


def activation(graph, output, inputs):
    """Return what an output of a graph ends in: ``softmax``, ``sigmoid``, ``constant`` or None for anything else.

    Args:
        graph: GraphDef.
        output: name of a node.
        inputs: names of the placeholders; an output that depends on none of them is a constant.
    """
    nodes = {node.name: node for node in graph.node}
    if not inputs.intersection(ancestors(nodes, [output])):
        return "constant"
    node = nodes[output]
    while node.op in ("Identity", "Reshape", "Squeeze", "ExpandDims"):
        node = nodes[node_name(node.input[0])]
    return {"Softmax": "softmax", "Sigmoid": "sigmoid"}.get(node.op)


def freeze_node(tf, node, variables):
    """Return a copy of a node without private hints; a variable becomes a constant, its reading an Identity.

    Args:
        tf: the TensorFlow module.
        node: NodeDef.
        variables: function from a variable's name to its value.
    """
    copy = tf.compat.v1.NodeDef(name=node.name, op=node.op)
    if node.op in VARIABLE_OPS and variables:
        value = variables(node.name)
        copy.op = "Const"
        copy.attr["dtype"].type = tf.as_dtype(value.dtype).as_datatype_enum
        copy.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value, shape=value.shape))
        return copy
    copy.input.extend(node.input)
    if node.op == "ReadVariableOp":
        copy.op = "Identity"
        copy.attr["T"].CopyFrom(node.attr["dtype"])
        return copy
    for key, value in node.attr.items():
        if not key.startswith("_"):  # colocation with the removed variables and other private hints
            copy.attr[key].CopyFrom(value)
    return copy


def in_place_of(tf, node, tensors, build):
    """Return nodes that compute a node's output in another way; the last one has its name.

    Args:
        tf: the TensorFlow module.
        node: NodeDef with one output.
        tensors: what the node reads: tensors of which dtype and shape count.
        build: function from as many tensors to the output, the first one of its operator.
    """
    with tf.Graph().as_default() as graph:
        given = [tf.compat.v1.placeholder(one.dtype, one.shape, f"given_{i}") for i, one in enumerate(tensors)]
        result = build(*given).op
        result = tf.identity(result.outputs[0]).op if result.type == "Placeholder" else result
    names = {f"given_{i}": source for i, source in enumerate(node.input)} | {result.name: node.name}
    nodes = [one for one in graph.as_graph_def().node if one.op != "Placeholder"]
    for one in nodes:
        one.name = names.get(one.name, f"{node.name}/{one.name}")
        one.input[:] = [names.get(source, f"{node.name}/{source}") for source in one.input]
    return nodes


def static_shapes(tf, graph):
    """Return ``{node: static shape of its first output}``, inferred by TensorFlow."""
    copy = tf.compat.v1.GraphDef()
    copy.CopyFrom(graph)  # import_graph_def writes default attributes into its argument
    with tf.Graph().as_default() as inferred:
        tf.import_graph_def(copy, name="")
        return {
            op.name: op.outputs[0].shape.as_list()
            for op in inferred.get_operations()
            if op.outputs and op.outputs[0].shape.rank is not None
        }
