"""Average precision by way of our matching, and by the library's own."""

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
