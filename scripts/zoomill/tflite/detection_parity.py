"""Whether a detector is right, asked in parts that can each fail.

- *heads*: what enters TFLite_Detection_PostProcess inside the file, to be compared with the golden heads;
- *op*: what leaves it, against our own NMS on those very heads: exact, whatever was lost before them;
- *source*: what is true of contract and golden outputs alone, see :mod:`zoomill.tflite.detection_source`;
- *decision*: how many of the detections that the golden heads give are found.

Where there is nothing to compare, a part is not tested, which is no pass.
"""

import dataclasses
import typing

import numpy as np

from zoomill.detection import head_names, nms
from zoomill.detection.postprocess import OP, Options
from zoomill.errors import UserError
from zoomill.proof import parity
from zoomill.proof.evidence import Verdict
from zoomill.tflite import detection_source, retune
from zoomill.tflite.detection_source import HELP
from zoomill.tflite.runtime import Artifact, dequantise

HEADS = [
    {"name": "box_encodings", "tensor": head_names.BOXES},
    {"name": "class_predictions", "tensor": head_names.SCORES},
]
# What LiteRT and NumPy differ by at most in float32: in a score, in a coordinate, in the overlap of a box with itself.
_EXACT = {"score": 1e-5, "coordinate": 1e-5, "overlap": 0.999}
_TIE = 1e-7
# With fewer boxes an op has not shown much.
_ENOUGH = 20


class Run(typing.NamedTuple):
    """What a file made of one input: ``{name of HEADS: float32 array}`` and its detections."""

    heads: dict
    found: nms.Detections


class Detector(Artifact):
    """A .tflite file with TFLite_Detection_PostProcess that also tells what enters the op.

    Args:
        data: bytes of the file.

    Attributes:
        data: the same.
        anchors: float32 ``[anchors, 4]`` in the file: ycenter, xcenter, height, width; integers dequantised.
        anchor_step: what one step of integer anchors is worth, 0 for floats.
    """

    def __init__(self, data):
        super().__init__(data)
        self.data = data
        details = {one["index"]: one for one in self.interpreter.get_tensor_details()}
        (op,) = (one for one in self.interpreter._get_ops_details() if one["op_name"] == OP)
        *self._heads, anchors = (details[index] for index in op["inputs"])
        self.anchors, self.anchor_step = self._read(anchors), float(anchors["quantization"][0])

    def _read(self, details):
        return dequantise(self.interpreter.get_tensor(details["index"]), details)

    def detect(self, contract, feed):
        """Run the file once and return the :class:`Run`.

        Args:
            contract: contract of its graph.
            feed: ``{input tensor: array}``.

        Raises:
            UserError: when an output is of another kind than the contract promises.
        """
        outputs = self(contract, feed)
        for entry in contract["outputs"]:
            shape, promised = list(outputs[entry["name"]].shape), entry["shape"]
            if len(shape) != len(promised) or shape[2:] != promised[2:]:  # the number of rows is an option of the op
                raise UserError(f"{entry['name']} has the shape {shape}, the contract promises {promised}")
        heads = (self._read(details).reshape(1, len(self.anchors), -1) for details in self._heads)
        named = {entry["name"]: head for entry, head in zip(HEADS, heads, strict=True)}
        return Run(named, nms.of_outputs(outputs, Options(**contract["postprocess"])))


def of_file(path, contract, golden, anchors, limits):
    """Judge op, source and decision of a file, and read its heads.

    Args:
        path: a .tflite file with TFLite_Detection_PostProcess.
        contract: contract of its graph.
        golden: mapping of golden arrays by tensor name, one row for each pinned input.
        anchors: float32 ``[anchors, 4]`` of the graph: ycenter, xcenter, height, width.
        limits: as :func:`of_decisions` takes them.

    Returns:
        A :class:`Verdict` with the figures ``op``, ``source`` and ``decision``; and the heads of each pinned input,
        ``[{name of HEADS: array}, …]``.
    """
    with open(path, "rb") as file:
        detector = Detector(file.read())
    runs = [detector.detect(contract, feed) for feed in parity.feeds(contract, golden)]
    parts = (
        of_op(detector, runs, contract, golden, anchors),
        detection_source.compare(contract, golden, anchors),
        of_decisions(runs, contract, golden, anchors, limits),
    )
    figures = {name: value for part in parts for name, value in part.figures.items()}
    failures, not_tested = ([phrase for part in parts for phrase in part[side]] for side in (1, 2))
    return Verdict(figures, failures, not_tested), [run.heads for run in runs]


def of_op(detector, runs, contract, golden, anchors):
    """Compare what leaves the op with our own NMS on what enters it.

    Where few boxes reach the score threshold, the op runs once more in a copy of the file with a lower one.

    Args:
        detector: :class:`Detector` of the file.
        runs: what it makes of the golden inputs.
        contract, golden, anchors: as in :func:`of_file`.

    Returns:
        A :class:`Verdict` with the figure ``op``: fields of :class:`zoomill.detection.nms.Match`, where ``borderline``
        counts those exchanged for others of the very same score; and the lowest ``nms_score_threshold`` used.
    """
    options = Options(**contract["postprocess"])
    match = _against_own(runs, options, detector.anchors)
    if match.expected < _ENOUGH:
        options = dataclasses.replace(options, nms_score_threshold=_lower_threshold(runs, options, detector.anchors))
        own = retune.options_of(detector.data)
        lower = dataclasses.replace(own, nms_score_threshold=options.nms_score_threshold)
        lowered = Detector(retune.with_options(detector.data, lower))
        changed = {**contract, "postprocess": vars(options)}
        more = [lowered.detect(changed, feed) for feed in parity.feeds(contract, golden)]
        match.add(_against_own(more, options, detector.anchors))
    failures = []
    if not match.complete:
        failures.append(
            f"op: {match.missing} of the {match.expected} detections that its heads give missing, "
            f"{match.surplus} surplus"
        )
    if not _anchor_error(detector, anchors) <= detector.anchor_step:
        failures.append(f"op: the file's anchors differ by {_anchor_error(detector, anchors):.3g} from the graph's")
    not_tested = [] if match.expected else [f"op: no score of its heads gives a detection; {HELP}"]
    figure = {**dataclasses.asdict(match), "nms_score_threshold": options.nms_score_threshold}
    return Verdict({"op": figure}, failures, not_tested)


