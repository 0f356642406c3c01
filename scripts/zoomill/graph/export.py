"""What all exporters of single graphs share: from a frozen graph and a running source to the files of a graph."""

import dataclasses
import io
import os

import numpy as np

from zoomill import files
from zoomill.errors import UserError
from zoomill.framework import reason, refusing
from zoomill.graph import golden_inputs, predictions, saved_model
from zoomill.graph.graph_def import activation, ancestors, node_name, static_shapes
from zoomill.graph.source import promises


def export(source, expected, given, folder, model, name="main"):
    """Write ``graph.pb``, ``saved_model``, ``contract.json`` and ``golden.npz`` of a source.

    Args:
        source: :class:`zoomill.graph.source.Source`.
        expected: the card's ``inputs`` and ``outputs``, lists of partial contract entries in the order of the source's,
            empty for any; ``labels`` and ``label_offset``; ``about``, further entries of the contract; of a detector
            ``postprocess``.
        given: :class:`zoomill.graph.golden_inputs.Given`.
        folder: to write into.
        model: its name.
        name: of the graph.

    Raises:
        UserError: when the card expects anything else than the source has.
    """
    inputs = promises("input", source.inputs, expected["inputs"])
    graph, shapes = _with_interface(source, inputs)
    named = [dataclasses.replace(tensor, shape=shapes.get(tensor.name)) for tensor in source.outputs]
    outputs = promises("output", named, expected["outputs"])
    for promise in outputs:
        found = activation(graph, promise["name"], {p["name"] for p in inputs})
        promise["activation"] = "constant" if promise["name"] in source.steady else found
    rows = source.rows or _golden(source, graph, inputs, outputs, given)
    for promise, tensor, said in zip(outputs, named, expected["outputs"] or [{}] * len(named), strict=True):
        if tensor.shape and tensor.shape[0] is None and "shape" not in said:
            promise["shape"][0] = len(rows[0][promise["name"]])  # not always a batch: steps of a recurrent layer
    stored = {name: np.stack([np.asarray(row[name]) for row in rows]) for name in rows[0]}
    contract = {
        "model": model,
        "graph": name,
        "inputs": inputs,
        "outputs": outputs,
        "labels": expected["labels"] or list(source.labels),
        "label_offset": expected["label_offset"] or source.label_offset,
        "notes": list(source.notes),
        **expected.get("about", {}),
        **({"postprocess": expected["postprocess"]} if expected.get("postprocess") else {}),
    }
    path = os.path.join(folder, "{}").format
    buffer = io.BytesIO()
    np.savez(buffer, **stored)
    files.write_bytes(path("graph.pb"), graph.SerializeToString(deterministic=True))
    saved_model.write(path("saved_model"), graph, contract)
    files.write_bytes(path("golden.npz"), buffer.getvalue())
    files.write_json(path("contract.json"), contract)


def predict(source, expected, samples, path):
    """Write what a source makes of :class:`zoomill.inputs.sample_inputs.Samples`."""
    inputs = promises("input", source.inputs, expected["inputs"])
    predictions.write(path, samples, inputs, source.rounded or source.run, source.batched)


def _golden(source, graph, inputs, outputs, given):
    """Return ``[{input or output name: array}, …]``: inputs chosen by our graph, which is quick, run by the source."""
    activations = {promise["name"]: promise["activation"] for promise in outputs}
    feeds = golden_inputs.choose(given, inputs, _runner(graph, inputs, outputs), activations)
    return [{**feed, **source.run(feed), **_rounded(source.rounded, feed)} for feed in feeds]


def _rounded(run, feed):
    """Return the outputs of an integer source by the names that golden.npz has for them, none of any other."""
    return {f"rounded/{name}": array for name, array in run(feed).items()} if run else {}


def _with_interface(source, promises):
    """Return the graph between the named placeholders and outputs, and ``{output name: static shape}``."""
    import tensorflow as tf

    graph, inputs, outputs = source.graph, source.inputs, source.outputs
    nodes = {node.name: node for node in graph.node}
    kept = ancestors(nodes, [tensor.tensor for tensor in outputs], stop={node_name(t.tensor) for t in inputs})
    feeds = {node_name(tensor.tensor): f"{tensor.name}" for tensor in inputs}
    result = tf.compat.v1.GraphDef(versions=graph.versions, library=graph.library)
    for promise in promises:
        node = result.node.add(name=promise["name"], op="Placeholder")
        node.attr["dtype"].type = tf.as_dtype(promise["dtype"]).as_datatype_enum
        node.attr["shape"].shape.CopyFrom(tf.TensorShape(promise["shape"]).as_proto())
    taken = {tensor.name for tensor in (*inputs, *outputs)}
    renamed = {name: f"{name}_inner" if name in taken else name for name in kept}
    renamed.update(feeds)
    for node in graph.node:
        if node.name in kept:
            copy = result.node.add()
            copy.CopyFrom(node)
            copy.name, copy.device = renamed[node.name], ""
            del copy.input[:]
            copy.input.extend(_renamed(tensor, renamed) for tensor in node.input)
    for tensor in outputs:
        node = result.node.add(name=tensor.name, op="Identity")
        node.input.append(_renamed(tensor.tensor, renamed))
        node.attr["T"].type = tf.as_dtype(tensor.dtype).as_datatype_enum
    with refusing("TensorFlow cannot read its graph between the inputs and outputs"):
        return result, static_shapes(tf, result)


def _runner(graph, inputs, outputs):
    """Return a function that runs the graph with its named interface by TensorFlow.

    It raises a UserError where the graph does not take a drawn input.
    """
    import tensorflow as tf

    session, shapes = tf.compat.v1.Session(graph=tf.Graph()), {}
    with session.graph.as_default():
        tf.import_graph_def(graph, name="")
    fetches = {promise["name"]: f"{promise['name']}:0" for promise in outputs}

    def run(feed):
        try:
            found = session.run(fetches, {f"{p['name']}:0": feed[p["name"]] for p in inputs})
        except Exception as error:  # whatever TensorFlow raises, the graph is the cause
            why = reason(error)
            advice = "; give the inputs' `value_range` in the card" if "is not in [" in why else ""
            raise UserError(f"TensorFlow cannot run the graph on drawn inputs: {why}{advice}") from error
        for name, value in found.items():
            if shapes.setdefault(name, value.shape) != value.shape:
                raise UserError(
                    f"output {name} has the shape {list(shapes[name])} for one input and {list(value.shape)} "
                    "for another; only outputs of one size can be exported"
                )
        return found

    return run


def _renamed(tensor, names):
    """Return a tensor or control input with its node's new name."""
    mark = "^" if tensor.startswith("^") else ""
    name, colon, index = tensor.lstrip("^").partition(":")
    return f"{mark}{names[name]}{colon}{index}"
