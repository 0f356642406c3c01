"""What a .tflite file gives on the GPU accelerator, against LiteRT's kernels on the processor."""

import typing

import numpy as np

from zoomill.proof.spread import Spread
from zoomill.tflite import gpu, runtime
from zoomill.tflite.half_range import Sums

# How often as far as LiteRT's XNNPACK may the GPU be from LiteRT's built-in kernels, and what it always may: a share of
# all decisions, steps of integers, a share of the largest value.
LIMITS = {"times": 2, "flips": 0.01, "steps": 2, "share": 0.01}


class Runs(typing.NamedTuple):
    """What the GPU made of a file.

    Attributes:
        whole: whether it runs all of it.
        outputs: list of ``{output: array}``, of each input, under the file's names and as it stores them.
        log: what the accelerator printed.
    """

    whole: bool
    outputs: list
    log: str


class Comparison(typing.NamedTuple):
    """How the GPU differs from LiteRT's built-in kernels.

    Attributes:
        gpu, xnnpack: figures of :class:`zoomill.proof.spread.Spread`, of either against the built-in kernels.
        line: those of the GPU in words.
        sums: :class:`zoomill.tflite.half_range.Sums` over all inputs.
        worst: the input on which it differs most, None without inputs.
    """

    gpu: dict
    xnnpack: dict
    line: str
    sums: Sums
    worst: dict | None


def run(folder, data, file, contract, feeds):
    """Run a file on the GPU.

    Args:
        folder: of SwiftShader.
        data: bytes of the file.
        file: :class:`zoomill.tflite.runtime.Artifact` of it.
        contract: of its graph.
        feeds: iterable of ``{input tensor: array}``.

    Returns:
        A :class:`Runs`.

    Raises:
        CannotRun: when the accelerator does not take it.
    """

    def work():
        program = gpu.Program(data)
        return program.whole, [program(file.stored(contract, feed)) for feed in feeds]

    (whole, outputs), log = gpu.in_child(folder, work)
    return Runs(whole, outputs, log)


def compare(path, model, contract, feeds, outputs):
    """Compare what the GPU gave with what LiteRT's kernels give.

    Args:
        path: of the file.
        model: ``ModelT`` of it.
        contract: of its graph.
        feeds: as for :func:`run`.
        outputs: of :class:`Runs`.

    Returns:
        A :class:`Comparison`.
    """
    file, other = (runtime.Artifact(path, kernels, contract) for kernels in ("builtin", "xnnpack"))
    ours, theirs = (Spread(contract, file.steps(contract)) for _ in range(2))
    sums, worst, most = Sums(model), None, -1.0
    for feed, found in zip(feeds, outputs, strict=True):
        expected, values = file(contract, feed), file.real(contract, found)
        sums.add(file.interpreter)
        ours.add(expected, values)
        theirs.add(expected, other(contract, feed))
        apart = max(_apart(expected[name], values[name]) for name in expected)
        if not apart <= most:
            worst, most = feed, apart
    return Comparison(ours.figures(), theirs.figures(), ours.line(), sums, worst)


def _apart(expected, found):
    expected, found = (np.asarray(array, np.float64).ravel() for array in (expected, found))
    return float(np.abs(found - expected).max(initial=0)) / (float(np.abs(expected).max(initial=0)) or 1.0)


def misses(comparison):
    """Return a phrase for everything in which the GPU is farther from LiteRT's kernels than :data:`LIMITS` allow."""
    ours, theirs, phrases = comparison.gpu, comparison.xnnpack, []
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
