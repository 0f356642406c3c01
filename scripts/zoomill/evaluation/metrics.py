"""Task metrics: what a model is worth on a data set.

A metric sees the samples one by one and keeps of each a *row*, a JSON object with everything that the figures depend
on; the figures are a function of the rows alone. ``weighed(rows)`` is the figure that stands for the metric as a
function of weights, int64 ``[draws, rows]`` to float64 ``[draws]``: a row of weight 2 counts as two, so that drawn rows
give intervals (:mod:`zoomill.evaluation.resampling`). ``strata(rows)`` names what is drawn among itself.
"""

import dataclasses
import itertools
import re

import numpy as np

from zoomill.errors import UserError
from zoomill.evaluation.coco import Coco
from zoomill.inputs.preprocess import Preprocess


@dataclasses.dataclass(frozen=True)
class Setting:
    """What a metric may know besides the samples.

    Attributes:
        contract: contract of the graph.
        preprocess: the :class:`zoomill.inputs.preprocess.Preprocess` that made the first input.
        folder: of the data set.
        anchors: of an SSD, see :func:`zoomill.detection.decode.decoder`; else None.
    """

    contract: dict
    preprocess: Preprocess
    folder: str
    anchors: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class Case:
    """A sample and what a model makes of it.

    Attributes:
        name: of the sample.
        label: what :func:`zoomill.inputs.readers.read_label` returned.
        size: height and width of the picture before preprocessing.
        inputs: ``{input tensor: array}`` for each of the sample's windows, batch of one included.
        outputs: ``{output name: array}`` for each of them.
    """

    name: str
    label: object
    size: tuple
    inputs: list
    outputs: list


# Ranks that count.
_RANKS = {"top_1": 1, "top_5": 5}


class TopK:
    """Share of samples whose class is the first, or among the first five, by falling score.

    Args:
        setting: :class:`Setting`; the contract's ``label_offset`` is added to the number of an output's column.
        output: name of the output with the scores; the only one if not given.
        offset: column of the data set's class 0: 1 for a network with a background class in front.
    """

    figure, more_is_better = "top_1", True

    def __init__(self, setting, output=None, offset=None):
        self._output = _output(setting, output)
        self._offset = -setting.contract["label_offset"] if offset is None else offset

    def row(self, case):
        """Return the rank of the true class, 0 for the best; of equal scores the first column wins."""
        scores = case.outputs[0][self._output].ravel()
        column = int(case.label) + self._offset
        if not 0 <= column < len(scores):
            raise UserError(f"{case.name}: class {case.label} is in none of the {len(scores)} columns of the output")
        ahead = (scores > scores[column]).sum() + (scores[:column] == scores[column]).sum()
        return {"class": int(case.label), "rank": int(ahead), "best": int(scores.argmax()) - self._offset}

    def values(self, rows):
        """Return ``top_1`` and ``top_5``."""
        ranks = np.array([row["rank"] for row in rows])
        return {name: float((ranks < most).mean()) for name, most in _RANKS.items()}

    def weighed(self, rows):
        return _mean([row["rank"] < _RANKS[self.figure] for row in rows])

    def strata(self, rows):
        return _alike(rows)


class Auc:
    """Area under the ROC curve of an autoencoder's reconstruction error.

    The score of a file is the squared error, averaged over the values of each window and over the windows
    (benchmark/training/anomaly_detection/keras_model.py and 01_test.py of mlcommons/tiny).

    Args:
        setting: :class:`Setting`.
        anomalies: classes that are anomalies.
        machines: pattern that finds the machine in a sample's name, where each has a curve of its own.
        output: name of the reconstruction; the only output if not given.
    """

    figure, more_is_better = "auc", True

    def __init__(self, setting, anomalies=(1,), machines="", output=None):
        try:
            self._machine = re.compile(machines)
        except re.error as error:
            raise UserError(f"metric.machines: {machines!r} is no pattern: {error}") from error
        self._anomalies, self._output = anomalies, _output(setting, output)
        self._input = setting.contract["inputs"][0]["tensor"]

    def row(self, case):
        """Return machine, label (1 is an anomaly) and score."""
        found = self._machine.search(case.name)
        if not found:
            raise UserError(f"{case.name}: does not say its machine, {self._machine.pattern}")
        errors = [
            np.mean(np.square(given[self._input].astype(np.float64).ravel() - outputs[self._output].ravel()))
            for given, outputs in zip(case.inputs, case.outputs, strict=True)
        ]
        return {"machine": found[0], "label": int(case.label in self._anomalies), "score": float(np.mean(errors))}

    def values(self, rows):
        """Return ``auc``; with machines it is their mean, beside ``auc_<machine>`` and ``auc_pooled`` of all files."""
        pooled = _auc("all files", rows)
        names = sorted({row["machine"] for row in rows} - {""})
        if not names:
            return {"auc": pooled}
        own = {f"auc_{name}": _auc(name, [row for row in rows if row["machine"] == name]) for name in names}
        return {"auc": float(np.mean(list(own.values()))), "auc_pooled": pooled, **own}

    def weighed(self, rows):
        owner = np.array([row["machine"] if self.figure == "auc" else "" for row in rows])
        own = {name: owner == name for name in np.unique(owner)}
        areas = {name: _weighed_auc(list(itertools.compress(rows, part))) for name, part in own.items()}
        return lambda weights: np.mean([area(weights[:, own[name]]) for name, area in areas.items()], axis=0)

    def strata(self, rows):
        """Return machine and label: a curve needs normal and anomalous files."""
        return [f"{row['machine']} {row['label']}" for row in rows]


