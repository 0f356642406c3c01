"""Compute the task metric of a TensorFlow.js artifact, run by Node."""

import argparse
import os

from zoomill import command, folders, made
from zoomill.evaluation import harness
from zoomill.tfjs import tfjs_runtime


def main(argv=None):
    """Run the artifact on every sample and write its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifact", type=made.checked, required=True)
    parser.add_argument("--variant", required=True)
    parser.add_argument("--backend", choices=tfjs_runtime.BACKENDS, default="wasm", help="of TensorFlow.js in Node")
    tfjs_runtime.add_library(parser)
    harness.add_task(parser)
    harness.add_outputs(parser)
    harness.add_stopping(parser)
    args = command.parse(parser, argv)
    task = harness.task_of_flags(args)
    with harness.naming(args):
        tfjs_runtime.check(args.artifact, task.contract)
    evidence = {
        "variant": args.variant,
        "backend": args.backend,
        "artifact": os.path.basename(args.artifact),
        "sha256": folders.digest(args.artifact),
    }
    with tfjs_runtime.opened(args.artifact, task.contract, args.backend, args.library) as run:
        harness.evaluate(task, run, evidence, args, args.until_clear)


if __name__ == "__main__":
    command.run(main)
