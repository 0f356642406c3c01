"""Whether a detector is right, asked in parts that can each fail.

- *heads*: what enters TFLite_Detection_PostProcess inside the file, to be compared with the golden heads;
- *op*: what leaves it, against our own NMS on those very heads: exact, whatever was lost before them;
- *source*: box coder, anchors and scores of the contract, and our NMS, against the source's own detections;
- *decision*: how many of the detections that the golden heads give are found.

Where there is nothing to compare, a part is not tested, which is no pass.
"""

import dataclasses
import typing

import numpy as np

from zoomill import detections, parity, ssd_graph, tflite_file
from zoomill.errors import UserError
from zoomill.postprocess import OP, Options
from zoomill.runtime import Artifact, dequantise

HEADS = [
    {"name": "box_encodings", "tensor": ssd_graph.BOXES},
    {"name": "class_predictions", "tensor": ssd_graph.SCORES},
]
# What LiteRT and NumPy differ by at most in float32: in a score, in a coordinate, in the overlap of a box with itself.
_EXACT = {"score": 1e-5, "coordinate": 1e-5, "overlap": 0.999}
# The source decodes and converts in another order, and cuts its boxes at the edges.
_SOURCE = {"score": 1e-4, "coordinate": 1e-4, "overlap": 0.99}
_TIE = 1e-7
# With fewer boxes an op has not shown much.
_ENOUGH = 20
_HELP = "give `golden:` pictures on which the model finds something, or a lower nms_score_threshold"


class Verdict(typing.NamedTuple):
    """Figures for the evidence, and one phrase for everything that failed and that was not tested."""

    figures: dict
    failures: list
    not_tested: list


class Run(typing.NamedTuple):
    """What a file made of one input: ``{name of HEADS: float32 array}`` and its detections."""

    heads: dict
    found: detections.Detections


class Detector(Artifact):
    """A .tflite file with TFLite_Detection_PostProcess that also tells what enters the op.

    Args:
        file: its path, or its bytes.

    Attributes:
        anchors: float32 ``[anchors, 4]`` in the file: ycenter, xcenter, height, width; integers dequantised.
        anchor_step: what one step of integer anchors is worth, 0 for floats.
    """

    def __init__(self, file):
        super().__init__(file, keep=True)
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
        return Run(named, detections.of_outputs(outputs, Options(**contract["postprocess"])))


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
    model, detector = tflite_file.read(path), Detector(path)
    runs = [detector.detect(contract, feed) for feed in parity.feeds(contract, golden)]
    parts = (
        of_op(model, detector, runs, contract, golden, anchors),
        of_source(contract, golden, anchors),
        of_decisions(runs, contract, golden, anchors, limits),
    )
    figures = {name: value for part in parts for name, value in part.figures.items()}
    failures, not_tested = ([phrase for part in parts for phrase in part[side]] for side in (1, 2))
    return Verdict(figures, failures, not_tested), [run.heads for run in runs]


def of_op(model, detector, runs, contract, golden, anchors):
    """Compare what leaves the op with our own NMS on what enters it.

    Where few boxes reach the score threshold, the op runs once more in a copy of the file with a lower one.

    Args:
        model, detector: ``ModelT`` and :class:`Detector` of the file.
        runs: what it makes of the golden inputs.
        contract, golden, anchors: as in :func:`of_file`.

    Returns:
        A :class:`Verdict` with the figure ``op``: fields of :class:`zoomill.detections.Match`, where ``borderline``
        counts those exchanged for others of the very same score; and the lowest ``nms_score_threshold`` used.
    """
    options = Options(**contract["postprocess"])
    match = _against_own(runs, options, detector.anchors)
    if match.expected < _ENOUGH:
        options = dataclasses.replace(options, nms_score_threshold=_lower_threshold(runs, options, detector.anchors))
        lowered = Detector(tflite_file.with_score_threshold(model, options.nms_score_threshold))
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
    not_tested = [] if match.expected else [f"op: no score of its heads gives a detection; {_HELP}"]
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
        found = sum(len(detections.postprocess(*_heads(run), anchors, lower).scores) for run in runs)
        if found >= min(_ENOUGH, options.max_detections * len(runs)):
            break
        count *= 4
    return threshold


def _heads(run):
    """Return box encodings ``[anchors, 4]`` and scores ``[anchors, columns]``."""
    return [run.heads[entry["name"]][0] for entry in HEADS]


