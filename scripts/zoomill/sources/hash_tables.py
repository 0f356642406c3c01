"""Hash tables of a frozen graph as constants: a runtime has no other state than its constants."""

from zoomill.errors import UserError
from zoomill.framework import refusing
from zoomill.graph.graph_def import in_place_of, node_name

# Every looked-up number is compared with every key.
_MOST_KEYS = 1 << 16
_TABLES = ("HashTableV2", "MutableHashTableV2", "MutableDenseHashTableV2")
_FIND, _SIZE = "LookupTableFindV2", "LookupTableSizeV2"


def without_tables(graph, captured, origin):
    """Return a frozen graph that finds its numbers by comparing, in the entries that its tables have now.

    Args:
        graph: GraphDef.
        captured: ``{placeholder: resource}`` of what the graph takes besides its inputs, in eager TensorFlow.
        origin: file name for messages.

    Raises:
        UserError: for a table of texts, one of more than :data:`_MOST_KEYS` keys, or one that is written to.
    """
    import tensorflow as tf

    nodes = {node.name: node for node in graph.node}
    if not any(node.op.startswith("LookupTable") for node in graph.node):
        return graph
    with refusing(f"{origin}: TensorFlow cannot read its graph"), tf.Graph().as_default() as known:
        tf.import_graph_def(graph, name="")
    result = tf.compat.v1.GraphDef(versions=graph.versions, library=graph.library)
    for node in graph.node:
        plain = [node]
        if node.op.startswith("LookupTable"):
            keys, values = _entries(tf, node, nodes, captured, origin)
            inputs = known.get_operation_by_name(node.name).inputs

            def build(_, *given, op=node.op, entries=(keys, values)):
                return tf.constant(len(entries[0]), tf.int64) if op == _SIZE else _found(tf, *given, *entries)

            plain = in_place_of(tf, node, inputs, build)
        result.node.extend(plain)
    return result


def _entries(tf, node, nodes, captured, origin):
    """Return the keys and values of the table that a node reads."""
    source = node_name(node.input[0])
    while nodes[source].op == "Identity":
        source = node_name(nodes[source].input[0])
    place = f"{origin}: the node {node.name} ({node.op})"
    if node.op not in (_FIND, _SIZE):
        raise UserError(f"{place} writes to a hash table; export a function whose tables stay as they are")
    kinds = [tf.as_dtype(node.attr[key].type) for key in ("Tin", "Tout")] if node.op == _FIND else [tf.int64, tf.int64]
    if tf.string in kinds:
        raise UserError(f"{place} reads a hash table of texts; export a function that takes and gives their numbers")
    with refusing(f"{place} reads a hash table that TensorFlow cannot read"):
        table = captured.get(source)
        if table is None:
            table = _same(tf, nodes[source])
        keys, values = tf.raw_ops.LookupTableExportV2(table_handle=table, Tkeys=kinds[0], Tvalues=kinds[1])
    if not 0 < len(keys) <= _MOST_KEYS:
        raise UserError(f"{place} reads a hash table of {len(keys):,} keys; 1 to {_MOST_KEYS:,} can be exported")
    order = tf.argsort(keys).numpy()
    return keys.numpy()[order], values.numpy()[order]


def _same(tf, node):
    """Return the table of a node of TensorFlow 1, which the loader has made and filled under its shared name."""
    if node.op not in _TABLES:
        raise UserError(f"{node.name} ({node.op}) is none that is filled when the model is loaded")
    names = {key: node.attr[key].s.decode() for key in ("container", "shared_name")}
    kinds = {key: tf.as_dtype(node.attr[key].type) for key in ("key_dtype", "value_dtype")}
    return getattr(tf.raw_ops, node.op)(**names, **kinds)


def _found(tf, numbers, default, keys, values):
    """Return the value of each number, the default where no key is equal to it."""
    equal = tf.equal(tf.expand_dims(numbers, -1), keys)
    found = tf.gather(values, tf.argmax(tf.cast(equal, tf.float32), -1, tf.int32))
    known = tf.reduce_any(equal, -1)
    for _ in range(values.ndim - 1):
        known = tf.expand_dims(known, -1)
    return tf.where(known, found, default)
