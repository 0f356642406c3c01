"""Write which tensor of a TensorFlow.js model is which output of its source, confirmed by numbers."""

import argparse

from zoomill import command, files, folders, made
from zoomill.errors import UserError
from zoomill.proof import evidence
from zoomill.tfjs import tfjs_map, tfjs_runtime


def main(argv=None):
    """Write the map; a model whose outputs have wrong names leaves none."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=made.checked, required=True, help="folder of the float32 model")
    parser.add_argument("--contract", type=made.checked, required=True, help="contract.json of its graph")
    parser.add_argument("--golden", type=made.checked, required=True, help="golden.npz of its source")
    tfjs_runtime.add_library(parser)
    parser.add_argument("--output", type=made.output, required=True)
    args = command.parse(parser, argv)
    contract, golden = files.read_json(args.contract), evidence.read_golden(args.golden)
    tensors = tfjs_runtime.signature_tensors(args.model, contract, "outputs")
    try:
        measured = tfjs_runtime.run_golden(args.model, contract, golden, "cpu", args.library)
        document = tfjs_map.output_map(measured["outputs"], contract, golden, tensors)
    except UserError as error:
        raise UserError(f"{contract['model']}: {contract['graph']}: {error}") from error
    head = {"model": contract["model"], "graph": contract["graph"], "sha256": folders.digest(args.model)}
    files.write_json(args.output, head | document)


if __name__ == "__main__":
    command.run(main)
