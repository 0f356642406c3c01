"""Export a TensorFlow.js graph or layers model; TensorFlow.js in Node makes the golden outputs."""

import argparse
import json

from zoomill import command, export, made, tf_sources, tfjs_source
from zoomill.errors import UserError


def main(argv=None):
    """Write graph, contract and golden outputs."""
    parser = argparse.ArgumentParser(description=__doc__)
    export.add_arguments(parser)
    parser.add_argument("--path", type=made.checked, required=True, help="model.json")
    parser.add_argument("--output-tensors", default="{}", help="JSON object: contract name to tensor of a graph model")
    parser.add_argument("--node", default="node", help="the program")
    parser.add_argument("--library", type=made.unchecked, required=True, help="folder of the JavaScript packages")
    args = command.parse(parser, argv)
    try:
        model = tfjs_source.read(args.path)
        if model.is_graph:
            graph, inputs, outputs = tfjs_source.graph(model, json.loads(args.output_tensors))
        else:
            shapes = [entry.get("shape") for entry in json.loads(args.card)["inputs"]]
            graph, inputs, outputs = tf_sources.freeze_keras(tfjs_source.keras_model(model), shapes)
        names = [
            {tensor.name: tensor.tensor if model.is_graph else tensor.name for tensor in tensors}
            for tensors in (inputs, outputs)
        ]
    except UserError as error:
        raise UserError(f"{args.model}: {error}") from error
    run = tfjs_source.runner(model, *names, args.node, args.library)
    export.export(args, graph, inputs, outputs, run)


if __name__ == "__main__":
    command.run(main)
