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
        source = onnx_source.read(args.path)
        integers = onnx_floats.integers(source)
        model = onnx_floats.float_copy(source, args.path) if integers else source
        golden = onnx_source.session(model, args.path)
        converted = onnx_source.to_graph(model, shapes, args.keep_layout, args.path)
        origin = f"{args.model}: {args.path}"
        run = onnx_source.runner(golden, converted, origin)
        original = onnx_source.session(source, args.path) if integers else None
        rounded = onnx_source.runner(original, converted, origin) if integers else None
    except UserError as error:
        raise UserError(f"{args.model}: {error}") from error
    notes = [*export.integer_notes(integers), *converted.notes()]
    export.export(args, converted.graph, converted.inputs, converted.outputs, run, notes, rounded=rounded)


if __name__ == "__main__":
    command.run(main)
