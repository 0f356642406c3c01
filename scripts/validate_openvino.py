"""Compare an OpenVINO IR with the golden outputs of its source, and write the evidence."""

import argparse

from zoomill import command, evidence, files, openvino_ir, parity


def main(argv=None):
    """Write the evidence; an artifact that misses a limit is delivered with ``passed: false``."""
    parser = argparse.ArgumentParser(description=__doc__)
    evidence.add_arguments(parser)
    parser.add_argument("--variant", required=True, choices=openvino_ir.VARIANTS)
    args = parser.parse_args(argv)
    contract = files.read_json(args.contract)
    document = evidence.begin(args, contract) | openvino_ir.describe(args.artifact)
    found = parity.of_outputs(openvino_ir.Artifact(args.artifact), contract, evidence.read_golden(args.golden))
    evidence.finish(args.output, document, found, evidence.output_failures(found, args.limits))


if __name__ == "__main__":
    command.run(main)
