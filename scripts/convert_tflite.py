"""Convert a frozen graph to a float32 .tflite file with TensorFlow 2's converter."""

import argparse
import tempfile

from zoomill import artifact, command, files
from zoomill.errors import UserError


def main(argv=None):
    """Write the converted, named and checked file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graph", required=True, help="graph.pb")
    parser.add_argument("--contract", required=True, help="contract.json of the graph")
    parser.add_argument("--time-limit", type=float, required=True, help="seconds")
    parser.add_argument("--output", required=True)
    args = parser.parse_args(argv)
    contract = files.read_json(args.contract)
    with tempfile.NamedTemporaryFile(suffix=".tflite") as raw:
        try:
            command.within(args.time_limit, convert, args.graph, contract, raw.name)
        except UserError as error:
            raise UserError(f"{contract['model']}: {args.graph}: {error}") from error
        artifact.finish(raw.name, contract, "float32", args.output)


def convert(graph_path, contract, output):
    """Run the converter; its file has no signature yet."""
    import tensorflow as tf

    shapes = {promise["tensor"]: promise["shape"] for promise in contract["inputs"]}
    outputs = [promise["tensor"] for promise in contract["outputs"]]
    converter = tf.compat.v1.lite.TFLiteConverter.from_frozen_graph(graph_path, list(shapes), outputs, shapes)
    converter.allow_custom_ops = True
    try:
        data = converter.convert()
    except Exception as error:  # the converter raises its own, undocumented kinds
        reason = next((line for line in str(error).splitlines() if "error:" in line), str(error).splitlines()[0])
        raise UserError(f"{contract['model']}: {graph_path}: cannot be converted: {reason}") from error
    with open(output, "wb") as file:
        file.write(data)


if __name__ == "__main__":
    command.run(main)
