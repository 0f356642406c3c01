"""Export a Keras model (.h5 of Keras 2 or 3, .keras, SavedModel of Keras 2) for inference with a batch of one."""

import argparse
import json

from zoomill import command, export, made, tf_sources
from zoomill.errors import UserError


def main(argv=None):
    """Write graph, contract and golden outputs."""
    parser = argparse.ArgumentParser(description=__doc__)
    export.add_arguments(parser)
    parser.add_argument("--path", type=made.checked, required=True, help="model file, or folder of a SavedModel")
    parser.add_argument("--allow", nargs="*", default=[], help="Lambda and custom classes that may run")
    args = command.parse(parser, argv)
    try:
        model = tf_sources.keras_model(args.path, args.allow)
        shapes = [entry.get("shape") for entry in json.loads(args.card)["inputs"]]
        graph, inputs, outputs = tf_sources.freeze_keras(model, shapes)
    except UserError as error:
        raise UserError(f"{args.model}: {error}") from error
    export.export(args, graph, inputs, outputs, tf_sources.run_keras(model), batched=True)


if __name__ == "__main__":
    command.run(main)
