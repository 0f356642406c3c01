"""Measure how far apart the answers of a TensorFlow.js model lie that its backends give, and write the evidence."""

import argparse
import contextlib
import os

from zoomill import command, files, sandbox, supervisor
from zoomill.inputs import sample_inputs, samples
from zoomill.proof import evidence, gate_inputs, parity
from zoomill.proof.spread import Spread, apart, beyond
from zoomill.tfjs import browser, tfjs_model, tfjs_runtime, tfjs_spread
from zoomill.tfjs.node_process import CannotRun
from zoomill.tflite import elsewhere

# What all are compared with is plain JavaScript; both are run in Node, the others in Chromium.
_REFERENCE, _IN_NODE = "cpu", ("cpu", "wasm")
_IN_CHROMIUM = ("webgl", "webgpu")


def main(argv=None):
    """Write the evidence; how far backends are apart is no failure, as of kernels."""
    parser = argparse.ArgumentParser(description=__doc__)
    gate_inputs.add_arguments(parser)
    tfjs_runtime.add_library(parser)
    parser.add_argument("--chromium", default=browser.PROGRAM, help="the program")
    parser.add_argument("--limit", type=int, required=True, help="most samples to take, spread evenly over the list")
    parser.add_argument("--time-limit", type=float, default=300, help="seconds for one backend")
    args = command.parse(parser, argv)
    contract = files.read_json(args.contract)
    document = evidence.begin(args.artifact, args.variant, elsewhere.LIMITS, contract)
    given = list(feeds(args, contract))
    with ways(args) as asks:
        try:
            figures, document["backends"] = measure(args.artifact, contract, given, asks)
            failures = []
        except CannotRun as error:
            figures, failures = {}, [f"{_REFERENCE}: {error}"]
    evidence.finish(args.output, document, figures, failures, [] if given else ["its answers: there are no inputs"])


def feeds(args, contract):
    """Yield the golden inputs, and the first of each of the chosen samples, as ``{input tensor: array}``."""
    for path in args.golden:
        yield from parity.feeds(contract, evidence.read_golden(path))
    if args.samples:
        step = -(-len(samples.read_index(args.samples)) // args.limit)
        for _, _, several in sample_inputs.of_flags(args).feeds(contract["inputs"], slice(None, None, step)):
            yield several[0]


@contextlib.contextmanager
def ways(args):
    """Give ``{backend: function}``, which ask it as :func:`zoomill.tfjs.tfjs_spread.answers` does."""
    model, address = os.path.join(args.artifact, tfjs_model.MODEL), f"/artifacts/{os.path.basename(args.artifact)}/"
    places = {"javascript": args.library, "artifacts": os.path.dirname(os.path.abspath(args.artifact))}

    def node(backend):
        return lambda request: ask({**request, "library": args.library, "model": model, "backend": backend})

    def page(backend):
        return lambda request: chromium.call("proveTfjs", {**request, "folder": address, "backend": backend})

    # Less than what this process has for a step.
    with (
        tfjs_runtime.node(args.library) as ask,
        browser.start(places, args.chromium, 0.8 * args.time_limit) as chromium,
    ):
        yield {name: node(name) for name in _IN_NODE} | {name: page(name) for name in _IN_CHROMIUM}


def measure(folder, contract, given, asks):
    """Return the figures of each backend, and why others do not run, or ``first``, the tensors in which they part."""
    names = tfjs_runtime.signature_tensors(folder, contract, "outputs")
    reference = asks.pop(_REFERENCE)
    expected, figures, backends = tfjs_spread.answers(reference, folder, contract, given, names), {}, {}
    for backend, ask in asks.items():
        supervisor.step()
        try:
            found = tfjs_spread.answers(ask, folder, contract, given, names)
        except CannotRun as error:
            backends[backend] = {"error": str(error)}
            continue
        figures[backend] = compared(contract, expected, found)
        if beyond(figures[backend], elsewhere.LIMITS):
            worst = max(zip(given, expected, found, strict=True), key=_apart)[0]
            backends[backend] = {"first": parting(folder, contract, worst, (reference, ask))}
    return figures, backends


def compared(contract, expected, found):
    """Return the figures of answers, see :meth:`zoomill.proof.spread.Spread.figures`."""
    result = Spread(contract, {})
    for pair in zip(expected, found, strict=True):
        result.add(*pair)
    return result.figures()


def parting(folder, contract, feed, asks):
    """Return the first tensors in which two backends part on an input."""

    def run(names):
        return [tfjs_spread.answers(ask, folder, contract, [feed], names)[0] for ask in asks]

    return tfjs_spread.parting(folder, run, elsewhere.LIMITS)


def _apart(case):
    _, expected, found = case
    return max(apart(expected[name], found[name]) for name in expected)


if __name__ == "__main__":
    command.run(main, network=sandbox.LOOPBACK)
