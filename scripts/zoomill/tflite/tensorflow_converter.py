"""TensorFlow 2's converter from frozen graphs to .tflite files."""

import os
import tempfile

from zoomill import supervisor
from zoomill.errors import UserError
from zoomill.graph import exact_constants

_LOOPS = ("While", "StatelessWhile", "If", "StatelessIf")


def convert(graph_path, contract, output, feeds=None):
    """Write a converted file, which has no signature yet.

    Args:
        graph_path: graph.pb.
        contract: contract of the graph.
        output: path of the file.
        feeds: list of ``{input tensor: array}`` to quantise to int8 with, weights and activations; the ends of the
            graph stay in float. They are not needed where fake-quant nodes hold the ranges. Without, nothing is
            quantised.

    Raises:
        UserError: with model, file and the converter's reason.
    """
    import tensorflow as tf

    with open(graph_path, "rb") as file:
        given = tf.compat.v1.GraphDef.FromString(file.read())
    graph = exact_constants.fold_approximated(tf, exact_constants.split_batch_norms(tf, given))
    bodies = [graph.node, *(function.node_def for function in graph.library.function)]
    operators = {node.op for body in bodies for node in body}
    shapes = {promise["tensor"]: promise["shape"] for promise in contract["inputs"]}
    outputs = [promise["tensor"] for promise in contract["outputs"]]
    who = "TensorFlow's own converter"
    if feeds and any(name.startswith("FakeQuant") for name in operators):  # which the other class leaves in float
        converter = tf.lite.TFLiteConverter.from_concrete_functions([_function(tf, graph, [*shapes], outputs)])
    else:
        with tempfile.TemporaryDirectory() as folder:
            folded = os.path.join(folder, "graph.pb")
            with open(folded, "wb") as file:
                file.write(graph.SerializeToString(deterministic=True))
            converter = tf.compat.v1.lite.TFLiteConverter.from_frozen_graph(folded, list(shapes), outputs, shapes)
        converter.representative_dataset = feeds and (lambda: ([feed[tensor] for tensor in shapes] for feed in feeds))
    converter.allow_custom_ops = True
    if feeds:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        loops = " of a graph with loops (recurrent layers made with `unroll=True` have none)"
        who = f"TensorFlow's own quantiser{loops if operators.intersection(_LOOPS) else ''}"
    supervisor.tell(f"{contract['model']}: {graph_path}: {who}")
    try:
        data = converter.convert()
    except Exception as error:  # the converter raises its own, undocumented kinds
        reason = next((line for line in str(error).splitlines() if "error:" in line), str(error).splitlines()[0])
        raise UserError(f"{contract['model']}: {graph_path}: cannot be converted: {reason}") from error
    with open(output, "wb") as file:
        file.write(data)


def _function(tf, graph, inputs, outputs):
    """Return a frozen graph as a concrete function between tensors."""
    whole = tf.compat.v1.wrap_function(lambda: tf.graph_util.import_graph_def(graph, name=""), [])
    named = [[name if ":" in name else f"{name}:0" for name in names] for names in (inputs, outputs)]
    return whole.prune(*(list(map(whole.graph.get_tensor_by_name, names)) for names in named))
