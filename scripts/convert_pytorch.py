"""Convert a PyTorch model to a float32 .tflite file by litert-torch, past the graph that other variants come from."""

import argparse
import tempfile

import numpy as np

from zoomill import command, files, framework, made
from zoomill.sources import arguments, pytorch_source
from zoomill.tflite import artifact


def main(argv=None):
    """Write the converted, named and checked file: its inputs and outputs are those of the contract."""
    parser = argparse.ArgumentParser(description=__doc__)
    arguments.add_source(parser)
    parser.add_argument("--contract", type=made.checked, required=True, help="contract.json of the graph")
    parser.add_argument(
        "--golden", type=made.checked, required=True, help="golden.npz, which tells the layouts of the outputs"
    )
    parser.add_argument("--output", type=made.output, required=True)
    args = command.parse(parser, argv)
    with np.load(args.golden) as stored:
        row = {name: stored[name][0] for name in stored}
    with tempfile.NamedTemporaryFile(suffix=".tflite") as raw:
        with framework.naming(args.model):
            pytorch_source.read(args.source, args.options, args.card).convert(row, raw.name)
        artifact.finish(raw.name, files.read_json(args.contract), artifact.Variant("torch_float32"), args.output)


if __name__ == "__main__":
    command.run(main)
