"""Compute the task metric of a TensorFlow.js artifact, run by Node on wasm."""

import argparse
import os

import numpy as np

from zoomill import command, evaluation, files, folders, made, predictions, tfjs_runtime

BACKEND = "wasm"
# So many samples go to one process of Node: some 20 MB of pictures of 224 pixels.
_PART = 32


def main(argv=None):
    """Run the artifact on every sample and write its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifact", type=made.checked, required=True)
    parser.add_argument("--variant", required=True)
    parser.add_argument("--node", default="node", help="the program")
    parser.add_argument("--library", type=made.unchecked, required=True, help="folder of the JavaScript packages")
    evaluation.add_arguments(parser)
    args = command.parse(parser, argv)
    found = run(args, files.read_json(args.contract))
    evidence = {
        "variant": args.variant,
        "backend": BACKEND,
        "artifact": os.path.basename(args.artifact),
        "sha256": folders.digest(args.artifact),
    }
    evaluation.evaluate(args, lambda _: next(found), evidence)


def run(args, contract):
    """Yield ``{output name: array}`` for each input of each sample in turn."""
    (promise,) = contract["inputs"]
    start = 0
    while part := list(predictions.inputs(args, promise, slice(start, start + _PART))):
        values = {promise["tensor"]: np.stack([value for _, _, own in part for value in own])}
        where = (args.artifact, contract, values, BACKEND, args.node, args.library)
        yield from tfjs_runtime.run_golden(*where)["outputs"]
        start += _PART


if __name__ == "__main__":
    command.run(main)
