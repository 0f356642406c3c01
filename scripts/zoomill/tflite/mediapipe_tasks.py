"""What MediaPipe Tasks make of a .tflite file by its metadata, against what LiteRT makes of it by its contract.

https://ai.google.dev/edge/mediapipe/solutions/tasks
"""

import numpy as np

from zoomill.detection import nms
from zoomill.detection.postprocess import Options
from zoomill.inputs import as_picture
from zoomill.inputs.preprocess import Preprocess
from zoomill.proof.evidence import Verdict
from zoomill.tflite import metadata
from zoomill.tflite.runtime import Artifact

# Which of its tasks a model is for.
TASKS = {
    "object-detection": "ObjectDetector",
    "image-classification": "ImageClassifier",
    "image-segmentation": "ImageSegmenter",
}
# What MediaPipe's kernels, which are an XNNPACK of its own, and LiteRT's XNNPACK differ by at most in a score: of float
# weights, and of integers, where a rounding that falls otherwise is carried on.
_EXACT, _ROUNDED = 1e-4, 0.05
# MediaPipe gives boxes in whole pixels, cut off. A corner left of the picture or above it is put on its edge, and the
# size stays, which is at most that of the picture.
_PIXELS = 1.5


def why_not(contract, ends):
    """Return why MediaPipe cannot take files of a graph, None where it has to.

    Args:
        contract: contract of the graph.
        ends: the dtype in which the file takes floats.
    """
    task, (promise, *others) = contract.get("task"), contract["inputs"]
    outputs = contract["outputs"]
    if task not in TASKS:
        return f"there is no task for {task}"
    if others:
        return f"it has {1 + len(others)} inputs, and a task gives one picture"
    if promise["layout"] != "NHWC" or promise["colour"] != "RGB":
        return f"its input is {promise['colour']} {promise['layout']}, and a task gives RGB NHWC"
    if not promise["value_range"]:
        return "its input has no `value_range` in the card, which says how pixels are scaled"
    if any(isinstance(end, list) for end in promise["value_range"]):
        return "its channels have ranges of their own, and a task scales all alike"
    if ends == "int8":
        return "its input is int8, and a task gives float32 or uint8"
    if task == "object-detection" and {entry["name"] for entry in outputs} != metadata.DETECTIONS:
        return "its boxes come before NMS; a graph with TFLite_Detection_PostProcess can be opened"
    if task == "image-segmentation" and (len(outputs) > 1 or len(outputs[0]["shape"]) != 4):
        return "its outputs are not one picture with a channel for each class"
    return None


def ask(path, contract, golden, limits, exact):
    """Open a file in its task and compare what it makes of the golden pictures.

    Args:
        path: the file.
        contract: contract of its graph, whose task is one of :data:`TASKS`.
        golden: mapping of golden arrays by tensor name, one row for each pinned input.
        limits: ``unmatched``, the share of decisions that may differ where numbers are rounded.
        exact: whether the file computes with float weights.

    Returns:
        A :class:`zoomill.proof.evidence.Verdict`.

    Raises:
        ValueError: when MediaPipe refuses the file; the text is its own.
    """
    import mediapipe
    from mediapipe.tasks.python import BaseOptions, vision

    name, compare = TASKS[contract["task"]], _COMPARED[contract["task"]]
    more = {"output_category_mask": True} if name == "ImageSegmenter" else {}
    with open(path, "rb") as file:
        base = BaseOptions(model_asset_buffer=file.read())
    try:
        options = getattr(vision, f"{name}Options")(base_options=base, **more)
        task = getattr(vision, name).create_from_options(options)
    except Exception as error:  # of several kinds
        raise ValueError(" ".join(str(error).split())) from error
    run, tolerance = Artifact(path, "xnnpack"), _EXACT if exact else _ROUNDED
    total = {"pictures": 0, "expected": 0, "differ": 0, "score_difference": 0.0}
    with task:
        for picture, feed in pictures(contract, golden):
            image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=picture)
            expected, differ, difference = compare(task, image, contract, run(contract, feed), tolerance)
            total["pictures"] += 1
            total["expected"] += expected
            total["differ"] += differ
            total["score_difference"] = max(total["score_difference"], float(difference))
    failures = []
    if total["differ"] > (0 if exact else limits["unmatched"]) * total["expected"]:
        failures.append(f"{name} gives {total['differ']} of {total['expected']} answers otherwise than LiteRT")
    nothing = f"{name} gives no answer that could be compared" if golden else f"{name} opens it; there are no pictures"
    not_tested = [] if total["expected"] else [nothing]
    return Verdict(total, failures, not_tested)


