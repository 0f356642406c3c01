"""Convert a frozen graph to a float32 .tflite file with TensorFlow 2's converter."""

import argparse
import tempfile

from zoomill import command, files, made
from zoomill.errors import UserError
from zoomill.tflite import artifact, tensorflow_converter


def main(argv=None):
    """Write the converted, named and checked file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graph", type=made.checked, required=True, help="graph.pb")
    parser.add_argument("--contract", type=made.checked, required=True, help="contract.json of the graph")
    parser.add_argument("--output", type=made.output, required=True)
    args = command.parse(parser, argv)
    contract = files.read_json(args.contract)
    with tempfile.NamedTemporaryFile(suffix=".tflite") as raw:
        try:
            tensorflow_converter.convert(args.graph, contract, raw.name)
        except UserError as error:
            raise UserError(f"{contract['model']}: {args.graph}: {error}") from error
        artifact.finish(raw.name, contract, artifact.Variant("float32"), args.output)


if __name__ == "__main__":
    command.run(main)
