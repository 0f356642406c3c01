"""The one command line of the exporters: a source, loaded by the module of its kind, becomes the files of a graph."""

import argparse
import os

from zoomill import command, framework, label_files, made
from zoomill.graph import export, golden_inputs
from zoomill.inputs import sample_inputs
from zoomill.sources import arguments, pinned_inputs


def main(description, load, **tools):
    """Return the ``main(argv)`` of the command that exports a kind of source.

    Args:
        description: of the command.
        load: function from the folder of the source's files, the options of the card's ``source`` and what the card
            expects (``inputs``, ``outputs``, ``labels``, ``label_offset``) to the :class:`zoomill.graph.source.Source`.
        tools: name of every other argument of ``load``, and the function that adds its flag to a parser.
    """

    def run(argv=None):
        parser = argparse.ArgumentParser(description=description)
        arguments.add_source(parser)
        for add_flag in tools.values():
            add_flag(parser)
        golden_inputs.add_arguments(parser)
        sample_inputs.add_arguments(parser, "write predictions.npz of these and nothing else")
        parser.add_argument("--output-dir", type=made.output_folder, required=True)
        args = command.parse(parser, argv)
        with framework.naming(args.model):
            args.card |= label_files.of_card(args.card, args.source)
            source = load(args.source, args.options, args.card, **{name: vars(args)[name] for name in tools})
            if constants := args.options.get("constants"):
                source = pinned_inputs.pinned(source, constants)
            if samples := sample_inputs.of_flags(args):
                export.predict(source, args.card, samples, os.path.join(args.output_dir, "predictions.npz"))
            else:
                export.export(source, args.card, golden_inputs.of_flags(args), args.output_dir, args.model)

    return run
