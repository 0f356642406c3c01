"""Scoring predictions: figures of pycocotools and scikit-learn, and what the evidence says."""

import hashlib
import io
import json

import numpy as np
import pytest
from PIL import Image

from zoomill import files
from zoomill.graph import predictions
from zoomill.inputs import samples
from zoomill.proof import evaluator

SSD = {"max_detections": 10, "max_classes_per_detection": 1, "detections_per_class": 10, "use_regular_nms": True}
SSD |= {
    "nms_score_threshold": 0.3,
    "nms_iou_threshold": 0.6,
    "num_classes": 2,
    "y_scale": 10,
    "x_scale": 10,
    "h_scale": 5,
    "w_scale": 5,
}
PICTURE = {"name": "x", "tensor": "x", "dtype": "float32", "shape": [1, 8, 8, 3], "layout": "NHWC", "colour": "RGB"}


class Task:
    """A data set, predictions for it and the command that scores them."""

    def __init__(self, folder, run, python):
        self.folder, self._run, self._python = folder, run, python

    def write(self, contents, labels, form, contract, metric, predictions):
        """Write samples ``{name: bytes}``, their labels, and what is said of the model."""
        chosen = []
        for (name, data), label in zip(contents.items(), labels, strict=True):
            (self.folder / name).write_bytes(data)
            chosen.append(samples.Sample(name, len(data), hashlib.sha256(data).hexdigest(), label))
        (self.folder / "samples.csv").write_text(samples.index_text(chosen), newline="")
        (self.folder / "contract.json").write_text(json.dumps({"model": "m", "graph": "main", **contract}))
        digest = np.array(files.digest(self.folder / "samples.csv"))
        np.savez(self.folder / "predictions.npz", samples_sha256=digest, **predictions)
        self._flags = ["--form", json.dumps(form), "--metric", json.dumps(metric)]

    def run(self):
        """Return the completed process."""
        flags = {"predictions": "predictions.npz", "contract": "contract.json", "samples": "samples.csv", "folder": ""}
        flags |= {"output": "metric.json", "output-samples": "samples.jsonl"}
        paths = [text for flag, name in flags.items() for text in (f"--{flag}", self.folder / name)]
        return self._run(self._python, "evaluate_source", *paths, *self._flags)

    def result(self):
        """Return the evidence and the rows."""
        process = self.run()
        assert process.returncode == 0, process.stderr
        lines = (self.folder / "samples.jsonl").read_text().splitlines()
        return files.read_json(self.folder / "metric.json"), [json.loads(line) for line in lines]


@pytest.fixture
def task(tmp_path, command, environment_python):
    return Task(tmp_path, command, environment_python("evaluate"))


def detections(task, found, categories=("circle", "square"), labels=("circle", "square"), **metric):
    """Write two pictures of 8 x 8 with one circle each in their left halves, and what was found in them."""
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG")
    truth = {
        "images": [{"id": number, "file_name": f"{number}.png", "width": 8, "height": 8} for number in (5, 7)],
        "categories": [{"id": 2 + index, "name": name} for index, name in enumerate(categories)],
        "annotations": [
            {"id": index, "image_id": number, "category_id": 2, "bbox": [0, 0, 4, 8], "area": 32, "iscrowd": 0}
            for index, number in enumerate((5, 7))
        ],
    }
    (task.folder / "truth.json").write_text(json.dumps(truth))
    boxes, classes, scores = np.zeros((2, 1, 1, 4)), np.zeros((2, 1, 1)), np.zeros((2, 1, 1))
    for index, (box, label, score) in found.items():
        boxes[index, 0, 0], classes[index], scores[index] = box, label, score
    counts = np.array([[[float(index in found)]] for index in range(2)]).reshape(2, 1)
    task.write(
        {"5.png": buffer.getvalue(), "7.png": buffer.getvalue()},
        ["", ""],
        {"reader": "picture", "label": "none"},
        {
            "inputs": [{**PICTURE, "value_range": [0, 1]}],
            "outputs": [{"name": "heads", "tensor": "heads"}],
            "labels": list(labels),
            "label_offset": 1,
            "postprocess": SSD,
        },
        {"name": "coco", "annotations": "truth.json", **metric},
        {"detection_boxes": boxes, "detection_classes": classes, "detection_scores": scores, "num_detections": counts},
    )


LEFT = [0, 0, 1, 0.5]


