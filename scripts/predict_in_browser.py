"""Run a TensorFlow.js artifact on samples in Chromium: what it gives on one backend, or why it cannot be run there."""

import argparse
import dataclasses
import os

from zoomill import command, made, sandbox
from zoomill.graph import predictions
from zoomill.inputs import contract_file, sample_inputs
from zoomill.tfjs import browser, tfjs_runtime
from zoomill.tfjs.node_process import CannotRun


def main(argv=None):
    """Write the predictions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifact", type=made.checked, required=True)
    parser.add_argument("--contract", type=made.checked, required=True, help="contract.json of the graph")
    sample_inputs.add_arguments(parser, required=True)
    parser.add_argument("--fitted", type=made.checked, nargs="?", help="what fit_pictures made of the samples")
    parser.add_argument("--backend", required=True, help="of TensorFlow.js")
    tfjs_runtime.add_library(parser)
    parser.add_argument("--chromium", default=browser.PROGRAM, help="the program")
    parser.add_argument("--time-limit", type=float, default=300, help="seconds for one input")
    parser.add_argument("--output", type=made.output, required=True, help=".npz file")
    args = command.parse(parser, argv)
    contract = contract_file.read(args.contract)
    samples = dataclasses.replace(sample_inputs.of_flags(args), fitted=args.fitted)
    places = {"javascript": args.library, "artifacts": os.path.dirname(args.artifact)}
    # Less than what this process has for a step, so that it can say what hangs.
    with browser.start(places, args.chromium, 0.8 * args.time_limit) as chromium:
        try:
            run = opened(chromium, args.artifact, contract, args.backend)
            predictions.write(args.output, samples, contract["inputs"], run, batched=False)
        except CannotRun as error:
            predictions.write_reason(args.output, str(error))


def opened(chromium, artifact, contract, backend):
    """Return a function that runs a model in the page of a browser.

    Args:
        chromium: :class:`zoomill.tfjs.browser.Browser`.
        artifact: path of the model's folder.
        contract: of its graph.
        backend: of TensorFlow.js.

    Returns:
        Function from ``{input name: array}`` to ``{output name: array}``, batch of one included.

    Raises:
        CannotRun: with the page's reason, by the function too.
    """
    given, found = (tfjs_runtime.signature_tensors(artifact, contract, side) for side in ("inputs", "outputs"))
    where = {"backend": backend, "folder": f"/artifacts/{os.path.basename(artifact)}/"}
    chromium.call("openTfjs", {**tfjs_runtime.request(artifact, contract), **where})

    def run(feed):
        rows = {entry["tensor"]: feed[entry["name"]][None] for entry in contract["inputs"]}
        (encoded,) = tfjs_runtime.feeds(given, contract, rows)
        return tfjs_runtime.with_arrays({"outputs": [chromium.call("runTfjs", encoded)]}, found)["outputs"][0]

    return run


if __name__ == "__main__":
    command.run(main, network=sandbox.LOOPBACK)
