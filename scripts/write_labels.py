"""Write the labels of a model, a line for each class number of its outputs, as its .tflite files hold them too."""

import argparse

from zoomill import command, files, made
from zoomill.errors import UserError
from zoomill.tflite import metadata


def main(argv=None):
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contract", type=made.checked, required=True, help="contract.json of a graph of the model")
    parser.add_argument("--output", type=made.output, required=True)
    args = command.parse(parser, argv)
    contract = files.read_json(args.contract)
    if not contract["labels"]:
        raise UserError(f"{contract['model']}: {args.output}: it has no labels; give `labels` in its card")
    files.write_bytes(args.output, metadata.label_file(contract))


if __name__ == "__main__":
    command.run(main)