def test_perfect_detections_have_map_1(task):
    detections(task, {0: (LEFT, 0, 0.9), 1: (LEFT, 0, 0.8)})
    document, rows = task.result()
    assert document["values"]["map"] == document["values"]["ap_50"] == document["values"]["ar_100"] == pytest.approx(1)
    assert rows[1] == {"name": "7.png", "picture": 7, "detections": [[2, 0.8, 0.0, 0.0, 4.0, 8.0]]}


def test_a_picture_without_detections_counts_as_missed(task):
    detections(task, {0: (LEFT, 0, 0.9)})
    document, rows = task.result()
    assert document["samples"] == 2 and rows[1]["detections"] == []
    assert document["values"]["ar_100"] == pytest.approx(0.5)
    assert document["values"]["map"] == pytest.approx(51 / 101)  # 101 points of recall, those up to 0.5 at precision 1


def test_a_model_that_finds_nothing_at_all_has_map_0(task):
    detections(task, {})
    assert task.result()[0]["values"]["map"] == 0


def test_a_class_that_is_off_by_one_finds_nothing(task):
    detections(task, {0: (LEFT, 1, 0.9), 1: (LEFT, 1, 0.8)})
    assert task.result()[0]["values"]["map"] == 0


def test_categories_that_a_model_does_not_know_are_an_error_unless_the_card_says_so(task):
    detections(task, {0: (LEFT, 0, 0.9)}, labels=["circle"])
    process = task.run()
    assert process.returncode == 1 and process.stderr.startswith("error: m: main.source: the model does not know")
    assert not (task.folder / "metric.json").exists()
    detections(task, {0: (LEFT, 0, 0.9), 1: (LEFT, 0, 0.9)}, labels=["circle"], partial=True)
    assert task.result()[0]["values"]["map"] == pytest.approx(1)


def autoencoder(task, errors):
    """Write files of two machines, two normal and two anomalous each, and predictions with those errors."""
    names = [f"{kind}_id_0{machine}_{n}.bin" for machine in (1, 2) for kind in ("normal", "anomaly") for n in (0, 1)]
    task.write(
        {name: np.full(4, number, "<f4").tobytes() for number, name in enumerate(names)},
        [str(int(name.startswith("anomaly"))) for name in names],
        {"reader": "tensor", "dtype": "float32", "shape": [4], "label": "class"},
        {
            "inputs": [
                {"name": "x", "tensor": "x", "dtype": "float32", "shape": [1, 4], "layout": None, "value_range": None}
            ],
            "outputs": [{"name": "y", "tensor": "y:0"}],
            "labels": [],
            "label_offset": 0,
        },
        {"name": "auc", "machines": "id_[0-9]+"},
        {"y:0": np.array([np.full((1, 4), number + error) for number, error in enumerate(errors)], np.float32)},
    )


def test_auc_is_the_mean_over_the_machines_and_not_that_of_all_files(task):
    autoencoder(task, [1, 2, 3, 4, 10, 20, 15, 30])  # machine 1 is told apart, machine 2 in three of four pairs
    values = task.result()[0]["values"]
    assert values == {"auc": 0.875, "auc_id_01": 1, "auc_id_02": 0.75, "auc_pooled": 11 / 16}


def test_the_evidence_is_bound_to_what_it_was_made_from(task):
    autoencoder(task, range(8))
    document, rows = task.result()
    digest = files.digest(task.folder / "samples.jsonl")
    assert document["rows_sha256"] == digest and len(rows) == document["samples"] == 8
    assert document["sha256"] == files.digest(task.folder / "predictions.npz")
    assert document["samples_sha256"] == files.digest(task.folder / "samples.csv")
    assert document["contract_sha256"] == files.digest(task.folder / "contract.json")
    assert document["evaluator_sha256"] == evaluator.code_digest() and document["packages"]["pycocotools"]
    assert document["runner_sha256"] == evaluator.runner_digest("evaluate_source")
    assert document["environment_sha256"] == evaluator.environment_digest()
    before = (task.folder / "metric.json").read_bytes()
    task.run()
    assert (task.folder / "metric.json").read_bytes() == before


def test_predictions_of_another_sample_list_are_refused(task):
    autoencoder(task, range(8))
    listed = (task.folder / "samples.csv").read_text().splitlines(keepends=True)
    (task.folder / "samples.csv").write_text("".join(listed[:-1]), newline="")
    process = task.run()
    assert process.returncode == 1 and "was made from another sample list" in process.stderr
    assert not (task.folder / "metric.json").exists()


def test_of_predictions_that_there_are_not_the_reason_is_written(task):
    detections(task, {})
    predictions.write_reason(task.folder / "predictions.npz", "has no WebGPU")
    assert task.result() == ({"reason": "has no WebGPU"}, [{"reason": "has no WebGPU"}])
