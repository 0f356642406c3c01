"""Export a TF1 checkpoint with its inference graph or meta graph: freeze it between named tensors."""

import argparse
import json

from zoomill import checkpoint, command, export, framework, made, tf_sources
from zoomill.inspect import allowed, allowed_operators


def main(argv=None):
    """Write graph, contract and golden outputs."""
    parser = argparse.ArgumentParser(description=__doc__)
    export.add_arguments(parser)
    parser.add_argument("--graph", type=made.checked, required=True, help="GraphDef (.pb) or meta graph (.meta)")
    parser.add_argument("--checkpoint", type=made.checked, required=True, help="prefix of .index and .data-*")
    parser.add_argument("--variables", required=True, choices=("raw", "moving_averages"))
    parser.add_argument("--input-tensors", required=True, help="JSON object: contract name to tensor")
    parser.add_argument("--output-tensors", required=True, help="JSON object: contract name to tensor")
    allowed.add_argument(parser)
    args = command.parse(parser, argv)
    ends = [json.loads(tensors) for tensors in (args.input_tensors, args.output_tensors)]
    averages = args.variables == "moving_averages"
    with framework.naming(args.model):
        graph = checkpoint.read_unfrozen(args.graph)
        graph = allowed_operators.checked(graph, [*ends[0].values(), *ends[1].values()], args.graph, args.allow)
        inputs, outputs = (tf_sources.graph_tensors(graph, tensors, args.graph) for tensors in ends)
        frozen = checkpoint.freeze(graph, outputs, args.checkpoint, averages)
        restore = checkpoint.restorer(graph, args.checkpoint, averages)
        run = tf_sources.graph_session(restore, inputs, outputs, args.graph)
        export.export(args, frozen, inputs, outputs, run)


if __name__ == "__main__":
    command.run(main)
