"""COCO's mean average precision, one of the metrics of :mod:`zoomill.evaluation.metrics`."""

import collections
import contextlib
import copy
import io
import os

import numpy as np

from zoomill import files, made
from zoomill.detection import decode
from zoomill.errors import UserError
from zoomill.evaluation import coco_weighing

# The order of COCOeval.stats.
_FIGURES = (
    *("map", "ap_50", "ap_75", "map_small", "map_medium", "map_large"),
    *("ar_1", "ar_10", "ar_100", "ar_small", "ar_medium", "ar_large"),
)


class Coco:
    """Mean average precision as COCO defines it, by pycocotools, over all pictures of the sample list.

    A picture without detections counts: its boxes are missed.

    Args:
        setting: :class:`zoomill.evaluation.metrics.Setting`.
        annotations: COCO's instances JSON, a path below the data set's folder; its pictures are found by the sample's
            name, or by its last part.
        decode: ``kind`` and options of :func:`zoomill.detection.decode.decoder`; an SSD's if not given. A lower
            ``nms_score_threshold`` than the contract's counts for the figure alone, and :attr:`said` tells it.
        classes: how the model's classes are found among the categories: ``name``, by the contract's labels; ``order``,
            one for each category in the order of their ids; ``id``, the class number plus the contract's
            ``label_offset`` is the id, as in models with COCO's 90 numbers.
        partial: the model knows only some of the categories, the others are not scored; else that is an error.
    """

    figure, more_is_better, share = "map", True, True

    def __init__(self, setting, annotations, decode=None, classes="name", partial=False):
        self._setting = setting
        self._decode, self.said = _decoder(setting, decode or {"kind": "ssd"})
        made.check_member(setting.folder, annotations)
        self._truth = files.read_json(os.path.join(setting.folder, annotations))
        self._pictures = {picture["file_name"]: picture for picture in self._truth["images"]}
        self._categories = categories(self._truth["categories"], setting.contract, classes, partial)
        self._found = {}

    def row(self, case):
        """Return ``picture``, its id, and ``detections``: category, score, and x, y, width, height in pixels.

        Scores are rounded to 6 digits, pixels to 2, so that the figures are those of what is kept.
        """
        return self.row_of(case, self._decode(case.outputs[0]))

    def row_of(self, case, found):
        """Return the row of a case of which some :class:`~zoomill.detection.nms.Detections` were found."""
        picture = self._pictures.get(case.name) or self._pictures.get(os.path.basename(case.name))
        if picture is None:
            raise UserError(f"{case.name}: the annotations have no such picture")
        height, width = picture["height"], picture["width"]
        if case.size != (height, width):
            said = " x ".join(map(str, reversed(case.size)))
            raise UserError(f"{case.name}: is {said}, the annotations say otherwise")
        boxes = self._setting.preprocess.box_to_picture(found.boxes.astype(np.float64), (height, width))
        rows = []
        for box, label, score in zip(boxes * [height, width, height, width], found.classes, found.scores, strict=True):
            if self.scores(label):
                top, left, bottom, right = box
                pixels = [round(float(value), 2) for value in (left, top, right - left, bottom - top)]
                rows.append([self._categories[int(label)], round(float(score), 6), *pixels])
        return {"picture": picture["id"], "detections": rows}

    def scores(self, label):
        """Tell whether a class of the model is one of the categories that are scored."""
        return int(label) in self._categories

    def values(self, rows):
        """Return ``map`` (IoU 0.50 to 0.95), ``ap_50``, ``ap_75``, ``ar_100`` (recall) and those of the three sizes."""
        evaluation = self._matched(rows)
        with contextlib.redirect_stdout(io.StringIO()):
            evaluation.accumulate()
            evaluation.summarize()
        figures = dict(zip(_FIGURES, map(float, evaluation.stats), strict=True))
        return {name: figure for name, figure in figures.items() if figure >= 0}  # -1: nothing of that size

    def weighed(self, rows, kept=None):
        """Return the figure as a function of weights.

        Args:
            rows: list of rows.
            kept: how many of each row's detections count, the first ones; all without. Boxes find their partners by
                falling score, so that what is left out takes none from the others.
        """
        if new := [row for row in rows if id(row) not in self._found]:
            self._matched(new)
        found, (*_, params) = [self._found[id(row)][1] for row in rows], self._found[id(rows[0])]
        counts = None if kept is None else _counts(rows, kept, params.catIds)
        return coco_weighing.figure(params, found, self.figure, counts)

    def strata(self, rows):
        return [0] * len(rows)

    def shown(self, rows):
        """Return ``{category: number of the rows' pictures that show it}`` of those that any of them shows."""
        names = {category["id"]: category["name"] for category in self._truth["categories"]}
        wanted, pictures = set(self._categories.values()), {row["picture"] for row in rows}
        boxes = {
            (box["category_id"], box["image_id"])
            for box in self._truth["annotations"]
            if not box.get("iscrowd") and box["category_id"] in wanted and box["image_id"] in pictures
        }
        return dict(collections.Counter(names[category] for category, _ in boxes))

    def _matched(self, rows):
        """Return pycocotools' evaluation of the rows, each a picture of its own, and keep what was found in each."""
        from zoomill.evaluation.coco_matching import Evaluation

        with contextlib.redirect_stdout(io.StringIO()):
            truth = _coco(self._truth["categories"], range(len(rows)), self._boxes(rows))
            found = _coco(self._truth["categories"], range(len(rows)), list(_detections(rows)))
            evaluation = Evaluation(truth, found, "bbox")
            evaluation.params.catIds = sorted(set(self._categories.values()))
            evaluation.evaluate()
        # A number is of this row as long as the row lives.
        pairs = zip(rows, coco_weighing.columns(evaluation), strict=True)
        self._found |= {id(row): (row, column, evaluation.params) for row, column in pairs}
        return evaluation

    def _boxes(self, rows):
        """Return the true boxes of the rows' pictures, numbered as the rows are."""
        own = {}
        for annotation in self._truth["annotations"]:
            own.setdefault(annotation["image_id"], []).append(annotation)
        return [
            {**annotation, "image_id": index}
            for index, row in enumerate(rows)
            for annotation in own.get(row["picture"], [])
        ]


