"""Convert a frozen graph to OpenVINO's IR: model.xml and model.bin."""

import argparse

from zoomill import command, files, folders, made
from zoomill.errors import UserError
from zoomill.openvino import ir


def main(argv=None):
    """Write the folder, with the contract's names and float32 weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graph", type=made.checked, required=True, help="graph.pb")
    parser.add_argument("--contract", type=made.checked, required=True, help="contract.json of the graph")
    parser.add_argument(
        "--output", type=made.output, required=True, help="folder to make; what stands there is replaced"
    )
    args = command.parse(parser, argv)
    contract = files.read_json(args.contract)
    with folders.written(args.output) as folder:
        try:
            ir.convert(args.graph, contract, folder)
        except UserError as error:
            raise UserError(f"{contract['model']}: {args.graph}: {error}") from error


if __name__ == "__main__":
    command.run(main)
