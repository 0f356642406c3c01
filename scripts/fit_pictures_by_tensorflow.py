"""Decode the pictures of a sample list, JPEG by TensorFlow's own decoder, and bring them to the size of an input."""

import argparse

from zoomill import command, made
from zoomill.errors import UserError
from zoomill.framework import refusing
from zoomill.inputs import contract_file, fitted_pictures, preprocess, sample_inputs, samples


def main(argv=None):
    """Write the file that a ledger's commands read which score a model otherwise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contract", type=made.checked, required=True, help="contract.json of the graph")
    sample_inputs.add_arguments(parser, required=True)
    parser.add_argument("--output", type=made.output, required=True, help=".npy file")
    args = command.parse(parser, argv)
    contract, chosen = contract_file.read(args.contract), sample_inputs.of_flags(args)
    made.part_of(args.folder)
    try:
        listed = samples.read_index(args.samples)
        fitted_pictures.write(args.output, chosen, listed, contract["inputs"], decoded)
    except UserError as error:
        raise UserError(f"{contract['model']}: {error}") from error


def decoded(path):
    """Return a picture as :func:`zoomill.inputs.preprocess.read_picture` does.

    TensorFlow takes the quick integer transform of libjpeg-turbo, Pillow and OpenCV the accurate one.
    """
    if not path.lower().endswith(samples.JPEG):
        return preprocess.read_picture(path)
    import tensorflow as tf

    with refusing(f"{path}: is no JPEG that TensorFlow can read"), open(path, "rb") as file:
        return tf.io.decode_jpeg(file.read(), channels=3).numpy()


if __name__ == "__main__":
    command.run(main)
