"""How near an artifact comes to the golden outputs of its source, by what the outputs do over the golden inputs."""

import numpy as np

from zoomill.graph import outputs
from zoomill.proof.evidence import Verdict

# A ratio in dB stands for an exact output; where nothing is right it is 0 or less.
EXACT = 200.0
# What a probability of 8 bits may be off: one step.
_EIGHT_BITS = 1 / 256
# Lowest correlation of the outputs of integers with those of their real numbers.
_SAME = 0.5
# Dimensions of what has a row for each anchor: batch, anchors, values.
_BOXES = 3


def feeds(contract, golden):
    """Yield the golden inputs one by one, as ``{input tensor: array}``."""
    names = [entry["tensor"] for entry in contract["inputs"]]
    for values in zip(*(golden[name] for name in names), strict=True):
        yield dict(zip(names, values, strict=True))


def of_outputs(runs, contract, golden, limits, logits=()):
    """Compare all outputs with the golden ones.

    Args:
        runs: ``[{output name: array}, …]``, one for each golden input.
        contract: contract of the graph.
        golden: mapping of golden arrays by tensor name, one row for each golden input.
        limits: as in ``config.yaml``: ``sqnr``, ``share``, ``decisions``.
        logits: like ``runs``: what stands in the artifact before the last activation, where it can be read. Elsewhere
            it follows from the outputs, but not from those that are rounded to integers.

    Returns:
        A :class:`~evidence.Verdict` with figures by output: ``spread``, the root mean square of the standard
        deviation of its golden values over inputs; ``peak``, the largest golden value; ``max_abs`` and ``rms``,
        errors; ``sqnr``, 20 times the logarithm of spread by rms error, dB; ``share``, the largest error by the peak.
        ``logits``, the same of what stood before a softmax or sigmoid. Of outputs that decide (a softmax, or a value
        for each label), ``decisions``: the share of rows whose largest value is in the same place; rows whose golden
        values are nearer together than the allowed error do not count (None without any that do). ``constant: true``
        of an output that does not depend on inputs; ``finite: false`` where it is no number.
    """
    found, failures, not_tested = {}, [], []
    for entry in contract["outputs"]:
        name = entry["name"]
        expected = np.asarray(golden[entry["tensor"]], np.float64)
        values = np.stack([np.ravel(run[name]) for run in runs])
        if values.size != expected.size:
            failures.append(f"{name}: has {values.size} values, the source gives {expected.size}")
            continue
        values = values.reshape(expected.shape).astype(np.float64)
        before = [run[name] for run in logits if name in run]
        # Probabilities that the file rounded to integers say nothing of small ones.
        stood = None if outputs.is_rounded(values) else values
        if before:
            stood = outputs.activated(np.reshape(before, expected.shape), entry["activation"])
        found[name], *phrases = _of_output(entry, expected, values, stood, limits, len(contract.get("labels", ())))
        failures += [f"{name}: {phrase}" for phrase in phrases[0]]
        not_tested += [f"{name}: {phrase}" for phrase in phrases[1]]
    return Verdict(found, failures, not_tested)


def decides(entry, shape, labels):
    """Tell whether the largest of the last axis of an output is a decision: a softmax, or a value for each label.

    Rows of boxes, one for each anchor, decide nothing, though they may have as many values.

    Args:
        entry: of the contract's outputs.
        shape: of the output, batch included.
        labels: how many the contract has.
    """
    activation = entry.get("activation")
    scores = labels > 1 and activation is None and len(shape) not in (0, _BOXES) and shape[-1] - labels in (0, 1)
    return activation == "softmax" or scores


def rounding(contract, golden):
    """Return what a source's own rounding to integers costs, of each output that it has.

    Its integers may cut what they stand for, so no ratio is too low; but what they do must be the same thing.

    Args:
        contract: contract of the graph.
        golden: golden arrays by tensor name, and ``rounded/<output>`` of a source that computes with integers.

    Returns:
        A :class:`~evidence.Verdict` with figures as in :func:`of_outputs`, and ``correlation`` (Pearson's)
        of how the integers and their real numbers move over inputs, -1 to 1. Less than 0.5 fails: the golden outputs
        are then not those of the source.
    """
    found, failures = {}, []
    for entry in contract["outputs"]:
        if (rounded := golden.get(f"rounded/{entry['name']}")) is None:
            continue
        exact, rounded = (np.asarray(array, np.float64) for array in (golden[entry["tensor"]], rounded))
        correlation = _correlation(exact - exact.mean(0), rounded - rounded.mean(0))
        found[entry["name"]] = {**_figures(exact, rounded), "correlation": correlation}
        if outputs.moves(exact) and not correlation >= _SAME:
            failures.append(f"{entry['name']}: its integers and their real numbers correlate by {correlation:.2g} only")
    return Verdict(found, failures, [])


