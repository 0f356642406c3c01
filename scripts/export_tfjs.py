"""Export a TensorFlow.js graph or layers model; TensorFlow.js in Node makes the golden outputs."""

import argparse
import json

from zoomill import command, export, framework, keras_source, made, tfjs_source
from zoomill.inspect import allowed


def main(argv=None):
    """Write graph, contract and golden outputs."""
    parser = argparse.ArgumentParser(description=__doc__)
    export.add_arguments(parser)
    parser.add_argument("--path", type=made.checked, required=True, help="model.json")
    parser.add_argument("--output-tensors", default="{}", help="JSON object: contract name to tensor of a graph model")
    allowed.add_argument(parser)
    parser.add_argument("--node", default="node", help="the program")
    parser.add_argument("--library", type=made.unchecked, required=True, help="folder of the JavaScript packages")
    args = command.parse(parser, argv)
    with framework.naming(args.model):
        model = tfjs_source.read(args.path)
        if model.is_graph:
            graph, inputs, outputs = tfjs_source.graph(model, json.loads(args.output_tensors), args.allow)
        else:
            shapes = [entry.get("shape") for entry in json.loads(args.card)["inputs"]]
            built = tfjs_source.keras_model(model, args.allow)
            graph, inputs, outputs = keras_source.freeze(built, shapes, args.path)
        names = [
            {tensor.name: tensor.tensor if model.is_graph else tensor.name for tensor in tensors}
            for tensors in (inputs, outputs)
        ]
        run = tfjs_source.runner(model, *names, args.node, args.library)
        export.export(args, graph, inputs, outputs, run)


if __name__ == "__main__":
    command.run(main)
