"""Export a Keras model (.h5 of Keras 2 or 3, .keras) for inference with a batch of one."""

import argparse
import json

from zoomill import command, export, tf_sources


def main(argv=None):
    """Write graph, contract and golden outputs."""
    parser = argparse.ArgumentParser(description=__doc__)
    export.add_arguments(parser)
    parser.add_argument("--path", required=True, help="model file")
    parser.add_argument("--allow", nargs="*", default=[], help="Lambda and custom classes that may run")
    args = parser.parse_args(argv)
    model = tf_sources.keras_model(args.path, args.allow)
    shapes = [entry["shape"] for entry in json.loads(args.card)["inputs"] if "shape" in entry]
    function = tf_sources.keras_function(model, shapes)
    graph, inputs, outputs = tf_sources.freeze(function)
    export.export(args, graph, inputs, outputs, tf_sources.run_keras(model, inputs, outputs))


if __name__ == "__main__":
    command.run(main)