def _correlation(first, second):
    size = np.sqrt(np.square(first).sum() * np.square(second).sum())
    return float((first * second).sum() / size) if size else 0.0


def _of_output(entry, expected, values, stood, limits, labels):
    """Return figures, failures and what was not tested of one output."""
    activation = entry.get("activation")
    figures = _figures(expected, values)
    if not np.isfinite(values).all():
        return {**figures, "finite": False}, ["is not finite"], []
    if activation == "constant":
        wrong = figures["share"] > 1e-6
        return {**figures, "constant": True}, [f"is constant, but off by {figures['max_abs']:.3g}"] * wrong, []
    if not outputs.moves(expected, activation if stood is not None else None):
        return figures, [], [_standing_still(figures)]
    if len(values) > 1 and np.ptp(values, axis=0).max(initial=0) == 0:
        return figures, ["is constant, the source's is not"], []
    failures = _misses(figures, limits, "")
    if activation in ("softmax", "sigmoid") and stood is not None:
        figures["logits"] = _figures(*(outputs.measured(array, activation) for array in (expected, stood)))
        if outputs.is_rounded(values) and figures["max_abs"] <= _EIGHT_BITS:
            failures = []  # no integer is nearer; what stood before decides
        failures += _misses(figures["logits"], limits, "logits: ")
    if decides(entry, expected.shape[1:], labels):
        share = _decisions(outputs.measured(expected, activation), values if stood is None else stood, limits["sqnr"])
        figures["decisions"] = share
        if share is not None and share < limits["decisions"]:
            failures.append(f"{share:.0%} of decisions are the source's, allowed {limits['decisions']:.0%}")
    return figures, failures, []


def _figures(expected, values):
    """Return spread, peak and errors of an output as JSON values."""
    difference = np.abs(values - expected)
    spread, peak = outputs.spread(expected), float(np.abs(expected).max(initial=0))
    rms = float(np.sqrt(np.mean(np.square(difference)))) if difference.size else 0.0
    largest = float(difference.max(initial=0))
    return {
        "spread": spread,
        "peak": peak,
        "max_abs": largest,
        "rms": rms,
        "sqnr": decibels(rms, spread),
        "share": largest / peak if peak else largest,
    }


def decibels(noise, signal):
    """Return the ratio of two amplitudes in dB, within :data:`EXACT` of 0."""
    if noise == 0 or signal == 0 or not np.isfinite(noise):
        return EXACT if noise == 0 else -EXACT
    return float(np.clip(20 * np.log10(signal / noise), -EXACT, EXACT))


def _misses(figures, limits, what):
    """Return one phrase for every figure beyond its limit; what does not move is held to its share alone."""
    failures = []
    moves = figures["spread"] >= outputs.LEAST_SPREAD * figures["peak"]
    # Written so that NaN, which is no number, fails.
    if moves and not figures["sqnr"] >= limits["sqnr"]:
        failures.append(f"{what}SQNR {figures['sqnr']:.1f} dB, allowed {limits['sqnr']:g}")
    if not figures["share"] <= limits["share"]:
        failures.append(f"{what}largest error {figures['share']:.3g} of the peak, allowed {limits['share']:g}")
    return failures


def _standing_still(figures):
    return (
        f"moves by {figures['spread']:.2g} at a peak of {figures['peak']:.3g} over the golden inputs; name some in the "
        "card that move it (`golden:` pictures, samples, or the input's `value_range`)"
    )


def _decisions(expected, values, sqnr):
    """Return the share of rows whose largest value is in the golden place, or None."""
    if expected.shape[-1] < 2:
        return None
    second, first = np.moveaxis(np.partition(expected, -2, axis=-1)[..., -2:], -1, 0)
    allowed = outputs.spread(expected) * 10 ** (-sqnr / 20)
    counts = first - second > allowed
    agree = values.argmax(-1) == expected.argmax(-1)
    return float(agree[counts].mean()) if counts.any() else None
