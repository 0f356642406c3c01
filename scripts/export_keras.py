"""Export a Keras model (.h5 of Keras 2 or 3, .keras, SavedModel of Keras 2) for inference with a batch of one."""

import argparse
import json

from zoomill import command, export, keras_source, made
from zoomill.errors import UserError
from zoomill.inspect import allowed


def main(argv=None):
    """Write graph, contract and golden outputs."""
    parser = argparse.ArgumentParser(description=__doc__)
    export.add_arguments(parser)
    parser.add_argument("--path", type=made.checked, required=True, help="model file, or folder of a SavedModel")
    allowed.add_argument(parser)
    args = command.parse(parser, argv)
    try:
        model = keras_source.load(args.path, args.allow)
        shapes = [entry.get("shape") for entry in json.loads(args.card)["inputs"]]
        graph, inputs, outputs = keras_source.freeze(model, shapes, args.path)
    except UserError as error:
        raise UserError(f"{args.model}: {error}") from error
    run = keras_source.runner(model, f"{args.model}: {args.path}")
    export.export(args, graph, inputs, outputs, run, batched=True)


if __name__ == "__main__":
    command.run(main)
