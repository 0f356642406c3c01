"""Compute the task metric of a TensorFlow.js artifact, run by Node on wasm."""

import argparse
import os

import numpy as np

from zoomill import command, folders, made
from zoomill.evaluation import harness
from zoomill.tfjs import tfjs_runtime

BACKEND = "wasm"
# So many samples go to one process of Node: some 20 MB of pictures of 224 pixels.
_PART = 32


def main(argv=None):
    """Run the artifact on every sample and write its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifact", type=made.checked, required=True)
    parser.add_argument("--variant", required=True)
    tfjs_runtime.add_library(parser)
    harness.add_task(parser)
    harness.add_outputs(parser)
    args = command.parse(parser, argv)
    task = harness.task_of_flags(args)
    with harness.naming(args):
        tfjs_runtime.check(args.artifact, task.contract)
    found = run(task, args.artifact, args.library)
    evidence = {
        "variant": args.variant,
        "backend": BACKEND,
        "artifact": os.path.basename(args.artifact),
        "sha256": folders.digest(args.artifact),
    }
    harness.evaluate(task, lambda _: next(found), evidence, args.output, args.output_samples)


def run(task, artifact, library):
    """Yield ``{output name: array}`` for each input of each sample in turn."""
    inputs, start = task.contract["inputs"], 0
    while part := list(task.samples.feeds(inputs, slice(start, start + _PART))):
        feeds = [feed for _, _, own in part for feed in own]
        values = {promise["tensor"]: np.stack([feed[promise["tensor"]] for feed in feeds]) for promise in inputs}
        found = tfjs_runtime.run_golden(artifact, task.contract, values, BACKEND, library)
        yield from found["outputs"]
        start += _PART


if __name__ == "__main__":
    command.run(main)
