"""Average precision by way of our matching and of weights, and by the library's own."""

import subprocess

import environments

COMPARED = """
import contextlib, copy, io, sys
import numpy as np
from pycocotools.cocoeval import COCOeval
from zoomill.evaluation import coco
from zoomill.evaluation.coco_matching import Evaluation

random, pictures, known = np.random.RandomState(0), range(20), [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]

def box(picture, corner, size, **more):
    place = [*map(float, corner), *map(float, size)]
    return {"image_id": picture, "category_id": int(random.randint(1, 3)), "bbox": place, "area": place[2] * place[3],
            "iscrowd": 0, **more}

true, found = [], []
for picture in pictures:
    for _ in range(random.randint(5)):  # boxes of all sizes, some without area, some of crowds
        size = random.randint(0, 140, 2) * random.randint(2)
        true.append(box(picture, random.randint(0, 200, 2), size, iscrowd=int(random.rand() < 0.2)))
    for _ in range(random.randint(400)):  # near a true box or anywhere, some of equal scores, more than count
        x, y, *size = true[random.randint(len(true))]["bbox"] if true else (0, 0, 9, 9)
        corner = np.array([x, y]) + random.randint(-9, 10, 2) if random.randint(2) else random.randint(0, 200, 2)
        found.append(box(picture, corner, size, score=round(random.rand(), 1)))
results = []
for kind in (COCOeval, Evaluation):
    with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
        evaluation = kind(*(coco._coco(known, pictures, copy.deepcopy(boxes)) for boxes in (true, found)), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    results.append(repr([evaluation.stats.tolist(), evaluation.eval["scores"].tobytes()]))
    results[-1] += repr([each and {key: np.array(value).tobytes() for key, value in each.items()}
                         for each in evaluation.evalImgs])
print(evaluation.stats[0], results[0] == results[1])
"""


def test_figures_and_partners_are_those_of_the_library(environment_python):
    command = [environment_python("evaluate"), "-W", "ignore", "-c", COMPARED]
    folder = environments.REPOSITORY / "scripts"
    process = subprocess.run(command, cwd=folder, text=True, capture_output=True, check=True)
    average, same = process.stdout.split()
    assert 0 < float(average) < 1 and same == "True"


WEIGHED = """
import numpy as np
from zoomill.evaluation import coco, coco_weighing

random, known = np.random.RandomState(0), [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}, {"id": 3, "name": "c"}]
true, rows = [], []
for picture in range(40):
    found = []
    for _ in range(random.randint(5)):
        place = [*map(float, random.rand(2) * 200), *map(float, 5 + random.rand(2) * 120)]
        known_as = int(random.randint(1, 3 + (picture < 2)))  # a category that is in two pictures only
        true.append({"id": len(true) + 1, "image_id": picture, "category_id": known_as, "bbox": place,
                     "area": place[2] * place[3], "iscrowd": int(random.rand() < 0.1)})
        if random.rand() < 0.7:
            found.append([known_as, random.rand(), *(np.array(place) + random.normal(0, 6, 4)).tolist()])
    found += [[int(random.randint(1, 4)), random.rand() / 2, *(random.rand(4) * 99).tolist()] for _ in range(3)]
    rows.append({"picture": picture, "detections": found})

metric = object.__new__(coco.Coco)
metric._truth = {"images": [], "categories": known, "annotations": true}
metric._categories, metric._found = {1: 1, 2: 2, 3: 3}, {}
weights = np.vstack([np.ones(40, int), random.multinomial(40, np.full(40, 1 / 40), 8)])
apart = []
for figure in metric.values(rows):
    metric.figure = figure
    drawn = metric.weighed(rows)(weights)
    for draw, value in zip(weights, drawn):
        repeated = [row for row, count in zip(rows, draw) for _ in range(count)]
        apart.append(abs(metric.values(repeated).get(figure, 0) - value))
print(len(apart), max(apart))
"""


def test_a_picture_of_weight_two_counts_as_two_pictures(environment_python):
    command = [environment_python("evaluate"), "-W", "ignore", "-c", WEIGHED]
    folder = environments.REPOSITORY / "scripts"
    process = subprocess.run(command, cwd=folder, text=True, capture_output=True, check=True)
    count, apart = process.stdout.split()
    assert int(count) == 12 * 9 and float(apart) < 1e-9
