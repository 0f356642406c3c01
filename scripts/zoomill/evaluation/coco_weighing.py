"""COCO's figures as functions of how often each picture counts, without a second search for the partners of boxes."""

import itertools

import numpy as np

# Which sizes of boxes, detections in a picture and overlaps a figure counts, by the order of COCOeval's parameters.
_ALL, _SMALL, _MEDIUM, _LARGE = range(4)
_PRECISION = {
    "map": (_ALL, slice(None)),
    "ap_50": (_ALL, slice(0, 1)),
    "ap_75": (_ALL, slice(5, 6)),
    "map_small": (_SMALL, slice(None)),
    "map_medium": (_MEDIUM, slice(None)),
    "map_large": (_LARGE, slice(None)),
}
_RECALL = {
    "ar_1": (_ALL, 0),
    "ar_10": (_ALL, 1),
    "ar_100": (_ALL, 2),
    "ar_small": (_SMALL, 2),
    "ar_medium": (_MEDIUM, 2),
    "ar_large": (_LARGE, 2),
}
# Share of the boxes delivered that are right and of the true ones that are found, in one: of a list as it is used.
F1 = "f1_50"
_BEST = {**_PRECISION, F1: (_ALL, slice(0, 1))}


def columns(evaluation):
    """Return what was found in each picture, ``[pictures][categories and sizes]``, of COCOeval after ``evaluate``."""
    count = len(evaluation.params.imgIds)
    return [evaluation.evalImgs[number::count] for number in range(count)]


def figure(params, found, name, kept=None):
    """Return a figure as a function of weights, int64 ``[draws, pictures]`` to float64 ``[draws]``.

    Weights of 1 give what COCOeval gives. A category of which no picture that is drawn has a box does not count.

    Args:
        params: of pycocotools' COCOeval.
        found: of each picture, one of :func:`columns`.
        name: ``map``, ``ap_50`` …, as :mod:`zoomill.evaluation.coco` has them, or :data:`F1`.
        kept: int ``[pictures, categories]``, how many detections of a category count in a picture, the best ones; as
            many as COCO counts without.
    """
    size, chosen = (_BEST | _RECALL)[name]
    most = params.maxDets[-1 if name in _BEST else chosen]
    kept = np.full((len(found), len(params.catIds)), most) if kept is None else np.minimum(kept, most)
    overlaps = chosen if name in _BEST else slice(None)
    sizes = len(params.areaRng)
    own = ([one[place] for one in found] for place in range(size, sizes * len(params.catIds), sizes))
    if name == F1:
        return _f1(itertools.chain.from_iterable(map(enumerate, own)), itertools.chain(*kept.T), len(found))
    pairs = zip(own, kept.T, strict=True)
    all_of_them = (_Category(one, params.recThrs, most, overlaps) for one, most in pairs)
    known = [category for category in all_of_them if category.boxes.any()]

    def value(weights):
        total, count = np.zeros(len(weights)), np.zeros(len(weights))
        for category in known:
            boxes = weights @ category.boxes
            part = (category.precision if name in _PRECISION else category.recall)(weights, boxes)
            total += np.where(boxes > 0, part, 0)
            count += boxes > 0
        return total / np.maximum(count, 1)

    return value


def _f1(all_of_them, kept, pictures):
    """Return F1 as a function of weights, of all categories at once.

    Args:
        all_of_them: ``(picture, what was found of a category)``.
        kept: how many of the detections count of each.
        pictures: how many.
    """
    right, said = np.zeros(pictures), np.zeros(pictures)
    for (number, one), most in zip(all_of_them, kept, strict=True):
        if one:
            counts = ~np.asarray(one["dtIgnore"])[0, :most].astype(bool)
            right[number] += np.count_nonzero(counts & (np.asarray(one["dtMatches"])[0, :most] > 0))
            said[number] += np.count_nonzero(counts) + np.count_nonzero(np.asarray(one["gtIgnore"]) == 0)
    return lambda weights: 2 * (weights @ right) / np.maximum(weights @ said, 1)


class _Category:
    """The boxes of a category.

    Args:
        found: of each picture, what COCOeval has found of the category.
        thresholds: recalls at which precision counts.
        most: int ``[pictures]``, how many detections count.
        overlaps: which of the overlaps count.

    Attributes:
        boxes: int64 ``[pictures]``, how many true ones a picture has.
    """

    def __init__(self, found, thresholds, most, overlaps):
        known = [(number, one, most[number]) for number, one in enumerate(found) if one]
        self.boxes = np.zeros(len(found), np.int64)
        for number, one, _ in known:
            self.boxes[number] = np.count_nonzero(np.asarray(one["gtIgnore"]) == 0)
        scores = np.concatenate([one["dtScores"][:end] for _, one, end in known] or [np.zeros(0)])
        order = np.argsort(-scores, kind="mergesort")
        owner = np.concatenate([np.full(len(one["dtScores"][:end]), number) for number, one, end in known] or [order])
        self._picture = owner[order].astype(np.int64)
        matched, ignored = (
            np.concatenate([np.asarray(one[key])[overlaps, :end] for _, one, end in known], axis=1)[:, order]
            if known
            else np.zeros((1, 0))
            for key in ("dtMatches", "dtIgnore")
        )
        matched, ignored = matched.astype(bool), ignored.astype(bool)
        right, counts = matched & ~ignored, ~ignored
        end = (
            int(right.any(axis=0).nonzero()[0].max(initial=-1)) + 1
        )  # what comes after the last right box moves nothing
        self._picture, self._right = self._picture[:end], right[:, :end]
        # Mostly all overlaps leave out the same boxes, none.
        self._counts, self._alike = np.unique(counts[:, :end], axis=0, return_inverse=True)
        self._thresholds = thresholds

    def precision(self, weights, boxes):
        """Return the precision, averaged over the recalls and overlaps that COCO looks at, ``[draws]``."""
        drawn = weights.astype(np.int32)[:, self._picture]  # whose sums are far below 2**31
        seen = [_sums(drawn if counts.all() else drawn * counts) for counts in self._counts]
        pairs = zip(self._right, self._alike.ravel(), strict=True)
        return np.mean([self._area(drawn, boxes, seen[alike], *right.nonzero()) for right, alike in pairs], axis=0)

    def recall(self, weights, boxes):
        """Return the share of true boxes that are found, averaged over the overlaps, ``[draws]``."""
        found = weights[:, self._picture] @ self._right.T.astype(np.int64)
        return found.mean(axis=1) / np.maximum(boxes, 1)

    def _area(self, drawn, boxes, seen, places):
        """Return the precision averaged over recalls, by the places of the right boxes alone: it is largest there."""
        if not len(places):
            return np.zeros(len(drawn))
        hits, seen = _sums(drawn[:, places]), seen[:, places]
        best = np.maximum.accumulate((hits / (seen + np.spacing(1)))[:, ::-1], axis=1)[:, ::-1]
        reached = hits / np.maximum(boxes, 1)[:, None]
        # How many of the recalls 0, 0.01 … 1 are reached at each place.
        last = np.clip(np.floor(reached * (len(self._thresholds) - 1) + 1e-6).astype(np.int64), 0, None)
        passed = last + 1 - (self._thresholds[last] > reached)
        return (best * np.diff(passed, axis=1, prepend=0)).sum(axis=1) / len(self._thresholds)


def _sums(drawn):
    """Return the running sums of each row; NumPy would make them int64, which takes twice as long."""
    return np.cumsum(drawn, axis=1, dtype=drawn.dtype)
