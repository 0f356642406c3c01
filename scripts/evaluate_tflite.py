"""Compute the task metric of a .tflite artifact."""

import argparse
import os

from zoomill import command, files, made
from zoomill.evaluation import harness
from zoomill.tflite import runtime


def main(argv=None):
    """Run the artifact on every sample and write its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifact", type=made.checked, required=True)
    parser.add_argument("--variant", required=True)
    parser.add_argument("--kernels", choices=sorted(runtime.KERNELS), default="builtin", help="of LiteRT")
    harness.add_task(parser)
    harness.add_outputs(parser)
    args = command.parse(parser, argv)
    task, artifact = harness.task_of_flags(args), runtime.Artifact(args.artifact, args.kernels)

    def run(feed):
        return artifact(task.contract, feed)

    evidence = {
        "variant": args.variant,
        "kernels": args.kernels,
        "artifact": os.path.basename(args.artifact),
        "sha256": files.digest(args.artifact),
    }
    harness.evaluate(task, run, evidence, args.output, args.output_samples)


if __name__ == "__main__":
    command.run(main)
