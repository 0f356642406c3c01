"""What a sweep says of a setting is what scoring with that setting says, and the workflow draws it."""

import json
import subprocess

import environments
import pytest
from conftest import copied

SWEPT = """
import json, sys
import numpy as np
from zoomill.evaluation import coco_weighing, harness, metrics, nms_advice, nms_sweep
from zoomill.inputs.preprocess import Preprocess
from zoomill.inputs.samples import Sample

random, pictures, classes = np.random.RandomState(0), 8, 3
names = [f"{number}.png" for number in range(pictures)]
true = [{"id": number + 1, "image_id": number, "category_id": 1 + number % classes, "iscrowd": 0, "area": 900.0,
         "bbox": [*map(float, random.randint(0, 60, 2)), 30.0, 30.0]} for number in range(pictures) for _ in range(3)]
images = [{"id": number, "file_name": name, "height": 100, "width": 100} for number, name in enumerate(names)]
known = [{"id": 1 + number, "name": "abc"[number]} for number in range(classes)]
truth = {"images": images, "categories": known, "annotations": true}
with open(f"{sys.argv[1]}/truth.json", "w") as file:
    json.dump(truth, file)
anchors = np.float32([[y, x, 0.3, 0.3] for y in np.linspace(0.1, 0.9, 9) for x in np.linspace(0.1, 0.9, 9)])
encodings, scores = random.randn(pictures, 1, 81, 4).astype("f4"), random.rand(pictures, 1, 81, 4).astype("f4")
scores *= np.where(random.rand(*scores.shape) < 0.02, 1, 0.03).astype("f4")
for box in true:  # where a box is, an anchor has found it with a score of 0.03 to 0.9
    x, y, *_ = np.array(box["bbox"]) / 100 + 0.15
    place = np.argmin(np.abs(anchors[:, :2] - [y, x]).sum(axis=1))
    encodings[box["image_id"], 0, place] = [*([y, x] - anchors[place, :2]) / 0.3 * 10, 0, 0]
    scores[box["image_id"], 0, place, 1:] = 0
    scores[box["image_id"], 0, place, box["category_id"]] = 0.03 + 0.87 * random.rand() ** 2
heads = [{"box_encodings": one, "class_predictions": other} for one, other in zip(encodings, scores)]
options = json.loads(sys.argv[2])
source = {"name": "x", "tensor": "x", "shape": [1, 100, 100, 3], "dtype": "float32", "layout": "NHWC"}
source["value_range"] = [0, 1]
contract = {"inputs": [source], "outputs": [{"name": "box_encodings"}, {"name": "class_predictions"}],
            "labels": ["a", "b", "c"], "label_offset": 0, "postprocess": options}

class Pictures:
    folder, form, preprocess = sys.argv[1], {"reader": "picture", "label": "none"}, {}

    def feeds(self, promises, part=slice(None)):
        for place, name in enumerate(names):
            yield Sample(name, 1, "", ""), (100, 100), [place]

metric = {"name": "coco", "annotations": "truth.json", "decode": {"kind": "ssd", "nms_score_threshold": 0.1}}
task = harness.Task(contract, Pictures(), metric, anchors)
grid = {"nms_score_threshold": [0.02, 0.6], "nms_iou_threshold": [0.3]}
grid |= {"max_detections": [5, 20], "detections_per_class": [3, 10, 20]}
sweep = nms_sweep.Sweep(task, lambda place: heads[place], grid)
differ, count = 0.0, 0
for one in sweep.settings():
    rows = sweep.rows(one.asked)
    for figure in ("map", coco_weighing.F1):
        judge = nms_sweep.of_figure(task.metric(), figure)
        expected = judge.weighed(rows)(sweep.weights())
        differ = max(differ, *np.abs(expected - list(one.figures[figure].values())))
    differ = max(differ, abs(one.boxes - np.mean([len(row["detections"]) for row in rows])))
    count += 1
print(json.dumps([differ, count, nms_advice.document(sweep)]))
"""
SHAPES = "results/ssd_mobilenet_v1_shapes"
GRID = {"nms_score_threshold": [], "nms_iou_threshold": [], "max_detections": [10], "detections_per_class": []}


