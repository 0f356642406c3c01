"""What golden outputs alone say of a detector: box coder, anchors, scores and NMS against the source's detections."""

import dataclasses

import numpy as np

from zoomill.detection import head_names, nms
from zoomill.detection.postprocess import Options
from zoomill.proof.evidence import Verdict

# The source decodes and converts in another order than we, and cuts its boxes at the edges.
_TOLERANCE = {"score": 1e-4, "coordinate": 1e-4, "overlap": 0.99}
HELP = "give `golden:` pictures on which the model finds something, or a lower nms_score_threshold"


def compare(contract, golden, anchors):
    """Compare box coder, anchors, scores and our own NMS with the detections of the source itself.

    Every detection of the source must be the decoded box of some anchor, with its class and score. Our NMS must give
    all of them where it is of the same kind as the source's, and the best of each image anyway.

    Args:
        contract: contract of a detection graph, with or without the op.
        golden: mapping of golden arrays by tensor name, one row for each pinned input.
        anchors: float32 ``[anchors, 4]``: ycenter, xcenter, height, width.

    Returns:
        A :class:`Verdict` with the figure ``source``: ``box_coder``, how many detections the source has and how
        many of them an anchor explains; ``compared``, ``all`` or ``best``; and fields of
        :class:`zoomill.detection.nms.Match` of our NMS. Only ``compared: none`` where the source has no detections.
    """
    if "detection_boxes" not in golden:
        return Verdict({"source": {"compared": "none"}}, [], [])
    options = Options(**contract["postprocess"])
    source = Options(**contract["source_postprocess"]) if "source_postprocess" in contract else None
    complete = source is not None and _keeps_the_same(options, source)
    if complete:  # all that the source finds is there to compare with, not only what the model is to give
        options = dataclasses.replace(options, nms_score_threshold=source.nms_score_threshold)
    images = [_image(golden, row, anchors) for row in range(len(golden["detection_boxes"]))]
    coder = _box_coder(images, options)
    match = _nms(images, options, complete, "after")
    if _distance(match) > _distance(nms.Match(lowest_iou=_TOLERANCE["overlap"])):
        match = min(match, _nms(images, options, complete, "before"), key=_distance)
    figure = {"box_coder": coder, "compared": "all" if complete else "best", **dataclasses.asdict(match)}
    return Verdict({"source": figure}, *_source_phrases(coder, match))


def _image(golden, row, anchors):
    """Return the source's own detections in one image, and golden heads and anchors."""
    count = int(golden["num_detections"][row])
    found = nms.Detections(
        golden["detection_boxes"][row, :count],
        golden["detection_classes"][row, :count].astype(int) - 1,  # the source counts from 1
        golden["detection_scores"][row, :count],
    )
    # Rows that fill the list up have the score 0.
    return found.above(np.finfo(np.float32).tiny), (
        golden[head_names.BOXES][row],
        golden[head_names.SCORES][row],
        anchors,
    )


def _box_coder(images, options):
    """Count the source's detections, and those that some anchor explains."""
    coder = {"expected": 0, "explained": 0}
    for theirs, (encodings, columns, anchors) in images:
        boxes, scores = (
            np.clip(nms.decode(encodings, anchors, options), 0, 1),
            columns[:, -options.num_classes :],
        )
        coder["expected"] += len(theirs.scores)
        for one in range(len(theirs.scores)):
            coder["explained"] += nms.explained(theirs, one, boxes, scores, _TOLERANCE)
    return coder


def _nms(images, options, complete, clip):
    """Compare our own NMS, all of it or its best detection, with the source's."""
    match = nms.Match()
    for theirs, heads in images:
        match.add((_match_all if complete else _match_best)(theirs, heads, options, clip))
    return match


def _distance(match):
    return match.missing + match.surplus, -match.lowest_iou


def _source_phrases(coder, match):
    """Return the phrases for what failed and for what was not tested."""
    if not coder["expected"]:
        return [], [f"source: it finds nothing on the golden inputs; {HELP}"]
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
    if not match.lowest_iou >= _TOLERANCE["overlap"]:
        failures.append(f"source: its detections overlap those of our own NMS by {match.lowest_iou:.3g} at least")
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


def _match_all(theirs, heads, options, clip):
    """Compare all that the source's and our NMS keep."""
    kept = slice(options.max_detections)
    theirs = nms.Detections(theirs.boxes[kept], theirs.classes[kept], theirs.scores[kept])
    own = nms.postprocess(*heads, options, clip)
    return nms.match(theirs.above(options.nms_score_threshold), own, options, _TOLERANCE["score"])


def _match_best(theirs, heads, options, clip):
    """Look for the first detection of our NMS, which no kind of NMS drops, among the source's."""
    if not len(theirs.scores):
        return nms.Match()
    first = dataclasses.replace(options, nms_score_threshold=0, max_detections=1)
    own = nms.postprocess(*heads, first, clip)
    hit = bool(nms.like(own, 0, theirs.boxes, theirs.classes, theirs.scores, _TOLERANCE).any())
    return nms.Match(expected=1, found=1, matched=hit, missing=not hit)
