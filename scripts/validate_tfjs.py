"""Run a TensorFlow.js artifact in Node, compare it with the golden outputs of its source, and write the evidence."""

import argparse

from zoomill import command, evidence, files, tfjs_model, tfjs_runtime


def main(argv=None):
    """Write the evidence; an artifact that misses a limit or leaks is delivered with ``passed: false``."""
    parser = argparse.ArgumentParser(description=__doc__)
    evidence.add_arguments(parser)
    parser.add_argument("--variant", required=True)
    parser.add_argument("--node", default="node", help="the program")
    parser.add_argument("--library", required=True, help="folder of the JavaScript packages")
    parser.add_argument("--runs", type=int, required=True, help="how often to run it on each backend, at least")
    args = parser.parse_args(argv)
    contract, golden = files.read_json(args.contract), evidence.read_golden(args.golden)
    backends = {}
    for backend in tfjs_runtime.BACKENDS:
        options = (backend, args.node, args.library, args.runs)
        try:
            measured = tfjs_runtime.run_golden(args.artifact, contract, golden, *options)
        except tfjs_runtime.CannotRun as error:
            backends[backend] = {"error": str(error)}
        else:
            backends[backend] = tfjs_runtime.figures(measured, contract, golden)
    document = evidence.begin(args, contract) | tfjs_model.describe(args.artifact)
    failures = tfjs_runtime.failures(backends, args.limits)
    evidence.finish(args.output, document | {"backends": backends}, tfjs_runtime.worst(backends), failures)


if __name__ == "__main__":
    command.run(main)
