"""Export an ONNX model: onnx2tf makes the graph, ONNX Runtime the golden outputs."""

import argparse
import json

from zoomill import command, export, made, onnx_floats, onnx_source
from zoomill.errors import UserError


def main(argv=None):
    """Write graph, contract and golden outputs."""
    parser = argparse.ArgumentParser(description=__doc__)
    export.add_arguments(parser)
    parser.add_argument("--path", type=made.checked, required=True, help=".onnx file")
    parser.add_argument("--keep-layout", nargs="*", default=[], help="inputs that keep ONNX's order of dimensions")
    args = command.parse(parser, argv)
    shapes = [entry.get("shape") for entry in json.loads(args.card)["inputs"]]
    try:
        model = onnx_source.read(args.path)
        integers = onnx_floats.integers(model)
        model = onnx_floats.float_copy(model, args.path) if integers else model
        golden = onnx_source.session(args.path, model if integers else None)
        converted = onnx_source.to_graph(model, shapes, args.keep_layout, args.path)
        run = onnx_source.runner(golden, converted)
        rounded = onnx_source.runner(onnx_source.session(args.path), converted) if integers else None
    except UserError as error:
        raise UserError(f"{args.model}: {error}") from error
    notes = [*export.integer_notes(integers), *converted.notes()]
    export.export(args, converted.graph, converted.inputs, converted.outputs, run, notes, rounded=rounded)


if __name__ == "__main__":
    command.run(main)
