"""Which calibration sample sets the range of which tensor, and which of them stand out."""

import numpy as np

# A sample is an outlier of a tensor where all others fill less than this share of the range: it alone makes the range
# 1.25 times as wide, and leaves the others 205 of the 256 steps of eight bits.
OUTLIER = 0.8


def by_tensor(by_sample, makers):
    """Return one row for each tensor, in the order in which they are made.

    Args:
        by_sample: ``{sample: {tensor: (smallest, largest)}}``, two samples at least, ranges with 0 in them.
        makers: as :meth:`zoomill.tflite.inner_tensors.InnerTensors.makers` returns them.

    Returns:
        ``tensor``; the ``operator`` that makes it and its ``place``; ``low`` and ``high``, the ends of its range on
        each sample; ``widest``, the sample that widens the range of all most; ``others``, the share of it that is left
        without, 1 where others are as wide.
    """
    names, several, rows = [*by_sample], [*by_sample.values()], []
    for tensor in several[0]:
        lows, highs = (np.array([found[tensor][end] for found in several]) for end in (0, 1))
        shares = {place: _without(lows, highs, place) for place in (int(lows.argmin()), int(highs.argmax()))}
        widest = min(shares, key=shares.get)
        place, operator = makers[tensor]
        row = {"tensor": tensor, "operator": operator.kind, "place": place}
        row |= {"low": list(map(_short, lows)), "high": list(map(_short, highs))}
        rows.append({**row, "widest": names[widest], "others": _short(shares[widest])})
    return sorted(rows, key=lambda row: row["place"])


def outliers(rows):
    """Return what stands out by :data:`OUTLIER` in rows of :func:`by_tensor`, the worst first.

    Of tensors that a sample widens alike only the first counts: an operator that carries values on has their range.

    Returns:
        A list with ``sample``, ``tensor``, ``operator``, ``place`` and ``others``, and the ``range`` of all samples.
    """
    found = {}
    for row in rows:
        if row["others"] < OUTLIER:
            about = {key: row[key] for key in ("tensor", "operator", "place", "others")}
            ends = [min(row["low"]), max(row["high"])]
            found.setdefault((row["widest"], row["others"]), {"sample": row["widest"], "range": ends, **about})
    return sorted(found.values(), key=lambda row: row["others"])


def _without(lows, highs, place):
    """Return which share of a range is left without one sample."""
    whole = highs.max() - lows.min()
    return (np.delete(highs, place).max() - np.delete(lows, place).min()) / whole if whole else 1.0


def _short(value):
    """Round to 4 significant digits, as ranges are."""
    return float(f"{value:.4g}")
