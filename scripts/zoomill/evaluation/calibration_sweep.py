"""How many calibration samples a file needs: the metric of files whose ranges are those of some samples only."""

import json

import numpy as np

from zoomill.evaluation import resampling
from zoomill.tflite import calibration

# Each is an order of all samples, of which the first so many are taken: more samples of a seed hold the fewer.
SEEDS = (0, 1, 2, 3, 4)


def subsets(total):
    """Return ``(count, seed, places)`` of all files: of 1, 2, 5, 10, 20, 50 … samples, and once of all of them."""
    steps = (step * 10**power for power in range(len(str(total))) for step in (1, 2, 5))
    orders = {seed: np.random.RandomState(seed).permutation(total) for seed in SEEDS}  # its stream is frozen
    some = [(count, seed, order[:count]) for count in steps if count < total for seed, order in orders.items()]
    return [*some, (total, None, np.arange(total))]


def figures(metric, rows, others):
    """Return the ``value`` and the ``interval`` of a file's figure, and ``against``, as metric evidence has them.

    Args:
        metric: of :mod:`zoomill.evaluation.metrics`.
        rows: its rows of the file.
        others: ``{name: rows}`` of the files that it is compared with.
    """
    compared = [{"of": name, **resampling.compare(metric, other, rows)._asdict()} for name, other in others.items()]
    interval = resampling.interval(metric, rows)
    return {"value": metric.values(rows)[metric.figure], "interval": interval, "against": compared}


def sweep(metric, exact, by_sample, score):
    """Return the :func:`figures` of all :func:`subsets`, each with its ``count`` and ``seed`` (None for all samples).

    Args:
        metric: of :mod:`zoomill.evaluation.metrics`.
        exact: its rows of the float file.
        by_sample: ``[{tensor: (smallest, largest)}, …]``, the ranges of each calibration sample.
        score: function from ``{tensor: [smallest, largest]}`` to the metric's rows of the file that is made of them.

    Returns:
        A list; each file is compared with ``float32`` and with that of ``all`` samples.
    """
    beside, known = {"float32": exact, "all": score(_of(by_sample))}, {}

    def of_part(places):
        ranges = _of(by_sample[place] for place in places)
        key = json.dumps(ranges)  # the more samples, the more draws have the same
        if key not in known:
            known[key] = figures(metric, score(ranges), beside)
        return known[key]

    return [{"count": count, "seed": seed, **of_part(places)} for count, seed, places in subsets(len(by_sample))]


def enough(runs):
    """Return the smallest count from which on no file is told to be worse than the one of all samples.

    Args:
        runs: what :func:`sweep` returned.
    """
    worse = {
        run["count"] for run in runs if any(one["of"] == "all" and one["verdict"] == "loss" for one in run["against"])
    }
    return min(run["count"] for run in runs if run["count"] > max(worse, default=0))


def _of(ranges):
    return calibration.rounded(calibration.joined(ranges))