def _against_own(runs, options, anchors):
    total = detections.Match()
    for run in runs:
        encodings, scores = _heads(run)
        own = detections.postprocess(encodings, scores, anchors, options)
        candidates = detections.decode(encodings, anchors, options), scores[:, -options.num_classes :]
        total.add(_match_exactly(own, run.found, *candidates))
    return total


def _match_exactly(expected, found, boxes, scores):
    """Pair detections that are equal but for rounding.

    Of two candidates with the very same score, either may come first and win; so a detection may be exchanged for
    another of its score that some anchor really has.

    Args:
        expected, found: :class:`zoomill.detections.Detections`.
        boxes: ``[anchors, 4]``, all candidates.
        scores: ``[anchors, classes]``, without the background.
    """
    match = detections.Match(expected=len(expected.scores), found=len(found.scores))
    free, lonely = np.ones(len(found.scores), bool), []
    for one in range(len(expected.scores)):
        near = free & _like(expected, one, found.boxes, found.classes, found.scores, _EXACT)
        if not near.any():
            lonely.append(expected.scores[one])
            continue
        partner = int(np.flatnonzero(near)[0])
        free[partner] = False
        match.matched += 1
        match.score_difference = max(match.score_difference, float(abs(found.scores[partner] - expected.scores[one])))
        match.lowest_iou = min(match.lowest_iou, float(detections.iou(expected.boxes[one], found.boxes[[partner]])[0]))
    for one in np.flatnonzero(free):
        tied = [score for score in lonely if abs(score - found.scores[one]) <= _TIE]
        if tied and _explained(found, one, boxes, scores, {**_EXACT, "score": _TIE}):
            lonely.remove(tied[0])
            match.borderline += 1
        else:
            match.surplus += 1
    match.missing = len(lonely)
    return match


def _like(detected, one, boxes, classes, scores, tolerance):
    """Tell which of some boxes with class and score are one of the detections, but for the tolerance."""
    box = detected.boxes[one]
    same = (classes == detected.classes[one]) & (np.abs(scores - detected.scores[one]) <= tolerance["score"])
    coordinates = np.abs(boxes - box).max(axis=1) <= tolerance["coordinate"]
    return same & (coordinates | (detections.iou(box, boxes) >= tolerance["overlap"]))


def _explained(detected, one, boxes, scores, tolerance):
    """Tell whether some anchor has the box, class and score of one detection."""
    label = detected.classes[one]
    if not 0 <= label < scores.shape[1]:
        return False
    return bool(_like(detected, one, boxes, label, scores[:, label], tolerance).any())


def of_source(contract, golden, anchors):
    """Compare box coder, anchors, scores and our own NMS with the detections of the source itself.

    Every detection of the source must be the decoded box of some anchor, with its class and score. Our NMS must give
    all of them where it is of the same kind as the source's, and the best of each image anyway.

    Args:
        contract: contract of a detection graph, with or without the op.
        golden, anchors: as in :func:`of_file`.

    Returns:
        A :class:`Verdict` with the figure ``source``: ``box_coder``, how many detections the source has and how
        many of them an anchor explains; ``compared``, ``all`` or ``best``; and fields of
        :class:`zoomill.detections.Match` of our NMS. Only ``compared: none`` where the source has no detections.
    """
    if "detection_boxes" not in golden:
        return Verdict({"source": {"compared": "none"}}, [], [])
    options = Options(**contract["postprocess"])
    complete = "source_postprocess" in contract and _keeps_the_same(options, Options(**contract["source_postprocess"]))
    coder = {"expected": 0, "explained": 0}
    ways = {"before": detections.Match(), "after": detections.Match()}
    for row in range(len(golden["detection_boxes"])):
        heads = golden[ssd_graph.BOXES][row], golden[ssd_graph.SCORES][row], anchors
        theirs = _source_detections(golden, row)
        boxes = np.clip(detections.decode(heads[0], anchors, options), 0, 1)
        scores = heads[1][:, -options.num_classes :]
        coder["expected"] += len(theirs.scores)
        coder["explained"] += sum(_explained(theirs, i, boxes, scores, _SOURCE) for i in range(len(theirs.scores)))
        for clip, match in ways.items():
            match.add((_match_all if complete else _match_best)(theirs, heads, options, clip))
    match = min(ways.values(), key=lambda one: (one.missing + one.surplus, -one.lowest_iou))
    figure = {"box_coder": coder, "compared": "all" if complete else "best", **dataclasses.asdict(match)}
    return Verdict({"source": figure}, *_source_phrases(coder, match))


