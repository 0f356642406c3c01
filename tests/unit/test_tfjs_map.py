"""The output map: names confirmed by numbers, ambiguity, and what a detector's outputs are."""

import numpy as np
import pytest

from zoomill.errors import UserError
from zoomill.tfjs import tfjs_map

RANDOM = np.random.RandomState(0)
BOXES, SCORES = RANDOM.rand(2, 1, 6, 4).astype("f4"), RANDOM.rand(2, 1, 6).astype("f4")
CLASSES = RANDOM.randint(1, 4, (2, 1, 6)).astype("f4")


def contract(**shapes):
    outputs = [
        {"name": name, "tensor": name, "source": f"of_{name}:0", "shape": shape} for name, shape in shapes.items()
    ]
    return {"inputs": [], "outputs": outputs}


def made(golden, runs=None):
    """Return the map of a model that gives the golden outputs, or those of ``runs``."""
    promised = contract(**{name: list(values.shape[1:]) for name, values in golden.items()})
    given = runs or golden
    rows = [{name: given[name][row] for name in given} for row in range(2)]
    tensors = {name: f"{name}:0" for name in golden}
    feeds = {**golden}
    return tfjs_map.output_map(rows, {**promised, "inputs": []}, feeds, tensors)


def test_outputs_of_one_size_are_confirmed_by_numbers():
    found = made({"boxes": BOXES, "scores": SCORES, "classes": CLASSES})["outputs"]
    assert found["boxes"]["basis"] == "the only output of its size" and found["boxes"]["confidence"] is None
    assert found["scores"]["basis"] == "structure, confirmed by numbers" and found["scores"]["confidence"] > 1000
    assert found["scores"]["runner_up"]["name"] == "classes" and found["scores"]["source"] == "of_scores:0"


def test_exchanged_outputs_are_refused_by_both_names():
    with pytest.raises(UserError, match="scores differs from the source by .*; it looks like classes"):
        made({"scores": SCORES, "classes": CLASSES}, {"scores": CLASSES, "classes": SCORES})


def test_equal_outputs_are_said_to_be_ambiguous():
    found = made({"one": SCORES, "other": SCORES + np.float32(1e-6)})["outputs"]
    assert {entry["basis"] for entry in found.values()} == {"ambiguous by numbers, structure used"}


def test_a_detector_without_names_is_told_by_shapes_and_values():
    found = made({"Identity": BOXES, "Identity_1": SCORES, "Identity_2": CLASSES})["roles"]
    assert found == {"boxes": "Identity", "scores": "Identity_1", "classes": "Identity_2"}


def test_classes_are_null_where_scores_have_a_column_for_each():
    columns = RANDOM.rand(2, 1, 6, 3).astype("f4")
    assert made({"a": BOXES, "b": columns})["roles"] == {"boxes": "a", "scores": "b", "classes": None}


def test_a_model_without_boxes_has_no_roles():
    assert made({"probabilities": SCORES})["roles"] is None
