"""Export one signature of a SavedModel, or of a TF-Hub module, of TensorFlow 1 or 2."""

import argparse

from zoomill import command, export, framework, made, saved_model_source, tf_sources
from zoomill.inspect import allowed


def main(argv=None):
    """Write graph, contract and golden outputs."""
    parser = argparse.ArgumentParser(description=__doc__)
    export.add_arguments(parser)
    parser.add_argument("--path", type=made.checked, required=True, help="folder with saved_model.pb")
    parser.add_argument("--tags", nargs="*", default=["serve"])
    parser.add_argument("--signature", default="serving_default", help="its key, or __call__ for the module's own call")
    allowed.add_argument(parser)
    args = command.parse(parser, argv)
    with framework.naming(args.model):
        function = saved_model_source.load(args.path, args.tags, args.signature, args.allow)
        graph, inputs, outputs = tf_sources.freeze(function, args.path)
        run = saved_model_source.runner(function, inputs, args.path)
        export.export(args, graph, inputs, outputs, run)


if __name__ == "__main__":
    command.run(main)
