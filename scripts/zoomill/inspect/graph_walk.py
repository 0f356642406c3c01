"""Walking through a GraphDef as data: linear in its size, without recursion, whatever a hostile file says.

The messages may be TensorFlow's own or those of :mod:`zoomill.inspect.graph`.
"""

import collections
import math

from zoomill.errors import UserError

# TensorFlow's optimiser recurses along a graph: of 60,000 Identity in a row it overruns the stack, of 20,000 it does
# not. The deepest real networks have a few thousand nodes in a row.
LONGEST = 20_000
# Functions inside functions; each nested call of Keras or tf.function is one.
DEEPEST = 200
# Nodes when every call is replaced by the function's body, as freezing does.
MOST_NODES = 1_000_000
# A GraphDef is a protocol buffer and cannot be larger; constants that are given by one value could.
MOST_BYTES = (1 << 31) - 1
_LOOPS_BACK = ("NextIteration", "RefNextIteration")


def producer(source):
    """Return the name of the node in ``node``, ``node:1``, ``^node`` or a function's ``node:output:0``."""
    return source.lstrip("^").split(":")[0]


def closure(starts, following):
    """Return everything that is reached from ``starts``, in the order in which it was found."""
    found = dict.fromkeys(starts)
    waiting = list(found)
    while waiting:
        for name in following(waiting.pop()):
            if name not in found:
                found[name] = None
                waiting.append(name)
    return found


def named_functions(node):
    """Return the names in a node that may be a function's: its operator and those in attributes, however nested."""
    names, waiting = [node.op], list(node.attr.values())
    while waiting:
        value = waiting.pop()
        for function in (value.func, *value.list.func):
            if function.name:
                names.append(function.name)
                waiting += function.attr.values()
    return names


def calls(body, functions):
    """Return the functions that nodes call by an attribute or, the older way, as an operator."""
    # Sorted, because the attributes are a map, whose order changes from run to run.
    return sorted(functions.keys() & {name for node in body for name in named_functions(node)})


def bodies(graph_def):
    """Return pairs of a function's name and its nodes, those of the graph itself first under an empty name."""
    return [("", graph_def.node), *((one.signature.name, one.node_def) for one in graph_def.library.function)]


def functions_of(graph_def):
    """Return ``{name: nodes}`` of the functions in a graph's library."""
    return dict(bodies(graph_def)[1:])


def require_sound(graph_def, path):
    """Refuse a graph that TensorFlow would not survive.

    Raises:
        UserError: when nodes read what is not there or themselves, when functions call themselves, or when there is
            more of anything than the bounds above.
    """
    functions = functions_of(graph_def)
    arguments = {
        one.signature.name: {arg.name for arg in one.signature.input_arg} for one in graph_def.library.function
    }
    for name, body in bodies(graph_def):
        where = f"{path}: in the function {name}" if name else str(path)
        length = _longest_path(body, arguments.get(name, set()), where)
        if length > LONGEST:
            raise UserError(
                f"{where}: has {length:,} nodes in a row, more than the {LONGEST:,} that TensorFlow survives"
            )
    _require_shallow(graph_def, functions, path)
    size = sum(_constant_bytes(node, path) for _, body in bodies(graph_def) for node in body)
    if size > MOST_BYTES:
        raise UserError(
            f"{path}: its constants have {size:,} bytes, more than the {MOST_BYTES:,} that a graph can hold"
        )


def _longest_path(body, arguments, where):
    """Return the number of nodes on the longest path of a body; while loops count once."""
    readers, missing = collections.defaultdict(list), {}
    names = {node.name for node in body}
    if len(names) < len(body):
        (name, _), *_ = collections.Counter(node.name for node in body).most_common(1)
        raise UserError(f"{where}: has two nodes {name}")
    for node in body:
        sources = {producer(source) for source in node.input} - arguments
        if absent := sources - names:
            raise UserError(f"{where}: the node {node.name} reads {min(absent)}, which is not there")
        missing[node.name] = len(sources)
        for source in sources:
            readers[source].append(node.name)
    loops = [node.name for node in body if node.op in _LOOPS_BACK]
    for name in loops:
        for reader in readers[name]:
            missing[reader] -= 1
        readers[name] = []
    length = dict.fromkeys(names, 1)
    ready = [name for name in names if not missing[name]]
    done = 0
    while ready:
        name = ready.pop()
        done += 1
        for reader in readers[name]:
            length[reader] = max(length[reader], length[name] + 1)
            missing[reader] -= 1
            if not missing[reader]:
                ready.append(reader)
    if done < len(names):
        raise UserError(f"{where}: its nodes feed themselves, {min(name for name in names if missing[name])} for one")
    return max(length.values(), default=0)


def _require_shallow(graph_def, functions, path):
    """Refuse functions that call themselves, are nested too deep, or grow too large when they are inlined."""
    uses = {
        name: collections.Counter(one for node in body for one in set(named_functions(node)) & functions.keys())
        for name, body in functions.items()
    }
    callers, waiting = collections.defaultdict(list), {name: len(used) for name, used in uses.items()}
    for name, used in uses.items():
        for one in used:
            callers[one].append(name)
    sizes, depths = {}, {}
    ready = [name for name, count in waiting.items() if not count]
    while ready:
        name = ready.pop()
        sizes[name] = len(functions[name]) + sum(count * sizes[one] for one, count in uses[name].items())
        depths[name] = 1 + max((depths[one] for one in uses[name]), default=0)
        if depths[name] > DEEPEST:
            raise UserError(f"{path}: has functions inside functions more than {DEEPEST} deep, {name} for one")
        for caller in callers[name]:
            waiting[caller] -= 1
            if not waiting[caller]:
                ready.append(caller)
    if len(sizes) < len(functions):
        raise UserError(f"{path}: its function {min(functions.keys() - sizes.keys())} calls itself")
    used = [one for node in graph_def.node for one in set(named_functions(node)) & functions.keys()]
    largest = max(sum(sizes[name] for name in used) + len(graph_def.node), max(sizes.values(), default=0))
    if largest > MOST_NODES:
        raise UserError(f"{path}: has {largest:,} nodes with those of its functions, more than {MOST_NODES:,}")


def _constant_bytes(node, path):
    """Return about how many bytes a constant takes."""
    if node.op != "Const":
        return 0
    shape = node.attr["value"].tensor.tensor_shape
    if any(dim.size < 0 for dim in shape.dim):
        raise UserError(f"{path}: the constant {node.name} has a negative size")
    return 4 * math.prod(dim.size for dim in shape.dim)
