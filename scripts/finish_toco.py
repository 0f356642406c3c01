"""Make an artifact of TOCO's file: canonical options, readable names, the contract's signature, all checks."""

import argparse

from zoomill import command, files, made
from zoomill.tflite import artifact


def main(argv=None):
    """Write the artifact."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=made.checked, required=True, help=".tflite file as TOCO wrote it")
    parser.add_argument("--contract", type=made.checked, required=True, help="contract.json of its graph")
    artifact.add_argument(parser)
    parser.add_argument("--output", type=made.output, required=True)
    args = command.parse(parser, argv)
    artifact.finish(args.raw, files.read_json(args.contract), args.variant, args.output)


if __name__ == "__main__":
    command.run(main)
