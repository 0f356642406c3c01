"""Train a small YOLO with the real Darknet; print its AP50 on held-out pictures.

python -m starter.yolo_shapes.train --output yolo_shapes.weights --golden golden > log
"""

import argparse
import re
import sys
from pathlib import Path

import numpy as np
from starter.yolo_shapes import darknet, draw

CONFIG = Path(__file__).with_name("yolo_shapes.cfg")
SEED = 1
TRAIN = {"seed": 1, "count": 8000}
HELDOUT = {"seed": 1000, "count": 500}
GOLDEN = 3
# Of boxes of one class that overlap more than this, only the best counts; boxes with lower scores do not count.
NMS_IOU = 0.45
LEAST_SCORE = 0.01


def inputs(pictures):
    """Return pictures as the model takes them: float32 [n, height, width, 3], 0 to 1."""
    return pictures.astype(np.float32) / 255


def ious(box, others):
    """Return intersection over union of a box [4] (xmin, ymin, xmax, ymax) with others [n, 4]."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    common = np.prod(np.clip(sides, 0, None), axis=1)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1)
    return common / (np.prod(box[2:] - box[:2]) + areas - common)


def detections(boxes):
    """Return what the model finds in one picture, best first, after non-maximum suppression in each class.

    Args:
        boxes: [n, 8]: xmin, ymin, xmax, ymax, objectness, scores.

    Returns:
        list of (score, class, box).
    """
    found = []
    scores = boxes[:, 5:]
    for index, label in sorted(zip(*np.nonzero(scores > LEAST_SCORE), strict=True), key=lambda at: -scores[at]):
        box = boxes[index, :4]
        rivals = np.array([other for _, kind, other in found if kind == label]).reshape(-1, 4)
        if (ious(box, rivals) <= NMS_IOU).all():
            found.append((scores[index, label], label, box))
    return found


def average_precision(found, shapes, label):
    """Return the area under the curve of precision over recall at IoU 0.5, for one class.

    Precision at a recall is the best at this or a higher one, as in PASCAL VOC since 2010.

    Args:
        found: for each picture what :func:`detections` returned.
        shapes: for each picture [shapes, 5]: class, box.
        label: the class.
    """
    truths = [each[each[:, 0] == label, 1:] for each in shapes]
    free = [np.ones(len(boxes), bool) for boxes in truths]
    ranked = [(score, at, box) for at, each in enumerate(found) for score, kind, box in each if kind == label]
    hits = []
    for _, at, box in sorted(ranked, key=lambda each: -each[0]):
        overlaps = ious(box, truths[at]) * free[at]
        hit = overlaps.size > 0 and overlaps.max() > 0.5
        if hit:
            free[at][overlaps.argmax()] = False
        hits.append(hit)
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return best[hits].sum() / sum(map(len, truths))


def score(predict):
    """Return the figures of the model's README: AP50, the mean over the classes.

    Args:
        predict: function from float32 [n, 80, 80, 3] to boxes [n, boxes, 8].
    """
    pictures, shapes = draw.pictures(**HELDOUT)
    found = [detections(boxes) for boxes in predict(inputs(pictures))]
    classes = range(len(draw.LABELS))
    return {"AP50": float(np.mean([average_precision(found, shapes, label) for label in classes]))}


def truths(shapes):
    """Return the shapes of each picture as Darknet reads them, float32 [n, TRUTHS, 5]."""
    rows = np.zeros((len(shapes), darknet.TRUTHS, 5), np.float32)
    for row, each in zip(rows, shapes, strict=True):
        low, high = each[:, 1:3], each[:, 3:5]
        row[: len(each)] = np.hstack([(low + high) / 2, high - low, each[:, :1]])
    return rows


def mirrored(random, pictures, boxes):
    """Return pictures and their truths, half of them mirrored left to right, half of them top to bottom."""
    pictures, boxes = pictures.copy(), boxes.copy()
    for axis in (0, 1):
        chosen = random.uniform(size=len(pictures)) < 0.5
        pictures[chosen] = np.flip(pictures[chosen], 2 - axis)
        there = chosen[:, None] & (boxes[..., 2] > 0)
        boxes[there, axis] = 1 - boxes[there, axis]
    return pictures, boxes


def train(text):
    """Return the trained network."""
    batch, steps = (int(re.search(rf"(?m)^{key}=(\d+)", text)[1]) for key in ("batch", "max_batches"))
    pictures, shapes = draw.pictures(**TRAIN)
    boxes, random = truths(shapes), np.random.RandomState(SEED)
    network = darknet.Network(text, seed=SEED)
    order = np.empty(0, int)
    for step in range(steps):
        if len(order) < batch:
            order = random.permutation(len(pictures))
        chosen, order = order[:batch], order[batch:]
        some, where = mirrored(random, pictures[chosen], boxes[chosen])
        loss = network.train(inputs(some).transpose(0, 3, 1, 2), where)
        if step % 100 == 99:
            print(f"step {step + 1} of {steps}, loss {loss:.3f}", file=sys.stderr)
    return network


def write_golden(folder):
    """Write the first held-out pictures: the pinned inputs of the card."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(draw.pictures(HELDOUT["seed"], GOLDEN)[0]):
        Image.fromarray(picture).save(folder / f"{number}.png", optimize=True)


def main():
    """Train, save and score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", required=True, help="file to write")
    parser.add_argument("--golden", type=Path, required=True, help="folder for the pinned inputs")
    flags = parser.parse_args()
    text = CONFIG.read_text()
    train(text).save(flags.output)
    write_golden(flags.golden)
    network = darknet.Network.for_one(text, flags.output)
    print(score(lambda values: np.stack([network.run(value.transpose(2, 0, 1)) for value in values])), file=sys.stderr)


if __name__ == "__main__":
    main()
