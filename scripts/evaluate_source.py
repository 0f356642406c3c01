"""Compute the task metric of a model from what it gave elsewhere: a source in its own framework, say."""

import argparse
import itertools
import os

from zoomill import command, files, made
from zoomill.evaluation import harness
from zoomill.graph import predictions


def main(argv=None):
    """Score the predictions and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--predictions", type=made.checked, required=True, help="predictions.npz of an export command with --samples"
    )
    parser.add_argument("--variant", default="source", help="what has given them")
    harness.add_task(parser)
    harness.add_outputs(parser)
    args = command.parse(parser, argv)
    task = harness.task_of_flags(args)
    if reason := predictions.reason(args.predictions):
        return harness.write_reason(args, reason)
    names = {entry["tensor"]: entry["name"] for entry in task.contract["outputs"]}
    found = predictions.read(args.predictions, args.samples)
    arrays = {names.get(tensor, tensor): array for tensor, array in found.items()}
    rows = itertools.count()

    def run(_):
        row = next(rows)
        return {name: array[row] for name, array in arrays.items()}

    evidence = {
        "variant": args.variant,
        "artifact": os.path.basename(args.predictions),
        "sha256": files.digest(args.predictions),
    }
    return harness.evaluate(task, run, evidence, args)


if __name__ == "__main__":
    command.run(main)
