"""Which settings of NMS to take, and what each costs, out of a sweep.

Settings are chosen by one half of the samples and judged by the other: the best of hundreds on some samples owes a part
of its figure to these.
"""

import numpy as np

from zoomill.evaluation import coco_weighing, resampling
from zoomill.evaluation.nms_sweep import CLASS_MOST, IOU, MOST, PARTS, SCORE, of_figure

# Settings of which the costs of a change are told one by one.
_ONE_BY_ONE = ("use_regular_nms", "best_class", MOST, CLASS_MOST)


def document(sweep):
    """Return what a sweep has found, for JSON.

    Args:
        sweep: :class:`zoomill.evaluation.nms_sweep.Sweep`.

    Returns:
        ``own`` and ``ranked``, the card's settings as the model delivers and as its figure is counted; ``settings``,
        all with ``figures`` by part of the samples and ``boxes`` in a picture; ``advice``, by the figure at its own
        score threshold and by F1 at any; ``changes``, what other values of one setting change in the figure.
    """
    found = list(sweep.settings())
    at_threshold = [one for one in found if written(one.asked)[SCORE] == written(sweep.ranked)[SCORE]]
    return {
        "figure": sweep.metric.figure,
        "samples": {part: int(count) for part, count in zip(PARTS, sweep.weights().sum(axis=1), strict=True)},
        "own": written(sweep.own),
        "ranked": written(sweep.ranked),
        "advice": [
            _advice(sweep, at_threshold, sweep.ranked, sweep.metric.figure),
            _advice(sweep, found, sweep.own, coco_weighing.F1),
        ],
        "changes": list(_changes(sweep, at_threshold)),
        "settings": [{"setting": written(one.asked), "figures": one.figures, "boxes": one.boxes} for one in found],
    }


def written(asked):
    """Return the settings of NMS that are swept, numbers as a person writes them."""
    names = (*_ONE_BY_ONE, IOU, SCORE)
    found = {name: getattr(asked, name) for name in names if hasattr(asked, name)}
    if found.get("use_regular_nms") is False:
        del found[CLASS_MOST]  # fast NMS does not know it
    return {name: float(f"{value:.6g}") if isinstance(value, float) else value for name, value in found.items()}


def _advice(sweep, found, own, figure):
    """Return the best setting by the deciding half, and how it compares with the card's own on the rest."""
    best = max(found, key=lambda one: _preference(one, figure, written(own)))
    judge, rest = of_figure(sweep.metric, figure), np.flatnonzero(sweep.weights()[PARTS.index("rest")])
    old, new = (_some(sweep.rows(asked), rest) for asked in (own, best.asked))
    compared = resampling.compare(judge, old, new)
    return {
        "by": figure,
        "own": written(own),
        "best": written(best.asked),
        "figures": best.figures[figure],
        "boxes": best.boxes,
        "interval": resampling.interval(judge, new),
        "against": compared._asdict(),
        "take": "best" if compared.verdict == "gain" else "own",
    }


def _preference(one, figure, own):
    """Return what decides between settings: the figure, then how little changes of the card's own."""
    changed = sum(value != own.get(name, value) for name, value in written(one.asked).items())
    return round(one.figures[figure]["deciding"], 9), -changed


def _some(rows, places):
    return [rows[place] for place in places]


def _changes(sweep, found):
    """Yield how the figure on all samples changes with one setting, against the card's own."""
    own, rows = sweep.ranked, sweep.rows(sweep.ranked)
    for one in found:
        differing = [name for name, value in vars(one.asked).items() if value != getattr(own, name)]
        if len(differing) == 1 and differing[0] in _ONE_BY_ONE:
            (name,) = differing
            compared = resampling.compare(sweep.metric, rows, sweep.rows(one.asked))
            yield {"setting": name, "own": getattr(own, name), "value": getattr(one.asked, name), **compared._asdict()}
