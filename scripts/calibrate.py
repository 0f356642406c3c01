"""Run a float32 .tflite file on calibration samples and write the range of every tensor."""

import argparse

from zoomill import command, files, made
from zoomill.errors import UserError
from zoomill.inputs import sample_inputs
from zoomill.tflite import calibration


def main(argv=None):
    """Write the ranges with the digests of what they were made from."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--float", type=made.checked, required=True, help="float32 .tflite file")
    parser.add_argument("--contract", type=made.checked, required=True, help="contract.json of its graph")
    sample_inputs.add_arguments(parser)
    parser.add_argument("--output", type=made.output, required=True)
    args = command.parse(parser, argv)
    contract = files.read_json(args.contract)
    try:
        count, feeds = calibration.feeds(sample_inputs.of_flags(args), contract)
        ranges = calibration.ranges(args.float, contract, feeds)
    except UserError as error:
        raise UserError(f"{contract['model']}: {contract['graph']}: {error}") from error
    document = {
        "count": count,
        "float_sha256": files.digest(args.float),
        "ranges": ranges,
        "samples": files.digest(args.samples) if args.samples else "random",
    }
    files.write_json(args.output, document)


if __name__ == "__main__":
    command.run(main)
