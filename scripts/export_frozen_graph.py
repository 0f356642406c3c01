"""Export a frozen TensorFlow graph between named tensors."""

import argparse
import json

from zoomill import checkpoint, command, export, framework, made, tf_sources
from zoomill.inspect import allowed, allowed_operators


def main(argv=None):
    """Write graph, contract and golden outputs."""
    parser = argparse.ArgumentParser(description=__doc__)
    export.add_arguments(parser)
    parser.add_argument("--path", type=made.checked, required=True, help="frozen graph")
    parser.add_argument("--input-tensors", required=True, help="JSON object: contract name to tensor")
    parser.add_argument("--output-tensors", required=True, help="JSON object: contract name to tensor")
    allowed.add_argument(parser)
    args = command.parse(parser, argv)
    ends = [json.loads(tensors) for tensors in (args.input_tensors, args.output_tensors)]
    with framework.naming(args.model):
        graph = checkpoint.read_frozen(args.path)
        graph = allowed_operators.checked(graph, [*ends[0].values(), *ends[1].values()], args.path, args.allow)
        inputs, outputs = (tf_sources.graph_tensors(graph, tensors, args.path) for tensors in ends)
        run = tf_sources.graph_session(graph, inputs, outputs, args.path)
        export.export(args, graph, inputs, outputs, run)


if __name__ == "__main__":
    command.run(main)