def _anchor_error(detector, anchors):
    same = detector.anchors.shape == anchors.shape
    return float(np.abs(detector.anchors - anchors).max()) if same else np.inf


def _lower_threshold(runs, options, anchors):
    """Return the score threshold, above 0 and at most the present one, at which our own NMS gives enough boxes."""
    scores = np.concatenate([_heads(run)[1][:, -options.num_classes :].ravel() for run in runs])
    falling = np.sort(scores[scores > 0])[::-1]
    threshold, count = options.nms_score_threshold, _ENOUGH
    while len(falling) and count < 4 * len(falling):
        threshold = min(options.nms_score_threshold, float(falling[min(count, len(falling)) - 1]))
        lower = dataclasses.replace(options, nms_score_threshold=threshold)
        found = sum(len(nms.postprocess(*_heads(run), anchors, lower).scores) for run in runs)
        if found >= min(_ENOUGH, options.max_detections * len(runs)):
            break
        count *= 4
    return threshold


def _heads(run):
    """Return box encodings ``[anchors, 4]`` and scores ``[anchors, columns]``."""
    return [run.heads[entry["name"]][0] for entry in HEADS]


def _against_own(runs, options, anchors):
    total = nms.Match()
    for run in runs:
        encodings, scores = _heads(run)
        own = nms.postprocess(encodings, scores, anchors, options)
        candidates = nms.decode(encodings, anchors, options), scores[:, -options.num_classes :]
        total.add(_match_exactly(own, run.found, *candidates))
    return total


def _match_exactly(expected, found, boxes, scores):
    """Pair detections that are equal but for rounding.

    Of two candidates with the very same score, either may come first and win; so a detection may be exchanged for
    another of its score that some anchor really has.

    Args:
        expected, found: :class:`zoomill.detection.nms.Detections`.
        boxes: ``[anchors, 4]``, all candidates.
        scores: ``[anchors, classes]``, without the background.
    """
    match = nms.Match(expected=len(expected.scores), found=len(found.scores))
    free, lonely = np.ones(len(found.scores), bool), []
    for one in range(len(expected.scores)):
        near = free & nms.like(expected, one, found.boxes, found.classes, found.scores, _EXACT)
        if not near.any():
            lonely.append(expected.scores[one])
            continue
        partner = int(np.flatnonzero(near)[0])
        free[partner] = False
        match.matched += 1
        match.score_difference = max(match.score_difference, float(abs(found.scores[partner] - expected.scores[one])))
        match.lowest_iou = min(match.lowest_iou, float(nms.iou(expected.boxes[one], found.boxes[[partner]])[0]))
    for one in np.flatnonzero(free):
        tied = [score for score in lonely if abs(score - found.scores[one]) <= _TIE]
        if tied and nms.explained(found, one, boxes, scores, {**_EXACT, "score": _TIE}):
            lonely.remove(tied[0])
            match.borderline += 1
        else:
            match.surplus += 1
    match.missing = len(lonely)
    return match


def of_decisions(runs, contract, golden, anchors, limits):
    """Count the detections of the golden heads that a file finds, and what it finds besides.

    Only those count that are clear of the score below which nothing is reported.

    Args:
        runs: what it makes of the golden inputs.
        contract, golden, anchors: as in :func:`of_file`.
        limits: ``score``, the largest difference in the score of one detection, and by how much it must be clear;
            ``unmatched``, the share of detections that may be missing or surplus.

    Returns:
        A :class:`Verdict` with the figure ``decision``: fields of :class:`zoomill.detection.nms.Match`.
    """
    options, total = Options(**contract["postprocess"]), nms.Match()
    for row, run in enumerate(runs):
        heads = golden[head_names.BOXES][row], golden[head_names.SCORES][row], anchors
        expected = nms.postprocess(*heads, options)
        lost = _clear_in(expected, run.found, options, limits["score"])
        gained = _clear_in(run.found, expected, options, limits["score"])
        total.add(dataclasses.replace(lost, found=gained.expected, surplus=gained.missing))
    failures, not_tested = [], []
    if total.missing + total.surplus > limits["unmatched"] * total.expected:
        failures.append(f"decision: {total.missing} of {total.expected} detections missing, {total.surplus} surplus")
    if not total.expected:
        not_tested.append(
            f"decision: no detection of the source is {limits['score']:g} above nms_score_threshold "
            f"{options.nms_score_threshold:g}; {HELP}"
        )
    return Verdict({"decision": dataclasses.asdict(total)}, failures, not_tested)


def _clear_in(first, second, options, tolerance):
    """Look for the clear detections of one implementation among all of the other."""
    floor = max(nms.edge(one, options) for one in (first, second)) + tolerance
    return dataclasses.replace(nms.match(first.above(floor), second, options, tolerance), surplus=0, borderline=0)
