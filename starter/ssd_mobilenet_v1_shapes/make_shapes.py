"""Write a synthetic detection set: coloured shapes, often overlapping, on textured backgrounds.

    python make_shapes.py --seed 2 --count 500 --output heldout

writes heldout/images/*.png (160 x 160 RGB) and heldout/annotations.json (COCO layout); with --record also a
TFRecord for the TF Object Detection API. Image i of a seed depends on nothing but (seed, i).
Runs under Python 3.7 and later; TensorFlow is needed for --record only.
"""

import argparse
import io
import json
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = 160
LABELS = tuple(Path(__file__).with_name("labels.txt").read_text().split())
CORNERS = {
    "square": [(-1, -1), (1, -1), (1, 1), (-1, 1)],
    "triangle": [(0, -1), (1, 1), (-1, 1)],
}
# Edge of a box in parts of the image edge, and how far its sides may differ.
EDGES = 0.2, 0.68
STRETCH = 0.8, 1.25
SAME_CLASS_IOU = 0.25
# The least part of a shape that later shapes leave visible, so that its class and extent can be told.
VISIBLE = 0.4
# How often a shape is laid over another on nearly the same box: the pairs that class-agnostic NMS loses.
STACKED = 0.3
CONTRAST = 60.0


def smooth(random, cells):
    """Low-frequency noise in [-1, 1], float64 [SIZE, SIZE], interpolated from a cells x cells grid."""
    grid = random.uniform(-1, 1, (cells, cells))
    at = np.linspace(0, cells - 1, SIZE)
    rows = np.stack([np.interp(at, np.arange(cells), row) for row in grid])
    return np.stack([np.interp(at, np.arange(cells), column) for column in rows.T], axis=1)


def background(random):
    """A textured canvas: float64 [SIZE, SIZE, 3], values about 0..255."""
    y, x = np.mgrid[:SIZE, :SIZE]
    canvas = np.empty((SIZE, SIZE, 3))
    canvas[:] = random.uniform(30, 225, 3)
    canvas += random.uniform(-40, 40, 3) * smooth(random, random.randint(2, 5))[..., None]
    canvas += random.uniform(-25, 25, 3) * smooth(random, random.randint(6, 20))[..., None]
    angle, pitch = random.uniform(0, np.pi), random.uniform(6, 40)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    stripes = np.sign(np.sin(along * 2 * np.pi / pitch))
    pattern = [0 * stripes, stripes, stripes * np.sign(np.sin(across * 2 * np.pi / pitch))][random.randint(3)]
    canvas += random.uniform(-22, 22, 3) * pattern[..., None]
    return canvas + random.randint(0, 4) * random.uniform(-1, 1, (SIZE, SIZE, 1))


def depth(label, box, angle):
    """Signed distance in pixels to the edge of a shape that fills box (x0, y0, x1, y1), positive inside.

    Exact for polygons inside and near their sides; for ellipses to first order.
    """
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    x0, y0, x1, y1 = box
    if label == "circle":
        across, down = (x1 - x0) / 2, (y1 - y0) / 2
        radius = np.hypot((x - (x0 + x1) / 2) / across, (y - (y0 + y1) / 2) / down)
        return (1 - radius) * min(across, down)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points = np.array(CORNERS[label]) @ turn
    points = (points - points.min(0)) / np.ptp(points, axis=0) * (x1 - x0, y1 - y0) + (x0, y0)
    sides = np.stack([np.roll(points, 1, axis=0), points], axis=1)
    return np.min(
        [((qx - px) * (y - py) - (qy - py) * (x - px)) / np.hypot(qx - px, qy - py) for (px, py), (qx, qy) in sides],
        axis=0,
    )


