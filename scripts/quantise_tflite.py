"""Derive a variant with smaller weights from a float32 .tflite file, without TensorFlow."""

import argparse
import tempfile

from zoomill import artifact, command, files, quantiser


def main(argv=None):
    """Write the variant."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--float", required=True, help="float32 .tflite file")
    parser.add_argument("--contract", required=True, help="contract.json of its graph")
    parser.add_argument("--variant", required=True, choices=quantiser.VARIANTS)
    parser.add_argument("--output", required=True)
    args = parser.parse_args(argv)
    with tempfile.NamedTemporaryFile(suffix=".tflite") as file:
        file.write(quantiser.quantise(args.float, args.variant))
        file.flush()
        artifact.finish(file.name, files.read_json(args.contract), args.variant, args.output)


if __name__ == "__main__":
    command.run(main)
