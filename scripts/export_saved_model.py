"""Export one signature of a SavedModel, or of a TF-Hub module, of TensorFlow 1 or 2."""

import argparse

from zoomill import command, export, tf_sources


def main(argv=None):
    """Write graph, contract and golden outputs."""
    parser = argparse.ArgumentParser(description=__doc__)
    export.add_arguments(parser)
    parser.add_argument("--path", required=True, help="folder with saved_model.pb")
    parser.add_argument("--tags", nargs="*", default=["serve"])
    parser.add_argument("--signature", default="serving_default")
    args = parser.parse_args(argv)
    function = tf_sources.saved_model(args.path, args.tags, args.signature)
    graph, inputs, outputs = tf_sources.freeze(function)
    run = tf_sources.run_function(function, inputs)
    export.export(args, graph, inputs, outputs, run)


if __name__ == "__main__":
    command.run(main)
