"""TensorFlow's files: frozen graphs, SavedModels, TF-Hub modules of version 1, meta graphs."""

import os
from pathlib import Path

from zoomill.errors import UserError
from zoomill.inspect import allowed, allowed_operators, bundle, graph, loadable, report, wire


def read_pb(path):
    """Report a frozen graph, or the SavedModel whose ``saved_model.pb`` it is.

    A SavedModel begins with the number of its schema, a GraphDef with its first node.

    Raises:
        UserError: when it is neither.
    """
    with open(path, "rb") as file:
        if file.read(1) == b"\x08":
            return _saved_model(Path(path))
    graph_def = wire.parse(graph.MESSAGES["GraphDef"](), path)
    _require_nodes(graph_def, path)
    notes = allowed.notes(allowed_operators.found(graph_def))
    variables = [node.name for node in graph_def.node if node.op in graph.VARIABLES]
    if variables:
        notes.append(
            f"not frozen: the values of its variables, {variables[0]} for one, are in a checkpoint (tf1_checkpoint)"
        )
    return report.report("graph_def", _producer(graph_def), [graph.describe(graph_def, {})], notes=notes)


def read_meta(path, companion=None):
    """Report a meta graph and the checkpoint beside it; ``companion`` is the checkpoint's prefix or index.

    Raises:
        UserError: when it is no meta graph.
    """
    meta = wire.parse(graph.MESSAGES["MetaGraphDef"](), path)
    _require_nodes(meta.graph_def, path)
    prefix = os.fspath(companion or path).removesuffix(".meta").removesuffix(".index")
    checkpoint, notes = _checkpoint(prefix, required=companion is not None)
    one = _meta_graph(meta)
    if not any(entry["outputs"] for entry in one["signatures"]):
        notes.append("inputs and outputs cannot be told: a training graph without placeholder; everything is counted")
    else:
        allowed_operators.needed(meta.graph_def, graph.ends(one))
    notes += allowed.notes(allowed_operators.found(meta.graph_def))
    return report.report("meta_graph", _producer(meta.graph_def, meta), [one], checkpoint, notes)


def _saved_model(path):
    saved = wire.parse(graph.MESSAGES["SavedModel"](), path)
    if not saved.meta_graphs:
        raise UserError(f"{path}: is truncated, or is neither a GraphDef nor a SavedModel")
    for meta in saved.meta_graphs:
        _require_nodes(meta.graph_def, path)
    checkpoint, notes = _checkpoint(path.parent / "variables/variables")
    kind = "hub_module" if (path.parent / "tfhub_module.pb").exists() else "saved_model"
    graphs = [_meta_graph(meta) for meta in saved.meta_graphs]
    first = saved.meta_graphs[0]
    producer = _producer(first.graph_def, first)
    alone = len(saved.meta_graphs) == 1
    found = [loadable.cut_down(meta, path, graph.MESSAGES["VariableDef"], alone) for meta in saved.meta_graphs]
    notes += allowed.notes(one for several in found for one in several)
    return report.report(kind, producer, graphs, checkpoint, notes)


def _require_nodes(graph_def, path):
    # A GraphDef parses from much that is none: the operators tell.
    if not graph_def.node or not all(node.op for node in graph_def.node):
        raise UserError(f"{path}: is truncated, or holds no TensorFlow graph")


def _meta_graph(meta):
    # Signatures like __saved_model_init_op are for the loader, not for callers.
    signatures = {key: meta.signature_def[key] for key in meta.signature_def if not key.startswith("__saved_model")}
    return graph.describe(meta.graph_def, signatures, ", ".join(sorted(meta.meta_info_def.tags)))


def _producer(graph_def, meta=None):
    return {
        "tensorflow": meta.meta_info_def.tensorflow_version if meta else None,
        "producer": graph_def.versions.producer,
        "min_consumer": graph_def.versions.min_consumer,
    }


def _checkpoint(prefix, required=False):
    """Return the report's checkpoint, None where there is none, and notes."""
    if not required and not Path(f"{prefix}.index").exists():
        return None, []
    return bundle.read(prefix)
