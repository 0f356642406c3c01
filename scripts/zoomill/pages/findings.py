"""What a model found in a picture, in the forms in which people look at it.

Each form has ``drawn(picture, labels)``, a picture with it on it, or None where there is nothing to draw;
``told(labels)``, what JSON says of it; and ``apart(source)``, what JSON says of it beside what the source found in the
same picture.
"""

import dataclasses

import numpy as np

from zoomill.detection import nms
from zoomill.inputs import as_picture
from zoomill.pages import drawing

# Overlap (IoU) from which two boxes of a class are the same, as in most tables of detectors.
_SAME = 0.5


@dataclasses.dataclass(frozen=True)
class Boxes:
    """Detections that are worth showing, the best one first.

    Attributes:
        detections: :class:`zoomill.detection.nms.Detections`, relative to the picture.
    """

    detections: nms.Detections

    def drawn(self, picture, labels):
        found = self.detections
        texts = [f"{_label(labels, number)} {score:.2f}" for number, score in self._pairs()]
        return drawing.with_boxes(picture, found.boxes, found.classes, texts)

    def told(self, labels):
        """Return how many boxes there are, and label and score of each."""
        named = [{"label": _label(labels, number), "score": round(score, 4)} for number, score in self._pairs()]
        return {"boxes": named}

    def apart(self, source):
        """Return how many of the source's boxes are here too."""
        own, theirs = self.detections, source.detections
        alike = own.classes == theirs.classes[:, None]
        overlaps = nms.iou(theirs.boxes[:, None], own.boxes[None]) >= _SAME
        return {"same": int((alike & overlaps).any(axis=1).sum())}

    def _pairs(self):
        return list(zip(self.detections.classes.tolist(), self.detections.scores.tolist(), strict=True))


@dataclasses.dataclass(frozen=True)
class Classes:
    """Scores of a classifier.

    Attributes:
        scores: float ``[columns]``.
        first: column of the first label.
        most: how many classes are told.
    """

    scores: np.ndarray
    first: int
    most: int

    def drawn(self, picture, labels):
        return None

    def told(self, labels):
        """Return label and score of the best classes; of equal ones the first column comes first."""
        best = np.argsort(-self.scores, kind="stable")[: self.most].tolist()
        return {
            "classes": [
                {"label": _label(labels, column - self.first), "score": round(float(self.scores[column]), 4)}
                for column in best
            ]
        }

    def apart(self, source):
        """Return whether the best class is the source's."""
        return {"same": bool(self.scores.argmax() == source.scores.argmax())}


@dataclasses.dataclass(frozen=True)
class Points:
    """Landmarks.

    Attributes:
        points: float ``[n, 2]``: x, y relative to the picture.
    """

    points: np.ndarray

    def drawn(self, picture, labels):
        return drawing.with_points(picture, self.points)

    def told(self, labels):
        return {"points": len(self.points)}

    def apart(self, source):
        """Return the largest and the mean distance from the source's points, in parts of the picture's edges."""
        return _largest_and_mean(np.linalg.norm(self.points.astype(np.float64) - source.points, axis=1))


@dataclasses.dataclass(frozen=True)
class Picture:
    """What a generator made.

    Attributes:
        values: float ``[height, width, 3 or 1]``.
        limits: the values that are black and white.
    """

    values: np.ndarray
    limits: tuple

    def drawn(self, picture, labels):
        return drawing.enlarged(as_picture.eight_bit(self.values, self.limits))

    def told(self, labels):
        return {}

    def apart(self, source):
        """Return the largest and the mean difference from the source's, of 255 from black to white."""
        low, high = (np.asarray(end, np.float64) for end in self.limits)
        return _largest_and_mean(np.abs(self.values.astype(np.float64) - source.values) / (high - low) * 255)


def _largest_and_mean(distances):
    """Return both with four digits, None where one is no number."""
    found = {"largest": distances.max(), "mean": distances.mean()}
    return {key: float(f"{value:.4g}") if np.isfinite(value) else None for key, value in found.items()}


def _label(labels, number):
    """Return the label of a class, or its number where it has none: a background has -1."""
    return labels[number] if 0 <= number < len(labels) else "background" if number == -1 else str(number)
