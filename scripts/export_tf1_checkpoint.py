"""Export a TF1 checkpoint with its inference graph or meta graph: freeze it between named tensors."""

import argparse
import json

from zoomill import checkpoint, command, export, made, tf_sources


def main(argv=None):
    """Write graph, contract and golden outputs."""
    parser = argparse.ArgumentParser(description=__doc__)
    export.add_arguments(parser)
    parser.add_argument("--graph", type=made.checked, required=True, help="GraphDef (.pb) or meta graph (.meta)")
    parser.add_argument("--checkpoint", type=made.checked, required=True, help="prefix of .index and .data-*")
    parser.add_argument("--variables", required=True, choices=("raw", "moving_averages"))
    parser.add_argument("--input-tensors", required=True, help="JSON object: contract name to tensor")
    parser.add_argument("--output-tensors", required=True, help="JSON object: contract name to tensor")
    args = command.parse(parser, argv)
    graph = checkpoint.read_unfrozen(args.graph)
    inputs = tf_sources.graph_tensors(graph, json.loads(args.input_tensors), args.graph)
    outputs = tf_sources.graph_tensors(graph, json.loads(args.output_tensors), args.graph)
    averages = args.variables == "moving_averages"
    frozen = checkpoint.freeze(graph, outputs, args.checkpoint, averages)
    restore = checkpoint.restorer(graph, args.checkpoint, averages)
    export.export(args, frozen, inputs, outputs, tf_sources.graph_session(restore, inputs, outputs))


if __name__ == "__main__":
    command.run(main)
