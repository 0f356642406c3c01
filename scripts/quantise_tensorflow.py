"""Make an int8 .tflite file from a frozen graph with TensorFlow's own quantiser, the reference."""

import argparse
import tempfile

from zoomill import command, files, made
from zoomill.errors import UserError
from zoomill.inputs import sample_inputs
from zoomill.tflite import artifact, calibration, tensorflow_converter


def main(argv=None):
    """Write the quantised, named and checked file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graph", type=made.checked, required=True, help="graph.pb")
    parser.add_argument("--contract", type=made.checked, required=True, help="contract.json of the graph")
    sample_inputs.add_arguments(parser)
    artifact.add_argument(parser)
    parser.add_argument("--output", type=made.output, required=True)
    args = command.parse(parser, argv)
    contract = files.read_json(args.contract)
    with tempfile.NamedTemporaryFile(suffix=".tflite") as raw:
        try:
            feeds = list(calibration.feeds(sample_inputs.of_flags(args), contract)[1])
            tensorflow_converter.convert(args.graph, contract, raw.name, feeds)
        except UserError as error:
            raise UserError(f"{contract['model']}: {args.graph}: {error}") from error
        artifact.finish(raw.name, contract, args.variant, args.output)


if __name__ == "__main__":
    command.run(main)
