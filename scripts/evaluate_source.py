"""Compute the task metric of a source model from what it gave in its own framework."""

import argparse
import itertools

from zoomill import command, files, made
from zoomill.evaluation import harness
from zoomill.graph import predictions


def main(argv=None):
    """Score the predictions and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--predictions", type=made.checked, required=True, help="predictions.npz of an export command with --samples"
    )
    harness.add_task(parser)
    harness.add_outputs(parser)
    args = command.parse(parser, argv)
    task = harness.task_of_flags(args)
    names = {entry["tensor"]: entry["name"] for entry in task.contract["outputs"]}
    found = predictions.read(args.predictions, args.samples)
    arrays = {names.get(tensor, tensor): array for tensor, array in found.items()}
    rows = itertools.count()

    def run(_):
        row = next(rows)
        return {name: array[row] for name, array in arrays.items()}

    evidence = {"variant": "source", "artifact": "predictions.npz", "sha256": files.digest(args.predictions)}
    harness.evaluate(task, run, evidence, args)


if __name__ == "__main__":
    command.run(main)
