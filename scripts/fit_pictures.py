"""Decode the pictures of a sample list, and bring them to the size of a model's input."""

import argparse

from zoomill import command, made
from zoomill.errors import UserError
from zoomill.inputs import contract_file, fitted_pictures, sample_inputs, samples


def main(argv=None):
    """Write the file that all commands read which score the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contract", type=made.checked, required=True, help="contract.json of the graph")
    sample_inputs.add_arguments(parser, required=True)
    parser.add_argument("--output", type=made.output, required=True, help=".npy file")
    args = command.parse(parser, argv)
    contract, chosen = contract_file.read(args.contract), sample_inputs.of_flags(args)
    made.part_of(args.folder)
    try:
        fitted_pictures.write(args.output, chosen, samples.read_index(args.samples), contract["inputs"])
    except UserError as error:
        raise UserError(f"{contract['model']}: {error}") from error


if __name__ == "__main__":
    command.run(main)