@pytest.fixture(scope="module")
def swept(environment_python, tmp_path_factory):
    """What a sweep over drawn heads says, and how far it is from scoring each setting by itself."""
    options = {"max_detections": 20, "max_classes_per_detection": 1, "detections_per_class": 20}
    options |= {"use_regular_nms": True, "nms_score_threshold": 0.5, "nms_iou_threshold": 0.5, "num_classes": 3}
    options |= {"y_scale": 10, "x_scale": 10, "h_scale": 5, "w_scale": 5}
    folder = tmp_path_factory.mktemp("swept")
    command = [environment_python("evaluate"), "-c", SWEPT, folder, json.dumps(options)]
    process = subprocess.run(command, cwd=environments.REPOSITORY / "scripts", text=True, capture_output=True)
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def test_each_figure_is_that_of_scoring_with_the_setting_alone(swept):
    differ, count, _ = swept
    # Scores 0.02, 0.1, 0.5, 0.6; overlaps 0.3, 0.5; 5 and 20 detections, regular with 20 and 3 of a class, with
    # 10 too where that is less than the picture's.
    assert differ < 1e-9 and count == 4 * 2 * (2 + 2 + 1 + 2)


def test_the_best_is_chosen_by_one_half_and_judged_by_the_other(swept):
    document = swept[2]
    assert document["samples"] == {"deciding": 4, "rest": 4, "all": 8}
    by_figure, by_f1 = document["advice"]
    assert (by_figure["by"], by_f1["by"]) == ("map", "f1_50")
    # Boxes that are found with low scores raise the figure: a lower threshold would be the best by it.
    deciding = {one["setting"]["nms_score_threshold"]: [] for one in document["settings"]}
    for one in document["settings"]:
        deciding[one["setting"]["nms_score_threshold"]].append(one["figures"]["map"]["deciding"])
    assert max(deciding[0.02]) > max(deciding[0.1]) + 0.01
    for one, chosen in ((by_figure, [0.1]), (by_f1, [0.02, 0.1, 0.5, 0.6])):
        tried = [each for each in document["settings"] if each["setting"]["nms_score_threshold"] in chosen]
        best = max(each["figures"][one["by"]]["deciding"] for each in tried)
        assert one["figures"]["deciding"] == best
        (own,) = [each for each in document["settings"] if each["setting"] == one["own"]]
        difference = one["figures"]["rest"] - own["figures"][one["by"]]["rest"]
        assert one["against"]["difference"] == pytest.approx(difference)
        assert one["take"] == ("best" if one["against"]["verdict"] == "gain" else "own")


def test_changes_are_of_one_setting_each(swept):
    told = {(one["setting"], one["own"], one["value"]) for one in swept[2]["changes"]}
    of_a_class = {("detections_per_class", 20, most) for most in (3, 10)}
    assert told == {("max_detections", 20, 5), ("use_regular_nms", True, False), *of_a_class}


def test_the_workflow_sweeps_the_starter_detector_and_its_figures_are_those_of_evaluation(starter_run, tmp_path):
    run = copied(starter_run, tmp_path / "run")
    plot = f"{SHAPES}/detect_cut.float32.nms.svg"
    with open(run.repository / "config.yaml", "a") as file:
        file.write(f"nms: {json.dumps(GRID)}\n")
    run.run(plot)
    document = json.loads(run.file(f"{SHAPES}/detect_cut.float32.nms.json").read_text())
    names = ("use_regular_nms", "nms_score_threshold", "max_detections")
    found = {tuple(one["setting"][key] for key in names): one["figures"]["map"]["all"] for one in document["settings"]}
    told = {(True, 0.0, 100): 0.7484, (True, 0.3, 100): 0.7138, (False, 0.0, 100): 0.6740}  # docs/evaluation.md
    assert {key: found[key] for key in told} == pytest.approx(told, abs=5e-5)
    (fast,) = [one for one in document["changes"] if one["setting"] == "use_regular_nms"]
    assert fast["verdict"] == "loss" and max(fast["interval"]) < 0
    picture = run.file(plot).read_bytes()
    assert picture.startswith(b"<svg") and b"<dc:date>" not in picture
    run.run("--force", plot)
    assert run.file(plot).read_bytes() == picture
