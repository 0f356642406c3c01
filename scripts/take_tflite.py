"""Take a .tflite file that is a model's source as it is, and write its contract: what file and card say of it."""

import argparse
import json
import os

from zoomill import command, files, label_files, made
from zoomill.inspect import recognise
from zoomill.tflite import tflite_contract


def main(argv=None):
    """Write the file and its contract."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--source", type=made.checked, required=True, help="folder of the source's files")
    parser.add_argument("--path", required=True, help="the file in it")
    parser.add_argument("--card", type=json.loads, required=True, help="JSON object: what the card says of the model")
    parser.add_argument("--output", type=made.output, required=True, help="the file, GRAPH.VARIANT.tflite")
    parser.add_argument("--output-contract", type=made.output, required=True)
    args = command.parse(parser, argv)
    path = os.path.join(args.source, args.path)
    contract = tflite_contract.of_file(path, recognise.inspect(path), ask=False)
    contract |= {"model": args.model, "graph": os.path.basename(args.output).partition(".")[0]}
    card = args.card | label_files.of_card(args.card, args.source)
    files.write_json(args.output_contract, tflite_contract.answered(contract, card))
    with open(path, "rb") as file:
        files.write_bytes(args.output, file.read())


if __name__ == "__main__":
    command.run(main)
