"""Convert a PyTorch model to a float32 .tflite file by litert-torch, past the graph that other variants come from."""

import argparse
import json
import tempfile

import numpy as np

from zoomill import artifact, command, files, made, pytorch_source
from zoomill.errors import UserError


def main(argv=None):
    """Write the converted, named and checked file: its inputs and outputs are those of the contract."""
    parser = argparse.ArgumentParser(description=__doc__)
    pytorch_source.add_arguments(parser)
    parser.add_argument("--contract", type=made.checked, required=True, help="contract.json of the graph")
    parser.add_argument(
        "--golden", type=made.checked, required=True, help="golden.npz, which tells the layouts of the outputs"
    )
    artifact.add_argument(parser)
    parser.add_argument("--output", type=made.output, required=True)
    args = command.parse(parser, argv)
    with tempfile.NamedTemporaryFile(suffix=".tflite") as raw:
        try:
            convert(args, raw.name)
        except UserError as error:
            raise UserError(f"{args.model}: {args.path}: {error}") from error
        artifact.finish(raw.name, files.read_json(args.contract), args.variant, args.output)


def convert(args, output):
    """Run the converter; its file has names of its own."""
    with np.load(args.golden) as stored:
        row = {name: stored[name][0] for name in stored}
    source = pytorch_source.load(args.path, args.model, json.loads(args.card)["inputs"], args.keep_layout)
    source.convert(row, output)


if __name__ == "__main__":
    command.run(main)
