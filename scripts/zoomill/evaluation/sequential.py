"""Scoring until the answer is clear: samples come in a fixed random order, and the files are compared in a few looks.

Who looks five times at 5 percent finds a difference that is none 14 times in 100. So each look has the level of Pocock
(1977, Group Sequential Methods in the Design and Analysis of Clinical Trials, Biometrika 64, table 1), by which all of
them together have 5 percent; and intervals of that level hold at all looks at once, whenever one stops (Jennison and
Turnbull 1989, Interim Analyses: The Repeated Confidence Interval Approach).
"""

import math
import typing

import numpy as np

from zoomill.evaluation import resampling
from zoomill.proof.metric_loss import LEAST, Loss

# Looks after equal parts of the samples, and the level of each.
LOOKS, LEVEL = 5, 1 - 0.0158
_SEED = 20_000
WITHIN, BEYOND, ALL = "loses no more than allowed", "loses more than allowed", "all samples are scored"


class Scored(typing.NamedTuple):
    """What was scored.

    Attributes:
        places: of the samples in their list, rising.
        rows: of these samples.
        look: which of :data:`LOOKS` was the last.
        why: ``gain``, ``loss``, :data:`WITHIN`, :data:`BEYOND` or :data:`ALL`.
    """

    places: list
    rows: list
    look: int
    why: str


def score(metric, others, score_some, allowed=None):
    """Score samples until it is clear how a file compares with another one, and return the :class:`Scored`.

    Args:
        metric: of :mod:`zoomill.evaluation.metrics`.
        others: rows of the other file for all samples.
        score_some: function from places of samples to rows.
        allowed: largest loss; it is clear when all of the interval is allowed or none of it. Without, when there is a
            gain or a loss.
    """
    strata = np.unique(metric.strata(others), return_inverse=True)[1]
    places, rows = order(strata), []
    for look in range(1, LOOKS + 1):
        end = len(places) * look // LOOKS
        rows += score_some(places[len(rows) : end])
        why = ALL if look == LOOKS else None
        if not why and len(set(strata[places[:end]])) == len(set(strata)):
            found = resampling.compare(metric, [others[place] for place in places[:end]], rows, LEVEL)
            why = None if allowed is not None and resampling.rare(metric, rows) else clear(found, allowed, end)
        if why:
            ranked = sorted(zip(places, rows, strict=False), key=lambda pair: pair[0])
            return Scored(*map(list, zip(*ranked, strict=True)), look, why)
    raise AssertionError("the last look ends it")


def order(strata):
    """Return places in a fixed random order in which each stratum is spread evenly.

    Args:
        strata: int ``[samples]``, a number for each sample.
    """
    random, keys = np.random.RandomState(_SEED), np.zeros(len(strata))
    for stratum in np.unique(strata):
        (members,) = np.nonzero(strata == stratum)
        keys[random.permutation(members)] = (np.arange(len(members)) + random.rand()) / len(members)
    return list(map(int, np.argsort(keys, kind="stable")))


def clear(found, allowed, count):
    """Return why a :class:`zoomill.evaluation.resampling.Comparison` of so many samples is clear, None where it is not.

    Where hardly a sample differs, an interval is too short. So many samples must be there that one of them would show
    a loss that is not allowed, were it one of right and wrong answers.
    """
    if allowed is None:
        return None if found.verdict == "not told apart" else found.verdict
    loss = Loss.of(found._asdict())
    enough = count >= LEAST and count * allowed >= -math.log((1 - LEVEL) / 2)
    if loss.high <= allowed and enough:
        return WITHIN
    return BEYOND if loss.low > allowed else None
