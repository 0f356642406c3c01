"""How far apart the outputs of one file lie that was run in two ways, over many inputs."""

import numpy as np

from zoomill.detection import nms
from zoomill.detection.postprocess import Options
from zoomill.proof import parity

_DETECTIONS = {"detection_boxes", "detection_classes", "detection_scores", "num_detections"}
# What one run's score of a detection may be off by before it is another detection, or before it has to be reported.
_SCORE = 0.1
# By how much of its largest value an output is off before it is called far; what rounding does to one operator is less.
FAR = 0.05
# Values of a detection: its box, class and score.
_ROW = 6


class Spread:
    """Counts over inputs in what two runs of a file differ.

    Of a detector only the rows that ``num_detections`` counts are read: runtimes leave the others as they were.

    Args:
        contract: contract of the file's graph; its labels, activations and post-processing say what decides.
        steps: ``{output name: what one step of its integers is worth, or None}``, as
            :meth:`zoomill.tflite.runtime.Artifact.steps` returns them.
    """

    def __init__(self, contract, steps):
        self._outputs, self._labels = contract["outputs"], len(contract.get("labels", ()))
        self._steps = steps
        detector = {entry["name"] for entry in self._outputs} >= _DETECTIONS
        self._options = Options(**contract["postprocess"]) if detector else None
        self._counts = dict.fromkeys(("inputs", "values", "differ", "decisions", "flips"), 0)
        self._apart, self._peaks = {}, {}

    def add(self, expected, found):
        """Compare the outputs of one input.

        Args:
            expected, found: ``{output name: array}`` of either run, with the same number of values.
        """
        self._count(inputs=1)
        if self._options:
            self._add_detections(*(nms.of_outputs(outputs, self._options) for outputs in (expected, found)))
            return
        for entry in self._outputs:
            first = np.asarray(expected[entry["name"]])
            second = np.asarray(found[entry["name"]]).reshape(first.shape)
            self._add_values(entry["name"], first.astype(np.float64), second.astype(np.float64))
            if parity.decides(entry, first.shape, self._labels):
                flips = first.argmax(-1) != second.argmax(-1)
                self._count(decisions=flips.size, flips=int(flips.sum()))

    def figures(self):
        """Return the counts and the largest differences, as JSON values.

        Returns:
            ``inputs``, ``values``; ``differ``, values that are not equal; ``steps``, the largest difference of integer
            outputs in their steps, None without any; ``share``, that of the others by their largest value, for a
            detector that in the score of a detection, None without any; ``decisions`` (the largest class, of each
            pixel too; a detection), and ``flips``, those that only one of the runs takes.
        """
        steps = [apart / self._steps[name] for name, apart in self._apart.items() if self._steps.get(name)]
        shares = [apart / (self._peaks[name] or 1) for name, apart in self._apart.items() if not self._steps.get(name)]
        largest = {"steps": max(map(_whole, steps), default=None), "share": max(shares, default=None)}
        return {**self._counts, **largest}

    def line(self):
        """Return the figures in words."""
        found = self.figures()
        ends = {"steps": "{:.3g} steps", "share": "{:.2g} of the largest"}
        far = " and ".join(words.format(found[key]) for key, words in ends.items() if found[key])
        far = f", by up to {far}" if far else ""
        said = [f"{found['differ']} of {found['values']} values differ{far}"]
        said += [f"{found['flips']} of {found['decisions']} decisions flip"] if found["decisions"] else []
        return "; ".join(said)

    def _count(self, **more):
        for name, number in more.items():
            self._counts[name] += number

    def _add_values(self, name, first, second):
        with np.errstate(invalid="ignore"):  # infinite ones of the same sign have no difference
            apart = np.abs(first - second)
        # Real numbers of the same integer may differ in their last bit.
        near = apart < (self._steps.get(name) or 0) / 2
        same = near | (first == second) | (np.isnan(first) & np.isnan(second))
        self._count(values=first.size, differ=int((~same).sum()))
        apart = apart[~same]
        apart[np.isnan(apart)] = np.inf  # a number and what is none are as far apart as can be
        self._note(name, apart.max(initial=0), np.abs(first[np.isfinite(first)]).max(initial=0))

    def _note(self, name, apart, peak):
        self._apart[name] = max(self._apart.get(name, 0.0), float(apart))
        self._peaks[name] = max(self._peaks.get(name, 0.0), float(peak))

    def _add_detections(self, first, second):
        shared, rows = (function(len(one.scores) for one in (first, second)) for function in (min, max))
        same = sum(
            int((getattr(first, field)[:shared] == getattr(second, field)[:shared]).sum())
            for field in ("boxes", "classes", "scores")
        )
        self._count(values=_ROW * rows + 1, differ=_ROW * rows - same + (shared != rows))
        floor = max(nms.edge(one, self._options) for one in (first, second)) + _SCORE
        lost = nms.match(first.above(floor), second, self._options, _SCORE)
        gained = nms.match(second.above(floor), first, self._options, _SCORE)
        self._count(decisions=lost.expected, flips=lost.missing + gained.missing)
        self._note("detection_scores", lost.score_difference, 1.0)


def apart(expected, found):
    """Return how far arrays are apart, by the largest value; what is no number is as far as can be."""
    expected, found = (np.asarray(array, np.float64).ravel() for array in (expected, found))
    difference = np.nan_to_num(np.abs(found - expected), nan=np.inf, posinf=np.inf)
    return float(difference.max(initial=0)) / (float(np.abs(expected).max(initial=0)) or 1.0)


def beyond(figures, limits):
    """Tell whether :meth:`Spread.figures` are beyond limits.

    Args:
        figures: their ``flips``, ``decisions``, and ``steps`` and ``share``, which may be None.
        limits: ``flips``, a share of the decisions; ``steps`` and ``share``.
    """
    far = any(figures[key] is not None and not figures[key] <= limits[key] for key in ("steps", "share"))
    return far or figures["flips"] > limits["flips"] * figures["decisions"]


def parting(tensors, limits):
    """Return the first tensors in which two runs of a file differ.

    Args:
        tensors: pairs, in the order the tensors are made: what is told of one, and how far off it is, ``share`` of its
            largest value, and ``steps`` of its integers where it has any.
        limits: of either; of integers the steps count.

    Returns:
        ``{"differs": …, "beyond": …, "far": …}``: the first that is not the same, the first that is farther off than
        the limits allow, and the first that is by more than :data:`FAR`, None without one; what is told and how far.
    """
    result = {"differs": None, "beyond": None, "far": None}
    for told, far in tensors:
        key = "steps" if "steps" in far else "share"
        found = {"differs": far[key] != 0, "beyond": not far[key] <= limits[key], "far": not far["share"] <= FAR}
        result |= {name: {**told, **far} for name, is_so in found.items() if is_so and not result[name]}
    return result


def _whole(steps):
    """Return a number of steps as the whole one that it is but for the rounding of real numbers."""
    return round(steps) if np.isfinite(steps) else steps
