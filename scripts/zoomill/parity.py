"""How near an artifact comes to the golden outputs of its source model."""

import dataclasses

import numpy as np

from zoomill import detections, ssd_graph
from zoomill.errors import UserError
from zoomill.postprocess import Options


def feeds(contract, golden):
    """Yield the golden inputs one by one, as ``{input tensor: array}``."""
    names = [entry["tensor"] for entry in contract["inputs"]]
    for values in zip(*(golden[name] for name in names), strict=True):
        yield dict(zip(names, values, strict=True))


def of_outputs(artifact, contract, golden):
    """Compare all outputs with the golden ones.

    Args:
        artifact: :class:`zoomill.runtime.Artifact`, or what is called and answers like it.
        contract: contract of its graph.
        golden: mapping of golden arrays by tensor name, one row for each pinned input.

    Returns:
        ``{output: {"max_abs": …, "mean_abs": …, "peak": …}}``; ``peak`` is the largest golden value.

    Raises:
        UserError: when an output has another number of values than the golden one.
    """
    runs = [artifact(contract, feed) for feed in feeds(contract, golden)]
    result = {}
    for entry in contract["outputs"]:
        expected = golden[entry["tensor"]].astype(np.float64)
        found = np.stack([np.ravel(run[entry["name"]]) for run in runs])
        if found.size != expected.size:
            raise UserError(f"{entry['name']} has {found.size} values, the source gives {expected.size}")
        difference = np.abs(found - expected.reshape(found.shape))
        result[entry["name"]] = {
            "max_abs": float(difference.max(initial=0)),
            "mean_abs": float(difference.mean()),
            "peak": float(np.abs(expected).max(initial=0)),
        }
    return result


def apart(first, second, contract, golden):
    """Return how far two artifacts of one graph are apart on the golden inputs.

    Args:
        first, second: :class:`zoomill.runtime.Artifact`.
        contract, golden: as in :func:`of_outputs`.

    Returns:
        ``{output: {"max_abs": …, "mean_abs": …}}``.
    """
    runs = [(first(contract, feed), second(contract, feed)) for feed in feeds(contract, golden)]
    result = {}
    for entry in contract["outputs"]:
        name = entry["name"]
        difference = np.abs(np.stack([one[name].astype(np.float64) - other[name] for one, other in runs]))
        result[name] = {"max_abs": float(difference.max(initial=0)), "mean_abs": float(difference.mean())}
    return result


def of_detections(artifact, contract, golden, anchors, tolerance):
    """Compare detections with those that our own NMS gives for the golden raw heads.

    Args:
        artifact, contract, golden: as in :func:`of_outputs`.
        anchors: float32 ``[anchors, 4]``: ycenter, xcenter, height, width.
        tolerance: difference in score that may push a detection over the threshold.

    Returns:
        Fields of :class:`zoomill.detections.Match` each: ``expected``, the artifact; ``other_nms``, the artifact
        against the other kind of NMS; where it can be compared, ``source``, our NMS against the source's own, which
        cuts boxes at the edges before or after (whichever fits). ``nms_kinds_differ_on``: number of images on which
        regular and fast NMS differ.
    """
    options = Options(**contract["postprocess"])
    other = dataclasses.replace(options, use_regular_nms=not options.use_regular_nms, max_classes_per_detection=1)
    own, opposite = detections.Match(), detections.Match()
    source = {"before": detections.Match(), "after": detections.Match()}
    comparable = "detection_boxes" in golden and _keeps_the_same(options, Options(**contract["source_postprocess"]))
    kinds_differ = 0
    for row, feed in enumerate(feeds(contract, golden)):
        found = detections.of_outputs(artifact(contract, feed), options)
        heads = golden[ssd_graph.BOXES][row], golden[ssd_graph.SCORES][row], anchors
        expected, others = (detections.postprocess(*heads, kind) for kind in (options, other))
        own.add(detections.match(expected, found, options, tolerance))
        opposite.add(detections.match(others, found, options, tolerance))
        kinds_differ += not detections.match(expected, others, options, tolerance).complete
        if comparable:
            theirs = _source_detections(golden, row, options)
            for clip, match in source.items():
                clipped = detections.postprocess(*heads, options, clip)
                match.add(detections.match(theirs, clipped, options, tolerance))
    result = {
        "expected": dataclasses.asdict(own),
        "other_nms": dataclasses.asdict(opposite),
        "nms_kinds_differ_on": kinds_differ,
        "images": len(golden[ssd_graph.INPUT]),
    }
    if comparable:
        result["source"] = min(map(dataclasses.asdict, source.values()), key=lambda m: m["missing"] + m["surplus"])
    return result


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


def _source_detections(golden, row, options):
    """Return the source's own detections that the options would keep too; its classes count from 1."""
    count = min(int(golden["num_detections"][row]), options.max_detections)
    return detections.Detections(
        golden["detection_boxes"][row, :count],
        golden["detection_classes"][row, :count].astype(int) - 1,
        golden["detection_scores"][row, :count],
    ).above(options.nms_score_threshold)
