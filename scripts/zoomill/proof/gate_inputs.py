"""What gates run a file on: golden inputs, and the evaluation samples of the card of its model; both may be missing."""

import dataclasses

from zoomill import made
from zoomill.inputs import sample_inputs
from zoomill.proof import evidence, parity

# Arrays of a sample. A recording of ten seconds has 196 windows, which hardly differ; a data set of them has 49,000.
AT_MOST = 8


def add_arguments(parser):
    """Add the flags of a gate: the file, its contract, its inputs, and where the evidence goes."""
    parser.add_argument("--artifact", type=made.checked, required=True)
    parser.add_argument("--contract", type=made.checked, required=True, help="contract.json of its graph")
    parser.add_argument("--variant", required=True, help="its name")
    parser.add_argument("--golden", type=made.checked, nargs="*", default=[], help="golden.npz of its source")
    sample_inputs.add_arguments(parser, "evaluation samples that it runs on besides the golden inputs")
    parser.add_argument("--output", type=made.output, required=True)


def feeds(args, contract):
    """Yield the inputs one by one, as ``{input tensor: array}``: golden ones first, then those of samples.

    Args:
        args: flags of :func:`add_arguments`.
        contract: contract of the graph.
    """
    for path in args.golden:
        yield from parity.feeds(contract, evidence.read_golden(path))
    if chosen := samples(args):
        for _, _, several in chosen.feeds(contract["inputs"]):
            yield from several


def samples(args):
    """Return the :class:`zoomill.inputs.sample_inputs.Samples` of a gate, :data:`AT_MOST` arrays of each; or None."""
    chosen = sample_inputs.of_flags(args)
    return chosen and dataclasses.replace(chosen, at_most=AT_MOST)


def tell_a_metric(args):
    """Tell whether a gate's samples are those of the card's metric, which is of all windows of a recording."""
    return "step" not in args.form