def iou(a, b):
    """Intersection over union of two boxes (x0, y0, x1, y1)."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    common = max(width, 0) * max(height, 0)
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def propose(random, shapes):
    """A box (x0, y0, x1, y1) in pixels within the image: on top of an earlier shape, or anywhere."""
    if shapes and random.uniform() < STACKED:
        x0, y0, x1, y1 = shapes[random.randint(len(shapes))]["box"]
        scale = random.uniform(0.8, 1)
        width, height = (x1 - x0) * scale, (y1 - y0) * scale
        left, top = (x0 + x1 - width) / 2, (y0 + y1 - height) / 2
    else:
        width = SIZE * np.exp(random.uniform(*np.log(EDGES)))
        height = np.clip(width * random.uniform(*STRETCH), SIZE * EDGES[0], SIZE * EDGES[1])
        left, top = random.uniform(1, SIZE - 1 - width), random.uniform(1, SIZE - 1 - height)
    return tuple(np.round([left, top, left + width, top + height], 2).tolist())


def place(random, shapes):
    """A new shape that hides no earlier one too much, or None: label, box and depth map."""
    label = LABELS[random.randint(len(LABELS))]
    box, angle = propose(random, shapes), random.uniform(0, 2 * np.pi)
    if any(iou(box, other["box"]) > SAME_CLASS_IOU for other in shapes if other["label"] == label):
        return None
    inside = depth(label, box, angle)
    for other in shapes:
        if (other["visible"] & (inside < 0)).sum() < VISIBLE * (other["depth"] > 0).sum():
            return None
    return {"label": label, "box": box, "depth": inside, "visible": inside > 0}


def paint(random, canvas, shape):
    """Blend a shape into the canvas in a colour that stands out from what is below it, often with a rim."""
    inside = shape["depth"]
    below = canvas[inside > 0].mean(0)
    fill = random.uniform(0, 255, 3)
    while np.abs(fill - below).max() < CONTRAST:
        fill = random.uniform(0, 255, 3)
    rim = fill * random.uniform(0.3, 0.7) if random.uniform() < 0.5 else fill
    edge = random.uniform(1, 3)
    shade = random.uniform(-25, 25) * smooth(random, 3)[..., None]
    colour = np.where((inside > edge)[..., None], fill + shade, rim)
    cover = np.clip(inside + 0.5, 0, 1)[..., None]
    canvas += cover * (colour - canvas)


def make_image(seed, index):
    """Image `index` of a seed, uint8 RGB [SIZE, SIZE, 3], and its shapes: label, (x0, y0, x1, y1) pixels."""
    random = np.random.RandomState([seed, index])
    canvas, shapes, wanted = background(random), [], random.randint(2, 6)
    for _ in range(8 * wanted):
        shape = place(random, shapes)
        if shape is None:
            continue
        for other in shapes:
            other["visible"] &= shape["depth"] < 0
        paint(random, canvas, shape)
        shapes.append(shape)
        if len(shapes) == wanted:
            break
    pixels = np.clip(np.round(canvas), 0, 255).astype(np.uint8)
    return pixels, [(shape["label"], shape["box"]) for shape in shapes]


def png(pixels):
    """PNG bytes of a uint8 RGB image."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def coco(images, size=SIZE):
    """COCO detection annotations of [(file name, shapes)] in square pictures; image ids count from 1, in order."""
    annotations = []
    for number, (_, shapes) in enumerate(images, 1):
        for label, (x0, y0, x1, y1) in shapes:
            width, height = round(x1 - x0, 2), round(y1 - y0, 2)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": LABELS.index(label) + 1,
                    "bbox": [x0, y0, width, height],
                    "area": round(width * height, 2),
                    "iscrowd": 0,
                }
            )
    return {
        "info": {"description": "synthetic shapes"},
        "images": [
            {"id": number, "file_name": name, "width": size, "height": size}
            for number, (name, _) in enumerate(images, 1)
        ],
        "annotations": annotations,
        "categories": [{"id": number, "name": label} for number, label in enumerate(LABELS, 1)],
    }


def example(name, encoded, shapes):
    """One tf.Example as the Object Detection API reads it; box edges in 0..1."""
    import tensorflow as tf

    def feature(kind, values):
        lists = {"bytes": tf.train.BytesList, "float": tf.train.FloatList, "int64": tf.train.Int64List}
        return tf.train.Feature(**{kind + "_list": lists[kind](value=values)})

    edges = {"xmin": 0, "ymin": 1, "xmax": 2, "ymax": 3}
    features = {
        "image/object/bbox/" + edge: feature("float", [box[at] / SIZE for _, box in shapes])
        for edge, at in edges.items()
    }
    features.update(
        {
            "image/height": feature("int64", [SIZE]),
            "image/width": feature("int64", [SIZE]),
            "image/filename": feature("bytes", [name.encode()]),
            "image/source_id": feature("bytes", [name.encode()]),
            "image/encoded": feature("bytes", [encoded]),
            "image/format": feature("bytes", [b"png"]),
            "image/object/class/text": feature("bytes", [label.encode() for label, _ in shapes]),
            "image/object/class/label": feature("int64", [LABELS.index(label) + 1 for label, _ in shapes]),
        }
    )
    message = tf.train.Example(features=tf.train.Features(feature=features))
    return message.SerializeToString(deterministic=True)


def record_writer(path):
    """A TFRecord writer for `path`."""
    import tensorflow as tf

    return tf.io.TFRecordWriter(str(path))


def main(argv=None):
    """Write images, annotations.json and, when asked for, a TFRecord."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, required=True, help="which set; two seeds share no image")
    parser.add_argument("--count", type=int, required=True, help="number of images")
    parser.add_argument("--output", type=Path, required=True, help="folder for images/ and annotations.json")
    parser.add_argument("--record", type=Path, help="also write this TFRecord")
    flags = parser.parse_args(argv)
    folder = flags.output / "images"
    folder.mkdir(parents=True, exist_ok=True)
    writer, images = flags.record and record_writer(flags.record), []
    for index in range(flags.count):
        pixels, shapes = make_image(flags.seed, index)
        name, encoded = f"{index:06d}.png", png(pixels)
        (folder / name).write_bytes(encoded)
        if writer:
            writer.write(example(name, encoded, shapes))
        images.append((name, shapes))
    if writer:
        writer.close()
    (flags.output / "annotations.json").write_text(json.dumps(coco(images)) + "\n")


if __name__ == "__main__":
    main()