def _source_phrases(coder, match):
    """Return the phrases for what failed and for what was not tested."""
    if not coder["expected"]:
        return [], [f"source: it finds nothing on the golden inputs; {_HELP}"]
    failures = []
    if missing := coder["expected"] - coder["explained"]:
        failures.append(
            f"source: {missing} of its {coder['expected']} detections are no anchor's box, class and score; check "
            "box coder, anchors and score_converter of pipeline.config"
        )
    if not match.complete:
        failures.append(
            f"source: {match.missing} of {match.expected} detections missing in our own NMS, {match.surplus} surplus"
        )
    if not (match.score_difference <= _SOURCE["score"] and match.lowest_iou >= _SOURCE["overlap"]):
        failures.append(
            f"source: our own NMS is off by {match.score_difference:.3g} in a score, overlaps down to "
            f"{match.lowest_iou:.3g}"
        )
    return failures, []


def _keeps_the_same(options, source):
    """Tell whether an op with ``options`` keeps what the source keeps, but for low scores and a shorter list.

    A box below the threshold never suppresses one above it, so a higher threshold only cuts the list.
    """
    return (
        options.use_regular_nms
        and options.nms_iou_threshold == source.nms_iou_threshold
        and options.nms_score_threshold >= source.nms_score_threshold
        and options.max_detections <= source.max_detections
        and options.detections_per_class == source.detections_per_class
    )


def _source_detections(golden, row):
    """Return the source's own detections; its classes count from 1."""
    count = int(golden["num_detections"][row])
    found = detections.Detections(
        golden["detection_boxes"][row, :count],
        golden["detection_classes"][row, :count].astype(int) - 1,
        golden["detection_scores"][row, :count],
    )
    return found.above(np.finfo(np.float32).tiny)  # rows that fill the list up have the score 0


def _match_all(theirs, heads, options, clip):
    """Compare all that the source's and our NMS keep."""
    kept = slice(options.max_detections)
    theirs = detections.Detections(theirs.boxes[kept], theirs.classes[kept], theirs.scores[kept])
    own = detections.postprocess(*heads, options, clip)
    return detections.match(theirs.above(options.nms_score_threshold), own, options, _SOURCE["score"])


def _match_best(theirs, heads, options, clip):
    """Look for the first detection of our NMS, which no kind of NMS drops, among the source's."""
    if not len(theirs.scores):
        return detections.Match()
    first = dataclasses.replace(options, nms_score_threshold=0, max_detections=1)
    own = detections.postprocess(*heads, first, clip)
    hit = bool(_like(own, 0, theirs.boxes, theirs.classes, theirs.scores, _SOURCE).any())
    return detections.Match(expected=1, found=1, matched=hit, missing=not hit)


def of_decisions(runs, contract, golden, anchors, limits):
    """Count the detections of the golden heads that a file finds.

    Args:
        runs: what it makes of the golden inputs.
        contract, golden, anchors: as in :func:`of_file`.
        limits: ``unmatched``, the share of detections that may be missing or surplus; ``score``, the largest
            difference in a score, by which a detection may also fall below the threshold.

    Returns:
        A :class:`Verdict` with the figure ``decision``: fields of :class:`zoomill.detections.Match`.
    """
    options, match = Options(**contract["postprocess"]), detections.Match()
    for row, run in enumerate(runs):
        heads = golden[ssd_graph.BOXES][row], golden[ssd_graph.SCORES][row], anchors
        match.add(detections.match(detections.postprocess(*heads, options), run.found, options, limits["score"]))
    failures = []
    if match.missing + match.surplus > limits["unmatched"] * match.expected:
        failures.append(f"decision: {match.missing} of {match.expected} detections missing, {match.surplus} surplus")
    if not match.score_difference <= limits["score"]:
        failures.append(f"decision: scores differ by {match.score_difference:.3g}, allowed {limits['score']:g}")
    not_tested = []
    if not match.matched + match.missing:
        not_tested.append(
            f"decision: none of the source's {match.expected} detections is beyond nms_score_threshold "
            f"{options.nms_score_threshold:g} by more than {limits['score']:g}; {_HELP}"
        )
    return Verdict({"decision": dataclasses.asdict(match)}, failures, not_tested)