def _weighed_auc(rows):
    """Return the area as a function of weights: the share of pairs in which the anomaly has the higher score.

    Equal scores are half a pair (Hanley and McNeil 1982, The Meaning and Use of the Area under a ROC Curve).
    """
    scores, labels = (np.array([row[key] for row in rows]) for key in ("score", "label"))
    order = np.argsort(scores, kind="stable")
    _, level = np.unique(scores[order], return_inverse=True)
    starts = np.flatnonzero(np.diff(level, prepend=-1))

    def area(weights):
        drawn = weights[:, order]
        bad, good = (np.add.reduceat(drawn * (labels[order] == one), starts, axis=1) for one in (1, 0))
        pairs = bad * (np.cumsum(good, axis=1) - good / 2)
        return pairs.sum(axis=1) / (bad.sum(axis=1) * good.sum(axis=1))

    return area


def _auc(where, rows):
    if len({row["label"] for row in rows}) < 2:
        raise UserError(f"{where}: an AUC needs normal and anomalous files")
    return float(_weighed_auc(rows)(np.ones((1, len(rows)), np.int64))[0])


class Landmarks:
    """Mean Euclidean distance between predicted and true points.

    Args:
        setting: :class:`Setting`.
        output: name of the output with the points; the only one if not given.
        size: what distances are multiplied by: the edge of the picture in pixels, where coordinates are parts of it.
        dimensions: coordinates of a point in the output; the label has the first two of each.
    """

    figure, more_is_better = "error", False

    def __init__(self, setting, output=None, size=1.0, dimensions=2):
        self._output, self._size, self._dimensions = _output(setting, output), size, dimensions

    def row(self, case):
        """Return the mean distance in a picture."""
        points = case.outputs[0][self._output].astype(np.float64).reshape(-1, self._dimensions)[:, :2]
        truth = np.reshape(case.label, (-1, 2))
        if points.shape != truth.shape:
            raise UserError(f"{case.name}: has {len(truth)} points, the output {len(points)}")
        return {"error": float(np.linalg.norm(points - truth, axis=1).mean() * self._size)}

    def values(self, rows):
        """Return ``error``, the mean over the pictures."""
        return {"error": float(np.mean([row["error"] for row in rows]))}

    def weighed(self, rows):
        return _mean([row["error"] for row in rows])

    def strata(self, rows):
        return _alike(rows)


class Psnr:
    """Peak signal-to-noise ratio of generated pictures in dB: ``10 log10(peak^2 / mean squared error)``.

    Args:
        setting: :class:`Setting`.
        output: name of the picture; the only output if not given.
        range: lowest and highest value, those of the contract's output or else input if not given; the peak is their
            difference. 8-bit targets are brought to it.
    """

    figure, more_is_better = "psnr", True

    def __init__(self, setting, output=None, range=None):
        self._output = _output(setting, output)
        (promise,) = (entry for entry in setting.contract["outputs"] if entry["name"] == self._output)
        low, high = range or promise.get("value_range") or setting.contract["inputs"][0]["value_range"]
        self._low, self._peak = low, high - low

    def row(self, case):
        """Return the mean squared error in the output's unit."""
        found, truth = case.outputs[0][self._output].astype(np.float64), case.label.astype(np.float64)
        if case.label.dtype == np.uint8:
            truth = truth / 255 * self._peak + self._low
        if found.size != truth.size:
            raise UserError(f"{case.name}: has {truth.size} values, the output {found.size}")
        return {"mse": float(np.mean(np.square(found.ravel() - truth.ravel())))}

    def values(self, rows):
        """Return ``psnr``, the mean over the pictures, and ``psnr_pooled`` of all pixels; 100 dB if exact."""
        errors = self._errors(rows)
        return {"psnr": float(_decibels(errors).mean()), "psnr_pooled": float(_decibels(errors.mean()))}

    def weighed(self, rows):
        errors = self._errors(rows)
        pooled = _mean(errors)
        return _mean(_decibels(errors)) if self.figure == "psnr" else lambda weights: _decibels(pooled(weights))

    def strata(self, rows):
        return _alike(rows)

    def _errors(self, rows):
        return np.array([row["mse"] / self._peak**2 for row in rows])


def _decibels(errors):
    return -10 * np.log10(np.maximum(errors, 1e-10))


def _mean(values):
    """Return the mean as a function of weights."""
    values = np.asarray(values, np.float64)
    return lambda weights: weights @ values / weights.sum(axis=1)


def _alike(rows):
    """Return one stratum for all rows."""
    return [0] * len(rows)


METRICS = {"coco": Coco, "top_k": TopK, "auc": Auc, "landmarks": Landmarks, "psnr": Psnr}


def metric(setting, name, figure=None, **options):
    """Return the metric of that name.

    Args:
        setting: :class:`Setting`.
        name: a key of :data:`METRICS`.
        figure: the one of its figures that stands for it, instead of its own choice.
        options: of the metric.

    Raises:
        UserError: for an option that it does not have.
    """
    try:
        made = METRICS[name](setting, **options)
    except TypeError as error:
        raise UserError(f"metric {name}: {error}") from error
    made.figure = figure or made.figure
    return made


def _output(setting, name):
    """Return the name of the output to read."""
    names = [entry["name"] for entry in setting.contract["outputs"]]
    if name is None and len(names) == 1:
        return names[0]
    if name not in names:
        raise UserError(f"metric.output: name one of {', '.join(names)}")
    return name
