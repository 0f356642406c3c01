"""What TensorFlow graphs hold besides operators that compute, and the part of a graph that TensorFlow may see.

TensorFlow runs whatever it is asked for and what that depends on, control inputs and functions included, and its
optimisers run constant parts before. So it gets a copy in which nothing is left but the nodes that the wanted tensors
need and the functions that these name, and all of that copy is checked.

The messages may be TensorFlow's own or those of :mod:`zoomill.inspect.graph`.
"""

from zoomill.inspect import allowed, graph_walk, tensorflow_ops
from zoomill.inspect.graph_walk import producer

# Attributes that are files for some operators which otherwise only compute, and how harmless ones begin.
_FILES = {
    ("PrintV2", "output_stream"): (b"stdout", b"stderr", b"log("),
    ("DecodeProtoV2", "descriptor_source"): (b"local://", b"bytes://"),
    ("EncodeProto", "descriptor_source"): (b"local://", b"bytes://"),
    ("FixedUnigramCandidateSampler", "vocab_file"): (),
}


def found(graph_def, excused=frozenset()):
    """Return what a graph holds, functions included, besides operators that compute.

    Args:
        graph_def: GraphDef.
        excused: pairs of a function's name, empty for the graph itself, and a node's, which do no harm.

    Returns:
        List of :class:`zoomill.inspect.allowed.Found`.
    """
    functions = graph_walk.functions_of(graph_def)
    result = []
    for function, body in graph_walk.bodies(graph_def):
        for node in body:
            place = f"the node {node.name}" + (f" of the function {function}" if function else "")
            judged = {one: _does(one, functions) for one in graph_walk.named_functions(node)}
            if _names_file(node):
                judged[node.op] = allowed.TOUCHES_FILES
            if (function, node.name) not in excused:
                result += [allowed.Found(does, name, place) for name, does in sorted(judged.items()) if does]
    return result


def _does(name, functions):
    """Return what an operator or function does; a function may not hide behind the name of a harmful operator."""
    does = tensorflow_ops.does(name)
    return None if name in functions and does == allowed.UNKNOWN else does


def _names_file(node):
    """Return whether an attribute of a node is a file."""
    for (op, key), harmless in _FILES.items():
        value = node.attr[key].s if op == node.op and key in node.attr else b""
        if value and not value.startswith(harmless):
            return True
    return False


def needed(graph_def, tensors, library=()):
    """Take out of a graph, in place, the nodes that some tensors do not need, and the functions that are then unused.

    Args:
        graph_def: GraphDef, sound.
        tensors: names of tensors or nodes; those that are not there count nothing.
        library: names of functions that stay.
    """
    nodes = {node.name: node for node in graph_def.node}
    starts = [name for name in map(producer, tensors) if name in nodes]
    kept = graph_walk.closure(starts, lambda name: map(producer, nodes[name].input))
    _keep(graph_def.node, lambda node: node.name in kept)
    functions = graph_walk.functions_of(graph_def)
    gradients = {one.registered_op_type.encode(): one.gradient_func for one in graph_def.library.registered_gradients}

    def called(body):
        types = {node.attr["_gradient_op_type"].s for node in body if "_gradient_op_type" in node.attr}
        return [*graph_walk.calls(body, functions), *(gradients[one] for one in sorted(types & gradients.keys()))]

    used = graph_walk.closure([*library, *called(graph_def.node)], lambda name: called(functions.get(name, ())))
    _keep(graph_def.library.function, lambda one: one.signature.name in used)
    _keep(graph_def.library.gradient, lambda one: one.function_name in used and one.gradient_func in used)
    _keep(graph_def.library.registered_gradients, lambda one: one.gradient_func in used)


def _keep(field, wanted):
    """Take the elements out of a repeated field that are not wanted."""
    kept = [one for one in field if wanted(one)]
    if len(kept) < len(field):
        del field[:]
        field.extend(kept)


def checked(graph_def, tensors, path, allow):
    """Return the part of a graph that some tensors need, all of which TensorFlow may see.

    Args:
        graph_def: GraphDef, sound; it is cut down in place.
        tensors: names of tensors or nodes.
        path: file name for messages.
        allow: names of operators that the card allows.

    Raises:
        UserError: for an operator that does more than compute.
    """
    needed(graph_def, tensors)
    allowed.require(path, found(graph_def), allow)
    return graph_def
