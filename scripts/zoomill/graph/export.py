"""What all exporters of single graphs share: from a frozen graph and a running source to the files of a graph."""

import dataclasses
import io
import math
import os
from collections.abc import Callable

import numpy as np

from zoomill import files
from zoomill.errors import UserError
from zoomill.framework import reason, refusing
from zoomill.graph import golden_inputs, predictions, saved_model
from zoomill.graph.graph_def import activation, ancestors, node_name, static_shapes

# A picture of 4700 × 4700 pixels in three colours has fewer; dozens of them are drawn for golden inputs.
_MOST_VALUES = 1 << 26


@dataclasses.dataclass(frozen=True)
class Tensor:
    """One input or output of a source.

    Attributes:
        name: what the contract calls it.
        tensor: its tensor in the frozen graph, ``node:index``.
        dtype: NumPy name of its dtype.
        shape: sizes, None where the source leaves one open; None as a whole for an unknown rank.
        known: entries of the contract that hold where the card says nothing else: ``value_range``, ``meaning`` …
    """

    name: str
    tensor: str
    dtype: str
    shape: tuple | None
    known: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Source:
    """A source as a graph, and as a function in its own framework.

    Attributes:
        graph: frozen GraphDef, in which the inputs are placeholders.
        inputs, outputs: :class:`Tensor` lists, in the source's order.
        run: function from ``{input name: array}`` to ``{output name: array}``.
        notes: sentences for the contract about what differs from the source.
        batched: ``run`` takes batches of any size.
        rounded: what ``run`` is, for a source of integers, of which ``run`` is the floating-point evaluation. Its
            outputs are kept as ``rounded/<output>``, and samples are given to it.
        rows: ``[{input or output name: array}, …]`` where golden inputs were chosen and run already.
        steady: names of outputs that are rightly the same for many inputs, and are compared as constants.
    """

    graph: object
    inputs: list
    outputs: list
    run: Callable
    notes: list = ()
    batched: bool = False
    rounded: Callable | None = None
    rows: list | None = None
    steady: list = ()


def export(source, expected, given, folder, model, name="main"):
    """Write ``graph.pb``, ``saved_model``, ``contract.json`` and ``golden.npz`` of a source.

    Args:
        source: :class:`Source`.
        expected: the card's ``inputs`` and ``outputs``, lists of partial contract entries in the order of the source's,
            empty for any; ``labels`` and ``label_offset``.
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
    stored = {name: np.stack([np.asarray(row[name]) for row in rows]) for name in rows[0]}
    contract = {
        "model": model,
        "graph": name,
        "inputs": inputs,
        "outputs": outputs,
        "labels": expected["labels"],
        "label_offset": expected["label_offset"],
        "notes": list(source.notes),
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


def integer_notes(names):
    """Return the sentence for the contract about the dtypes of a source that become floats, none without any."""
    if not names:
        return []
    return [f"the source computes with {', '.join(names)}; here these numbers are floats, without its own rounding"]


def _golden(source, graph, inputs, outputs, given):
    """Return ``[{input or output name: array}, …]``: inputs chosen by our graph, which is quick, run by the source."""
    activations = {promise["name"]: promise["activation"] for promise in outputs}
    feeds = golden_inputs.choose(given, inputs, _runner(graph, inputs, outputs), activations)
    return [{**feed, **source.run(feed), **_rounded(source.rounded, feed)} for feed in feeds]


def _rounded(run, feed):
    """Return the outputs of an integer source by the names that golden.npz has for them, none of any other."""
    return {f"rounded/{name}": array for name, array in run(feed).items()} if run else {}


def promises(kind, tensors, expected):
    """Return the contract entries of inputs or outputs: what the card says, checked against the source."""
    if expected and len(expected) != len(tensors):
        raise UserError(f"the card has {len(expected)} {kind}s, the source {len(tensors)}")
    return [
        _promise(kind, tensor, {**tensor.known, **expectation})
        for tensor, expectation in zip(tensors, expected or [{}] * len(tensors), strict=True)
    ]


def _promise(kind, tensor, expected):
    where = f"{kind} {tensor.name}"
    for key, found in (("name", tensor.name), ("dtype", tensor.dtype)):
        if expected.get(key, found) != found:
            raise UserError(f"{where}: the card expects {key} {expected[key]}, the source has {found}")
    if not _is_numeric(tensor.dtype):
        raise UserError(f"{where}: is of {tensor.dtype}; only tensors of numbers and truth values can be exported")
    entry = {"name": tensor.name, "tensor": tensor.name, "dtype": tensor.dtype}
    entry["shape"] = _shape(where, tensor.shape, expected.get("shape"), kind)
    if kind == "output":
        decode = {"decode": expected["decode"]} if "decode" in expected else {}
        return {**entry, "source": tensor.tensor, "meaning": expected.get("meaning", ""), **decode}
    layout, colour = _picture(entry["shape"])
    return {
        **entry,
        "layout": expected.get("layout", layout),
        "colour": expected.get("colour", colour),
        "value_range": expected.get("value_range"),
    }


def _is_numeric(dtype):
    try:
        return np.dtype(dtype).kind in "biufc"
    except TypeError:
        return False


def _shape(where, found, expected, kind):
    """Return the fixed shape that agrees with both sides; an open batch is 1."""
    if found is not None and expected is not None:
        agree = len(found) == len(expected)
        agree = agree and all(a in (None, b) for a, b in zip(found, expected, strict=True))
        if not agree:
            raise UserError(f"{where}: the card expects shape {list(expected)}, the source has {list(found)}")
    shape = list(expected or found or ())
    if shape and shape[0] is None:
        shape[0] = 1
    if kind == "input" and (None in shape or (not shape and found is None)):
        raise UserError(f"{where}: the source leaves its shape open ({found}); give `shape` in the card's inputs")
    if kind == "input" and not 0 < math.prod(shape) <= _MOST_VALUES:
        raise UserError(f"{where}: has the shape {shape}; one input has 1 to {_MOST_VALUES:,} values")
    return [-1 if size is None else size for size in shape]


def _picture(shape):
    """Return layout and colour order of an input that looks like a picture, else None twice."""
    if len(shape) == 4 and shape[3] in (1, 3):
        return "NHWC", "RGB" if shape[3] == 3 else "GRAY"
    if len(shape) == 4 and shape[1] in (1, 3):
        return "NCHW", "RGB" if shape[1] == 3 else "GRAY"
    return None, None


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
