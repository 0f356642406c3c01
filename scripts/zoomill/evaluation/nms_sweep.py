"""What a detector is worth with other settings of its NMS, all on the heads of one run.

What does not depend on a setting is done once: the run, the decoding, and for each kind of NMS and overlap the search
for the partners of boxes. Score threshold and number of detections then only cut the lists: NMS drops no box for one
with a lower score, and boxes find their partners by falling score.
"""

import copy
import dataclasses
import itertools
import math
import typing

import numpy as np

from zoomill import supervisor
from zoomill.detection import decode
from zoomill.errors import UserError
from zoomill.evaluation import coco_weighing, metrics
from zoomill.inputs import readers, samples

# The parts of the samples: the half that settings are chosen by, the half that says what they are worth, and both.
_FEWEST = 4
PARTS = ("deciding", "rest", "all")
SCORE, IOU, MOST, CLASS_MOST = "nms_score_threshold", "nms_iou_threshold", "max_detections", "detections_per_class"


class Tried(typing.NamedTuple):
    """Settings and what they are worth.

    Attributes:
        asked: what :func:`zoomill.detection.decode.settings` returns.
        figures: ``{figure: {part of PARTS: value}}``.
        boxes: how many a picture has, the mean.
    """

    asked: object
    figures: dict
    boxes: float


@dataclasses.dataclass(frozen=True)
class _Picture:
    """A sample: its case without outputs, and what NMS chooses from."""

    case: metrics.Case
    boxes: np.ndarray
    scores: np.ndarray


class Sweep:
    """The settings of a detector on the samples of a task.

    Args:
        task: :class:`zoomill.evaluation.harness.Task` with the metric ``coco``.
        run: function from ``{input tensor: array}`` to raw heads ``{output name: array}``.
        grid: ``{setting: values}`` of nms_score_threshold, nms_iou_threshold, max_detections and, of an SSD,
            detections_per_class; those of the card are added.

    Attributes:
        own: the card's settings: those of the contract, as the model delivers.
        ranked: the same with the score threshold that the metric counts from.
        metric: of the task.
        names: of all samples.
    """

    def __init__(self, task, run, grid):
        self.metric, options = task.metric(), task.options.get("decode", {"kind": "ssd"})
        kind = options["kind"]
        if "detection_boxes" in [entry["name"] for entry in task.contract["outputs"]]:
            raise UserError("has its NMS inside; sweep the graph that ends before it, detect_cut")
        delivered = {key: value for key, value in options.items() if key != SCORE} if kind != "ssd" else {"kind": kind}
        self.own, self.ranked = decode.settings(task.contract, **delivered), decode.settings(task.contract, **options)
        self._pictures = list(_pictures(task, run, decode.reader(task.contract, task.anchors, kind)))
        self.names = [picture.case.name for picture in self._pictures]
        if len(self.names) < _FEWEST:
            raise UserError(f"has {len(self.names)} evaluation samples; a sweep needs {_FEWEST}, two halves of some")
        self._grid = {name: _sorted([*values, *self._of_card(name)]) for name, values in grid.items()}

    def _of_card(self, name):
        return dict.fromkeys(getattr(asked, name) for asked in (self.own, self.ranked) if hasattr(asked, name))

    def rows(self, asked):
        """Return the metric's rows with some settings, one for each picture."""
        supervisor.step()
        return [{"name": picture.case.name, **self._row(picture, asked)} for picture in self._pictures]

    def _row(self, picture, asked):
        return self.metric.row_of(picture.case, decode.choose(picture.boxes, picture.scores, asked))

    def settings(self, names=(None, coco_weighing.F1)):
        """Yield all settings as :class:`Tried`, by figures of which None is the metric's own."""
        judges = [of_figure(self.metric, name) for name in names]
        weights = self.weights()
        for asked in self._searched():
            supervisor.step()
            found = [decode.choose(picture.boxes, picture.scores, asked) for picture in self._pictures]
            rows = [self.metric.row_of(one.case, each) for one, each in zip(self._pictures, found, strict=True)]
            for score, most in itertools.product(self._grid[SCORE], self._grid[MOST]):
                if self._tells(asked, most):
                    kept, boxes = zip(*(self._kept(one, score, most) for one in found), strict=True)
                    figures = {
                        judge.figure: dict(zip(PARTS, map(float, judge.weighed(rows, kept)(weights)), strict=True))
                        for judge in judges
                    }
                    full = dataclasses.replace(asked, **{SCORE: score, MOST: most})
                    yield Tried(full, figures, float(np.mean(boxes)))

    def _tells(self, asked, most):
        """Tell whether some most detections of a class cut a list that a picture's most would not cut as far."""
        own = getattr(asked, CLASS_MOST, None)
        return own in (None, self._grid.get(CLASS_MOST, [None])[-1]) or own < most

    def _kept(self, found, score, most):
        """Return how many places of a row are kept, and how many boxes of the picture."""
        boxes = min(int((found.scores >= score).sum()), math.inf if most is None else most)
        return sum(map(self.metric.scores, found.classes[:boxes])), boxes

    def _searched(self):
        """Return the settings that differ in NMS itself, with the lowest threshold and the most detections."""
        full = {SCORE: min(self._grid[SCORE]), MOST: self._grid[MOST][-1]}
        if isinstance(self.own, decode.Suppression):
            kinds = [{"best_class": only} for only in (False, True)]
        else:
            kinds = [{"use_regular_nms": True, CLASS_MOST: most} for most in self._grid[CLASS_MOST]]
            kinds.append({"use_regular_nms": False})
            full["max_classes_per_detection"] = 1
        overlaps = self._grid[IOU]
        pairs = itertools.product(kinds, overlaps)
        return [dataclasses.replace(self.own, **full, **kind, nms_iou_threshold=overlap) for kind, overlap in pairs]

    def weights(self):
        """Return which samples each of :data:`PARTS` has, int64 ``[parts, samples]``.

        The halves are drawn with a fixed seed, as those that an int8_mixed file is searched and judged on.
        """
        half = samples.choose(self.names, {"count": len(self.names) // 2, "seed": 0})
        deciding = np.isin(self.names, half)
        return np.stack([deciding, ~deciding, np.ones(len(deciding), bool)]).astype(np.int64)


def of_figure(metric, name):
    """Return a metric that is judged by another of its figures, by its own where that is None."""
    judge = copy.copy(metric)
    judge.figure = name or metric.figure
    return judge


def _pictures(task, run, read):
    """Yield the :class:`_Picture` of each sample."""
    for sample, size, feeds in task.samples.feeds(task.contract["inputs"]):
        label = readers.read_label(task.samples.folder, sample, task.samples.form)
        yield _Picture(metrics.Case(sample.name, label, size, [], []), *read(run(feeds[0])))


def _sorted(values):
    """Return values without repetition, as a person writes what float32 keeps, no limit last."""
    written = {value if value is None or isinstance(value, int) else float(f"{value:.6g}") for value in values}
    return sorted(written, key=lambda value: math.inf if value is None else value)
