"""Export a TFLite file: tf2onnx and onnx2tf make a float graph, LiteRT runs the file for the golden outputs."""

import argparse
import json

from zoomill import command, export, made, onnx_source, tflite_source
from zoomill.errors import UserError


def main(argv=None):
    """Write graph, contract and golden outputs."""
    parser = argparse.ArgumentParser(description=__doc__)
    export.add_arguments(parser)
    parser.add_argument("--path", type=made.checked, required=True, help=".tflite file")
    parser.add_argument("--output-tensors", default="{}", help="JSON object: contract name to tensor of the file")
    args = command.parse(parser, argv)
    try:
        source = tflite_source.Source(args.path, json.loads(args.output_tensors))
        source.refuse_custom_operators()
        args.card = json.dumps(source.completed(json.loads(args.card)))
        converted = onnx_source.to_graph(source.to_onnx(), [], source.unpictured(), args.path)
    except UserError as error:
        raise UserError(f"{args.model}: {error}") from error
    inputs, outputs, run, rounded = source.interface(converted)
    notes = export.integer_notes(source.integers)
    export.export(args, converted.graph, inputs, outputs, run, notes, rounded=rounded)


if __name__ == "__main__":
    command.run(main)
