"""Run a TensorFlow.js artifact in Node, compare it with the golden outputs of its source, and write the evidence."""

import argparse
import os

from zoomill import command, files, folders, made
from zoomill.proof import evidence
from zoomill.tfjs import tfjs_descent, tfjs_model, tfjs_runtime


def main(argv=None):
    """Write the evidence; it stays where the verdict is no pass, too."""
    parser = argparse.ArgumentParser(description=__doc__)
    evidence.add_arguments(parser)
    parser.add_argument("--variant", required=True)
    parser.add_argument(
        "--float", type=made.checked, nargs="*", help="folder of the float32 model that the artifact was derived from"
    )
    tfjs_runtime.add_library(parser)
    parser.add_argument("--runs", type=int, required=True, help="how often to run it on each backend, at least")
    parser.add_argument("--timed", action="store_true", help="write times too; nothing else should run meanwhile")
    args = command.parse(parser, argv)
    contract, golden = files.read_json(args.contract), evidence.read_golden(args.golden)

    with tfjs_runtime.node(args.library) as ask:

        def run(backend):
            return tfjs_runtime.run_golden(args.artifact, contract, golden, backend, args.library, args.runs, ask)

        figures = tfjs_runtime.on_backends(tfjs_runtime.BACKENDS, run, contract, golden, args.limits, args.timed)
    backends, failures, not_tested = figures
    document = (
        evidence.begin(args.artifact, args.variant, args.limits, contract)
        | tfjs_model.describe(args.artifact)
        | {"backends": backends}
    )
    for folder in args.float or []:
        differences, document["descent"] = tfjs_descent.differences(folder, args.artifact)
        failures += differences
        if folders.digest(folder) == document["sha256"]:
            failures.append(f"is byte for byte {os.path.basename(folder)}: nothing in it is {args.variant}")
    evidence.finish(args.output, document, tfjs_runtime.worst(backends), failures, not_tested)


if __name__ == "__main__":
    command.run(main)
