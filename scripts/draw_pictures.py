"""Draw what a source and its .tflite artifacts find in golden pictures."""

import argparse
import functools
import json
import os

import numpy as np

from zoomill import command, files, folders, made
from zoomill.inputs import contract_file
from zoomill.pages import gallery
from zoomill.proof import evidence
from zoomill.tflite import runtime


def main(argv=None):
    """Write the folder: PNG files, and index.json, which says what is on them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifacts", type=made.checked, nargs="+", required=True, help=".tflite files of a model")
    parser.add_argument(
        "--contracts", type=made.checked, nargs="+", required=True, help="contract.json of their graphs"
    )
    parser.add_argument(
        "--golden",
        type=made.checked,
        nargs="*",
        default=[],
        help="golden.npz of the source, unless its inputs are drawn",
    )
    parser.add_argument("--anchors", type=made.checked, nargs="*", default=[], help="anchors.npy of a detector")
    parser.add_argument("--card", required=True, type=json.loads, help="JSON object: task, decode, output, metric")
    parser.add_argument("--output", type=made.output, required=True, help="folder to make")
    args = command.parse(parser, argv)
    contracts = {contract["graph"]: contract for contract in map(contract_file.read, args.contracts)}
    anchors = np.load(args.anchors[0]) if args.anchors else None
    drawn = gallery.Gallery(contracts, args.card, evidence.read_golden(args.golden), anchors)
    for path in args.artifacts:
        graph, variant, _ = os.path.basename(path).split(".")
        about = {"artifact": os.path.basename(path), "variant": variant, "sha256": made.noted(path)}
        drawn.add(graph, about, functools.partial(runtime.Artifact, path))
    pictures, document = drawn.files()
    bound = {"golden_sha256": next(map(made.noted, args.golden), None)}
    with folders.written(args.output) as folder:
        for name, data in pictures.items():
            files.write_bytes(os.path.join(folder, name), data, recorded=False)
        files.write_json(os.path.join(folder, "index.json"), {**document, **bound}, recorded=False)


if __name__ == "__main__":
    command.run(main)
