"""What a .tflite file gives elsewhere, on a GPU or in a browser, against LiteRT's kernels on this processor."""

import typing

from zoomill.errors import UserError
from zoomill.proof import spread
from zoomill.proof.spread import Spread
from zoomill.tflite import runtime
from zoomill.tflite.half_range import Sums

NO_SAMPLES = "it was run on no evaluation samples (`evaluation` in the card), and on other inputs a fault need not show"
# How often as far as LiteRT's XNNPACK may others be from LiteRT's built-in kernels, and what they always may: a share
# of all decisions, steps of integers, a share of the largest value.
LIMITS = {"times": 2, "flips": 0.01, "steps": 2, "share": 0.01}


class Refused(Exception):
    """A file that LiteRT itself does not run; the text is its own, in one line."""


class Comparison(typing.NamedTuple):
    """How another runtime differs from LiteRT's built-in kernels.

    Attributes:
        figures, xnnpack: of :class:`zoomill.proof.spread.Spread`, its own and those of LiteRT's XNNPACK, where that
            runs the file.
        sums: :class:`zoomill.tflite.half_range.Sums` over all inputs.
        worst: the input on which it differs most, None without inputs.
    """

    figures: dict
    xnnpack: dict
    sums: Sums
    worst: dict | None


def artifact(path, contract_path, contract, has_inputs):
    """Return the :class:`zoomill.tflite.runtime.Artifact` of a file, run by the built-in kernels.

    Args:
        path, contract_path: of the file and of its contract.
        contract: content of that.
        has_inputs: whether it will be given any, and the contract thus has to be of the file.

    Raises:
        Refused: when LiteRT does not run it.
        UserError: when the contract is not of the file.
    """
    try:
        file = runtime.Artifact(path, "builtin", contract)
    except (RuntimeError, ValueError) as error:
        raise Refused(f"LiteRT refuses it: {runtime.refusal(error)}") from error
    try:
        if has_inputs:
            file.check(contract)
    except UserError as error:
        raise UserError(f"{path}: is not as {contract_path} says: {error}") from error
    return file


def compare(path, model, contract, feeds, outputs):
    """Compare what another runtime gave with what LiteRT's kernels give.

    Args:
        path: of the file.
        model: ``ModelT`` of it.
        contract: of its graph.
        feeds: iterable of ``{input tensor: array}``.
        outputs: list of ``{output: array}``, of each input, under the file's names and as it stores them.

    Returns:
        A :class:`Comparison`.
    """
    file, other = runtime.Artifact(path, "builtin", contract), xnnpack(path, contract)
    ours, theirs = (Spread(contract, file.steps(contract)) for _ in range(2))
    sums, worst, most = Sums(model), None, -1.0
    for feed, found in zip(feeds, outputs, strict=True):
        expected, values = file(contract, feed), file.real(contract, found)
        sums.add(file.interpreter)
        ours.add(expected, values)
        if other:
            theirs.add(expected, other(contract, feed))
        far = max(spread.apart(expected[name], values[name]) for name in expected)
        if not far <= most:
            worst, most = feed, far
    return Comparison(ours.figures(), theirs.figures(), sums, worst)


def xnnpack(path, contract):
    """Return the file as XNNPACK runs it, None where it does not."""
    try:
        return runtime.Artifact(path, "xnnpack", contract)
    except (RuntimeError, ValueError):
        return None


def misses(comparison):
    """Return a phrase for everything in which it is farther from the built-in kernels than :data:`LIMITS` allow."""
    ours, theirs, phrases = comparison.figures, comparison.xnnpack, []
    allowed = LIMITS["times"] * theirs["flips"] + LIMITS["flips"] * ours["decisions"]
    if ours["flips"] > allowed:
        phrases.append(
            f"{ours['flips']} of {ours['decisions']} decisions are others than those of LiteRT's kernels on the "
            f"processor, allowed {allowed:.3g}; XNNPACK's are in {theirs['flips']}"
        )
    for key, words in (("steps", "{:.3g} steps"), ("share", "{:.3g} of the largest value")):
        if ours[key] is None:
            continue
        allowed = LIMITS["times"] * (theirs[key] or 0) + LIMITS[key]
        if not ours[key] <= allowed:
            far, bound = words.format(ours[key]), words.format(allowed)
            phrases.append(f"outputs are up to {far} from those of LiteRT's kernels on the processor, allowed {bound}")
    return phrases
