"""Compare an OpenVINO IR with the golden outputs of its source, and write the evidence."""

import argparse

from zoomill import command, files
from zoomill.openvino import ir
from zoomill.proof import evidence, parity


def main(argv=None):
    """Write the evidence; it stays where the verdict is no pass, too."""
    parser = argparse.ArgumentParser(description=__doc__)
    evidence.add_arguments(parser)
    parser.add_argument("--variant", required=True)
    args = command.parse(parser, argv)
    contract = files.read_json(args.contract)
    document = evidence.begin(args.artifact, args.variant, args.limits, contract) | ir.describe(args.artifact)
    artifact, golden = ir.Artifact(args.artifact), evidence.read_golden(args.golden)
    runs = [artifact(contract, feed) for feed in parity.feeds(contract, golden)]
    evidence.finish(args.output, document, *parity.of_outputs(runs, contract, golden, args.limits))


if __name__ == "__main__":
    command.run(main)
