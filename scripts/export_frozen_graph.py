"""Export a frozen TensorFlow graph between named tensors."""

import argparse
import json

from zoomill import checkpoint, command, export, made, tf_sources


def main(argv=None):
    """Write graph, contract and golden outputs."""
    parser = argparse.ArgumentParser(description=__doc__)
    export.add_arguments(parser)
    parser.add_argument("--path", type=made.checked, required=True, help="frozen graph")
    parser.add_argument("--input-tensors", required=True, help="JSON object: contract name to tensor")
    parser.add_argument("--output-tensors", required=True, help="JSON object: contract name to tensor")
    args = command.parse(parser, argv)
    graph = checkpoint.read_frozen(args.path)
    inputs = tf_sources.graph_tensors(graph, json.loads(args.input_tensors), args.path)
    outputs = tf_sources.graph_tensors(graph, json.loads(args.output_tensors), args.path)
    export.export(args, graph, inputs, outputs, tf_sources.graph_session(graph, inputs, outputs))


if __name__ == "__main__":
    command.run(main)
