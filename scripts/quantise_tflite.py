"""Derive a quantised variant from a float32 .tflite file, without TensorFlow."""

import argparse

from zoomill import command, files, made
from zoomill.tflite import artifact, calibration, quantiser, tflite_ends


def main(argv=None):
    """Write the variant."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--float", type=made.checked, required=True, help="float32 .tflite file")
    parser.add_argument("--contract", type=made.checked, required=True, help="contract.json of its graph")
    parser.add_argument(
        "--calibration", type=made.checked, nargs="*", default=[], help="calibration.json, for integer activations"
    )
    artifact.add_argument(parser)
    parser.add_argument("--output", type=made.output, required=True)
    args = command.parse(parser, argv)
    contract = files.read_json(args.contract)
    ranges = calibration.read_ranges(args.calibration[0], args.float) if args.calibration else None
    model = quantiser.quantise(args.float, args.variant.name, ranges)
    if args.variant.ends == "uint8":
        tflite_ends.recast(model)
    artifact.deliver(model, contract, args.variant, args.output)


if __name__ == "__main__":
    command.run(main)
