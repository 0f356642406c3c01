"""Einsum of one or two tensors as sums, transpositions and a product of matrices.

TensorFlow.js 4.22 has no Einsum on wasm.
"""

import math
import re

_EQUATION = re.compile(r"([A-Za-z.]*)(?:,([A-Za-z.]*))?->([A-Za-z.]*)")
_ELLIPSIS = "9876543210"  # letters of what an ellipsis stands for, from the right


def without_einsum(graph):
    """Return a frozen graph with other operators for each Einsum of floats of known shapes outside of its functions.

    Args:
        graph: GraphDef.
    """
    import tensorflow as tf

    with tf.Graph().as_default() as known:
        tf.import_graph_def(graph, name="")
    result = tf.compat.v1.GraphDef(versions=graph.versions, library=graph.library)
    for node in graph.node:
        plain = _plain(tf, node, known.get_operation_by_name(node.name).inputs) if node.op == "Einsum" else None
        result.node.extend(plain or [node])
    return result


def _plain(tf, node, tensors):
    """Return the nodes that compute an Einsum, the last one by its name; None where this module cannot tell them."""
    known = all(tensor.shape.is_fully_defined() and tensor.dtype == tf.float32 for tensor in tensors)
    terms = _terms(node.attr["equation"].s.decode(), [tensor.shape.rank for tensor in tensors]) if known else None
    if terms is None:
        return None
    with tf.Graph().as_default() as graph:
        given = [tf.compat.v1.placeholder(tf.float32, tensor.shape, f"given_{i}") for i, tensor in enumerate(tensors)]
        tf.identity(einsum(given, *terms), "result")
    names = {f"given_{i}": source for i, source in enumerate(node.input)} | {"result": node.name}
    nodes = [one for one in graph.as_graph_def().node if one.op != "Placeholder"]
    for one in nodes:
        one.name = names.get(one.name, f"{node.name}/{one.name}")
        one.input[:] = [names.get(source, f"{node.name}/{source}") for source in one.input]
    return nodes


def _terms(equation, ranks):
    """Return the letters of each operand and those of the result; None for a diagonal or a result that is not told."""
    parts = _EQUATION.fullmatch(equation.replace(" ", ""))
    if not parts or len(ranks) != 1 + (parts[2] is not None):
        return None
    *operands, result = (part for part in parts.groups() if part is not None)
    hidden = [rank - len(term.replace("...", "")) for term, rank in zip(operands, ranks, strict=True)]
    operands = [term.replace("...", _ELLIPSIS[10 - count :]) for term, count in zip(operands, hidden, strict=True)]
    result = result.replace("...", _ELLIPSIS[10 - max(hidden) :])
    return (operands, result) if all(len(set(term)) == len(term) for term in (*operands, result)) else None


def einsum(tensors, operands, result):
    """Return the einsum of one or two tensors.

    Args:
        tensors: of known shapes.
        operands: the letters of each, no letter twice; the n-th last of an ellipsis is the digit n - 1.
        result: letters of the result.
    """
    import tensorflow as tf

    sizes = {}
    for term, tensor in zip(operands, tensors, strict=True):
        for letter, size in zip(term, tensor.shape, strict=True):
            sizes[letter] = max(size, sizes.get(letter, 1))

    def reached(letters):
        return math.prod(sizes[letter] for letter in letters)

    summed = []
    for index, (term, tensor) in enumerate(zip(operands, tensors, strict=True)):
        wanted = {*result, *"".join(operands[:index] + operands[index + 1 :])}
        alone = [place for place, letter in enumerate(term) if letter not in wanted]
        left = [letter for letter in term if letter in wanted]
        found = tf.reduce_sum(tensor, alone) if alone else tensor
        whole = [sizes[letter] for letter in left]
        summed.append((left, found if found.shape == whole else tf.broadcast_to(found, whole)))
    if len(summed) == 1:
        ((letters, tensor),) = summed
        return _ordered(tensor, letters, result)
    (first, a), (second, b) = summed
    batch = [letter for letter in first if letter in second and letter in result]
    both = [letter for letter in first if letter in second and letter not in result]
    left, right = (
        [letter for letter in one if letter not in other] for one, other in ((first, second), (second, first))
    )
    a = tf.reshape(_ordered(a, first, batch + left + both), [reached(batch), reached(left), reached(both)])
    b = tf.reshape(_ordered(b, second, batch + both + right), [reached(batch), reached(both), reached(right)])
    found = batch + left + right
    return _ordered(tf.reshape(tf.matmul(a, b), [sizes[letter] for letter in found]), found, result)


def _ordered(tensor, letters, wanted):
    """Return a tensor with its dimensions, called ``letters``, in the order of ``wanted``."""
    import tensorflow as tf

    order = [letters.index(letter) for letter in wanted]
    return tensor if order == sorted(order) else tf.transpose(tensor, order)
