"""Run a PyTorch model on samples: its predictions, in the layouts of the graph made of it."""

import argparse
import os

import numpy as np

from zoomill import command, framework, made
from zoomill.graph import predictions
from zoomill.inputs import sample_inputs
from zoomill.sources import arguments, pytorch_source


def main(argv=None):
    """Write predictions.npz."""
    parser = argparse.ArgumentParser(description=__doc__)
    arguments.add_source(parser)
    parser.add_argument(
        "--golden", type=made.checked, required=True, help="golden.npz, which tells the layouts of the outputs"
    )
    sample_inputs.add_arguments(parser, required=True)
    parser.add_argument("--output-dir", type=made.output_folder, required=True)
    args = command.parse(parser, argv)
    with np.load(args.golden) as stored:
        row = {name: stored[name][0] for name in stored}
    with framework.naming(args.model):
        network = pytorch_source.read(args.source, args.options, args.card)
        path, samples = os.path.join(args.output_dir, "predictions.npz"), sample_inputs.of_flags(args)
        predictions.write(path, samples, network.promises, network.like_graph(row), batched=False)


if __name__ == "__main__":
    command.run(main)
