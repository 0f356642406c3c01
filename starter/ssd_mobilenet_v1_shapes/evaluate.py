"""Score a frozen detection graph on a folder written by make_shapes.py, by COCO's rules over all its images.

    python evaluate.py --graph frozen_inference_graph.pb --data heldout

prints JSON: mAP (IoU .50:.95), AP50, AP75 and the AP of each class. Boxes are scored in pixels of the image.
"""

import argparse
import contextlib
import json
import sys
from pathlib import Path

import numpy as np
import tensorflow.compat.v1 as tf
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

OUTPUTS = ["detection_boxes", "detection_scores", "detection_classes", "num_detections"]


def detector(graph_file):
    """A function from a uint8 RGB image [h, w, 3] to the graph's outputs, by name, without the batch axis."""
    definition = tf.GraphDef.FromString(Path(graph_file).read_bytes())
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(definition, name="")
    session = tf.Session(graph=graph)
    fetches = {name: name + ":0" for name in OUTPUTS}

    def detect(pixels):
        results = session.run(fetches, {"image_tensor:0": pixels[None]})
        return {name: value[0] for name, value in results.items()}

    return detect


def detections(detect, image, pixels):
    """Yield what `detect` finds in one image as COCO results: boxes [x, y, width, height] in pixels."""
    found = detect(pixels)
    for at in range(int(found["num_detections"])):
        y0, x0, y1, x1 = (float(edge) for edge in found["detection_boxes"][at])
        yield {
            "image_id": image["id"],
            "category_id": int(found["detection_classes"][at]),
            "score": float(found["detection_scores"][at]),
            "bbox": [
                x0 * image["width"],
                y0 * image["height"],
                (x1 - x0) * image["width"],
                (y1 - y0) * image["height"],
            ],
        }


def average(precision):
    """Mean of COCO precisions; the entries of -1 stand for "no such objects"."""
    return round(float(precision[precision > -1].mean()), 4)


def evaluate(graph_file, folder):
    """COCO figures of a frozen graph on a data folder, as a dict of floats in 0..1 and the image count."""
    with contextlib.redirect_stdout(sys.stderr):
        truth = COCO(str(folder / "annotations.json"))
        detect = detector(graph_file)
        results = [
            result
            for image in truth.dataset["images"]
            for result in detections(detect, image, np.asarray(Image.open(folder / "images" / image["file_name"])))
        ]
        scorer = COCOeval(truth, truth.loadRes(results), "bbox")
        scorer.evaluate()
        scorer.accumulate()
        scorer.summarize()
    # [IoU threshold, recall, class, object size, detection limit]: all sizes, at most 100 detections.
    precision = scorer.eval["precision"][:, :, :, 0, -1]
    figures = {"images": len(truth.dataset["images"])}
    figures.update({"mAP": average(precision), "AP50": average(precision[0]), "AP75": average(precision[5])})
    figures["AP"] = {
        category["name"]: average(precision[:, :, at]) for at, category in enumerate(truth.dataset["categories"])
    }
    return figures


def main(argv=None):
    """Print the figures of one graph."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--graph", type=Path, required=True, help="frozen_inference_graph.pb")
    parser.add_argument("--data", type=Path, required=True, help="folder with images/ and annotations.json")
    flags = parser.parse_args(argv)
    print(json.dumps(evaluate(flags.graph, flags.data), indent=2))


if __name__ == "__main__":
    main()
