"""Sources that TensorFlow 2 itself can load: as a frozen graph with named ends, and as a function to run."""

from zoomill.errors import UserError
from zoomill.framework import refusing
from zoomill.graph.source import Tensor
from zoomill.inspect import allowed_operators, graph_walk
from zoomill.sources import hash_tables

# How operators that write to variables are called.
_WRITE = ("Assign", "ResourceApply", "ResourceScatter", "ResourceStridedSliceAssign", "ResourceSparseApply")


def freeze(function, origin="the model"):
    """Freeze a concrete function.

    Args:
        function: a concrete function.
        origin: file name for messages.

    Returns:
        The GraphDef with all variables as constants, and the :class:`~zoomill.graph.source.Tensor` lists of the inputs
        and outputs, in the function's own order and named as its structured signature names them.

    Raises:
        UserError: when TensorFlow cannot freeze it, or it has state that no constant can be.
    """
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    function.graph.clear_collection("table_initializer")  # its nodes are not in the function of a SavedModel of TF 1
    try:
        with refusing(f"{origin}: TensorFlow cannot freeze it"):
            frozen = convert_variables_to_constants_v2(function, lower_control_flow=False, aggressive_inlining=True)
    except UserError:
        _require_steady(function.graph.as_graph_def(), origin)
        raise
    captured = {inner.op.name: outer for outer, inner in function.graph.captures}
    names = sorted(function.structured_input_signature[1]) or [t.op.name for t in frozen.inputs]
    by_name = {tensor.op.name: tensor for tensor in frozen.inputs}
    inputs = [_tensor(name, by_name.get(name, frozen.inputs[i])) for i, name in enumerate(names)]
    outputs = function.structured_outputs
    if isinstance(outputs, dict):
        labels = sorted(outputs)
    else:
        labels = ["output"] if len(frozen.outputs) == 1 else [f"output_{i}" for i in range(len(frozen.outputs))]
    # A function's flat outputs are those of its structure, in the order of tf.nest: sorted by key.
    return (
        hash_tables.without_tables(frozen.graph.as_graph_def(), captured, origin),
        inputs,
        [_tensor(name, t) for name, t in zip(labels, frozen.outputs, strict=True)],
    )


def _require_steady(graph, origin):
    """Refuse a graph that writes to variables, in functions that it calls too."""
    functions = graph_walk.functions_of(graph)
    called = graph_walk.closure(
        graph_walk.calls(graph.node, functions), lambda name: graph_walk.calls(functions[name], functions)
    )
    for node in (*graph.node, *(node for name in called for node in functions[name])):
        if node.op.startswith(_WRITE):
            raise UserError(
                f"{origin}: the node {node.name} ({node.op}) writes to a variable, so that outputs depend on what ran "
                "before; export a function that takes the old value as an input and gives the new one as an output"
            )


def _tensor(name, tensor):
    rank = tensor.shape.rank
    shape = None if rank is None else tuple(tensor.shape.as_list())
    return Tensor(name, tensor.name, tensor.dtype.name, shape)


def between(graph, options, origin):
    """Return a TF1 graph, checked between tensors, and the :class:`~zoomill.graph.source.Tensor` lists of these.

    Args:
        graph: GraphDef.
        options: ``input_tensors`` and ``output_tensors``, ``{contract name: tensor}``, and what the card allows.
        origin: file name for messages.

    Raises:
        UserError: for a tensor that the graph does not have, or operators that do more than compute or that TensorFlow
            does not have.
    """
    ends = [options[key] for key in ("input_tensors", "output_tensors")]
    tensors = [tensor for end in ends for tensor in end.values()]
    allowed_operators.needed(graph, tensors)
    _require_registered(graph, origin)
    _require_filled(graph, origin)
    graph = allowed_operators.checked(graph, tensors, origin, options.get("allow", ()))
    return graph, *(graph_tensors(graph, end, origin) for end in ends)


def _require_registered(graph, origin):
    """Refuse operators of others, as TFLite_Detection_PostProcess: TensorFlow cannot even import them."""
    from tensorflow.python.framework import op_def_registry

    functions = graph_walk.functions_of(graph)
    for _, body in graph_walk.bodies(graph):
        for node in body:
            if node.op not in functions and op_def_registry.get(node.op) is None:
                before = ", ".join(source for source in node.input if not source.startswith("^")) or "what it reads"
                raise UserError(
                    f"{origin}: the node {node.name} is of {node.op}, which TensorFlow does not have and which is not "
                    f"known to be harmless; end the graph before it with `source.output_tensors`, at {before}"
                )


def _require_filled(graph, origin):
    """Refuse hash tables, which something outside of the graph between its ends fills."""
    for node in graph.node:
        if "HashTable" in node.op:
            raise UserError(
                f"{origin}: the node {node.name} ({node.op}) is a hash table, and a graph alone does not say what is "
                "in it; take the model's SavedModel, or end the graph before it"
            )


def graph_session(graph, inputs, outputs, origin):
    """Return a function that runs a TF1 graph in a session of its own, untouched by any export.

    Args:
        graph: frozen GraphDef, or a function that fills the default graph and returns a session.
        inputs, outputs: :class:`~zoomill.graph.source.Tensor` lists.
        origin: file name for messages.
    """
    import tensorflow as tf

    session = tf.compat.v1.Session(graph=tf.Graph())
    with session.graph.as_default():
        if callable(graph):
            graph(session)
        else:
            with refusing(f"{origin}: TensorFlow cannot read it"):
                tf.import_graph_def(graph, name="")

    def run(feed):
        fetches = {tensor.name: tensor.tensor for tensor in outputs}
        with refusing(f"{origin}: TensorFlow cannot run the source"):
            return session.run(fetches, {tensor.tensor: feed[tensor.name] for tensor in inputs})

    return run


def graph_tensors(graph, names, origin):
    """Return :class:`~zoomill.graph.source.Tensor` entries for tensors of a TF1 graph.

    Args:
        graph: GraphDef.
        names: ``{contract name: tensor}``; a tensor without ``:index`` is the node's first.
        origin: file name for messages.

    Raises:
        UserError: for a tensor that the graph does not have.
    """
    import tensorflow as tf

    copy = tf.compat.v1.GraphDef()
    copy.CopyFrom(graph)
    result = []
    with tf.Graph().as_default() as imported:
        with refusing(f"{origin}: TensorFlow cannot read it"):
            tf.import_graph_def(copy, name="")
        for name, tensor in names.items():
            full = tensor if ":" in tensor else f"{tensor}:0"
            try:
                found = imported.get_tensor_by_name(full)
            except (KeyError, ValueError) as error:
                raise UserError(f"{origin}: the graph has no tensor {tensor}; name the `{name}` of the card") from error
            result.append(_tensor(name, found))
    return result