def pictures(contract, golden):
    """Yield each golden input as an 8-bit picture ``[height, width, 3]`` and the feed that the contract makes of it."""
    (promise,) = contract["inputs"]
    for values in golden.get(promise["tensor"], ()):
        picture = as_picture.of_input(promise, values)
        yield picture, {promise["tensor"]: Preprocess(promise)(picture)}


def _boxes(task, image, contract, outputs, tolerance):
    """Compare detections by name, or number without, score and box; those near the threshold may be on either side."""
    own, labels = nms.of_outputs(outputs, Options(**contract["postprocess"])), contract["labels"]
    size = np.array([image.height, image.width])
    ours = [
        (
            _named(labels, int(number)) or int(number),
            float(score),
            [*np.maximum(box[:2] * size, 0), *np.minimum((box[2:] - box[:2]) * size, size)],
        )
        for box, number, score in zip(own.boxes, own.classes, own.scores, strict=True)
    ]
    # One detection has all classes of its box.
    theirs = [
        (category.category_name or category.index, category.score, [box.origin_y, box.origin_x, box.height, box.width])
        for box, categories in ((one.bounding_box, one.categories) for one in task.detect(image).detections)
        for category in categories
    ]
    floor = contract["postprocess"]["nms_score_threshold"] + tolerance
    (lost, clear, one), (gained, _, other) = (
        _unmatched(first, second, floor, tolerance) for first, second in ((ours, theirs), (theirs, ours))
    )
    return clear, lost + gained, max(one, other)


def _unmatched(first, second, floor, tolerance):
    """Count clear detections without a partner, all clear ones, and the largest difference in a score."""
    clear, found = [one for one in first if one[1] >= floor], []
    for known, score, box in clear:
        near = [
            abs(score - other[1])
            for other in second
            if other[0] == known and np.abs(np.subtract(box, other[2])).max() <= _PIXELS
        ]
        found += [min(near)] if near and min(near) <= tolerance else []
    return len(clear) - len(found), len(clear), max(found, default=0)


def _classes(task, image, contract, outputs, tolerance):
    """Compare the best class by its name, and the scores of all; of two that are as good, either may be first."""
    lines, differ, difference = metadata.label_lines(contract), 0, 0.0
    for entry, found in zip(contract["outputs"], task.classify(image).classifications, strict=True):
        scores = outputs[entry["name"]].ravel()
        theirs = np.zeros(len(scores))
        for category in found.categories:
            theirs[category.index] = category.score
        best, spread = found.categories[0], max(1.0, float(np.ptp(scores)))
        error = np.abs(theirs - scores).max() / spread
        named = best.category_name == (_named(lines, best.index) if len(lines) == len(scores) else best.category_name)
        right = scores[best.index] >= scores.max() - 2 * tolerance * spread
        differ += not (named and right and error <= tolerance)
        difference = max(difference, error)
    return len(contract["outputs"]), differ, difference


def _masks(task, image, contract, outputs, tolerance):
    """Compare the class of each pixel where the best is clear of the second; a single one has 255 for none."""
    scores = next(iter(outputs.values()))[0]
    mask = task.segment(image).category_mask.numpy_view().reshape(scores.shape[:2])
    if scores.shape[2] == 1:
        scores, mask = np.concatenate([scores, 1 - scores], axis=2), mask // 255
    ordered = np.sort(scores, axis=2)
    clear = ordered[..., -1] - ordered[..., -2] > 2 * tolerance * max(1.0, float(np.ptp(scores)))
    return int(clear.sum()), int((clear & (mask != scores.argmax(axis=2))).sum()), 0.0


def _named(labels, number):
    return labels[number] if 0 <= number < len(labels) else None


_COMPARED = {"object-detection": _boxes, "image-classification": _classes, "image-segmentation": _masks}
