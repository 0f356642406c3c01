"""Export a PyTorch model that run_pytorch wrote as ONNX: onnx2tf makes the graph, the golden outputs are PyTorch's."""

import argparse
import json

import numpy as np

from zoomill import command, export, made, onnx_source
from zoomill.errors import UserError


def main(argv=None):
    """Write graph, contract and golden outputs."""
    parser = argparse.ArgumentParser(description=__doc__)
    export.add_arguments(parser)
    parser.add_argument("--onnx", type=made.checked, required=True, help="ONNX file of run_pytorch")
    parser.add_argument("--golden", type=made.checked, required=True, help="golden inputs and outputs of run_pytorch")
    parser.add_argument("--keep-layout", nargs="*", default=[], help="inputs that keep PyTorch's order of dimensions")
    args = command.parse(parser, argv)
    shapes = [entry.get("shape") for entry in json.loads(args.card)["inputs"]]
    try:
        converted = onnx_source.to_graph(onnx_source.read(args.onnx), shapes, args.keep_layout, args.onnx)
    except UserError as error:
        raise UserError(f"{args.model}: {error}") from error
    with np.load(args.golden) as stored:
        golden = dict(stored)
    for value in converted.results:
        golden[value.contract_name] = np.stack([value.to_graph(array) for array in golden[value.contract_name]])
    rows = [{name: golden[name][row] for name in golden} for row in range(len(next(iter(golden.values()))))]
    export.export(args, converted.graph, converted.inputs, converted.outputs, None, converted.notes(), rows)


if __name__ == "__main__":
    command.run(main)