def _counts(rows, kept, known):
    """Return how many of the first detections of each row are of each category, int ``[rows, categories]``."""
    column = {category: place for place, category in enumerate(known)}
    counts = np.zeros((len(rows), len(column)), int)
    for number, (row, most) in enumerate(zip(rows, kept, strict=True)):
        for category, *_ in row["detections"][:most]:
            counts[number, column[category]] += 1
    return counts


def categories(known, contract, classes, partial):
    """Return ``{class number: category id}``; see :class:`Coco`.

    Raises:
        UserError: when the model's classes and the categories do not fit.
    """
    known = sorted(known, key=lambda category: category["id"])
    labels = contract["labels"]
    if classes == "name":
        ids = {category["name"]: category["id"] for category in known}
        if strange := [label for label in labels if label not in ids]:
            raise UserError(f"the annotations have no category {strange[0]}; say how `classes` are numbered")
        result = {number: ids[label] for number, label in enumerate(labels)}
    elif classes == "order":
        count = len(labels) or _classes(contract)
        if count != len(known):
            raise UserError(f"the model has {count} classes, the annotations {len(known)}; `order` needs equal numbers")
        result = {number: category["id"] for number, category in enumerate(known)}
    else:
        result = {category["id"] - contract["label_offset"]: category["id"] for category in known}
    missing = [category["name"] for category in known if category["id"] not in result.values()]
    if missing and not partial:
        raise UserError(f"the model does not know the category {missing[0]}; `partial: true` leaves such out")
    return result


def _classes(contract):
    """Return how many classes a detector tells apart, as the network has them, 0 where the contract does not say."""
    first = contract["outputs"][0]
    if "num_classes" in contract.get("postprocess", {}):
        return contract["postprocess"]["num_classes"]
    if "decode" in first:
        return first["decode"]["classes"]
    return max(first["shape"][-1] - 5, 0) if first["name"] == "detections" else 0


def _decoder(setting, options):
    """Return the function that reads outputs, and the score thresholds of the figure and of the contract."""
    try:
        read = decode.decoder(setting.contract, setting.anchors, **options)
        asked = {"figure": options, "model": {"kind": options["kind"]}}
        scores = {name: decode.settings(setting.contract, **one).nms_score_threshold for name, one in asked.items()}
        # As a person writes what float32 keeps.
        return read, {"nms_score_threshold": {name: float(f"{score:.6g}") for name, score in scores.items()}}
    except TypeError as error:
        raise UserError(f"metric.decode: {error}") from error


def _coco(known, pictures, boxes):
    """Return a COCO data set; boxes get numbers from 1, because COCOeval takes 0 for no match."""
    from pycocotools.coco import COCO

    data = COCO()
    data.dataset = {
        "images": [{"id": picture} for picture in pictures],
        "categories": copy.deepcopy(known),
        "annotations": [{**box, "id": number} for number, box in enumerate(boxes, 1)],
    }
    data.createIndex()
    return data


def _detections(rows):
    for index, row in enumerate(rows):
        for category, score, *box in row["detections"]:
            yield {
                "image_id": index,
                "category_id": category,
                "score": score,
                "bbox": box,
                "area": box[2] * box[3],
                "iscrowd": 0,
            }
