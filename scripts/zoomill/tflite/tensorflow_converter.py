"""TensorFlow 2's converter from frozen graphs to .tflite files."""

from zoomill.errors import UserError


def convert(graph_path, contract, output, feeds=None):
    """Write a converted file, which has no signature yet.

    Args:
        graph_path: graph.pb.
        contract: contract of the graph.
        output: path of the file.
        feeds: list of ``{input tensor: array}`` to quantise to int8 with, weights and activations; the ends of the
            graph stay in float. Without, nothing is quantised.

    Raises:
        UserError: with model, file and the converter's reason.
    """
    import tensorflow as tf

    shapes = {promise["tensor"]: promise["shape"] for promise in contract["inputs"]}
    outputs = [promise["tensor"] for promise in contract["outputs"]]
    converter = tf.compat.v1.lite.TFLiteConverter.from_frozen_graph(graph_path, list(shapes), outputs, shapes)
    converter.allow_custom_ops = True
    if feeds:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([feed[tensor] for tensor in shapes] for feed in feeds)
    try:
        data = converter.convert()
    except Exception as error:  # the converter raises its own, undocumented kinds
        reason = next((line for line in str(error).splitlines() if "error:" in line), str(error).splitlines()[0])
        raise UserError(f"{contract['model']}: {graph_path}: cannot be converted: {reason}") from error
    with open(output, "wb") as file:
        file.write(data)
