"""Choosing the dtype of each weight within a budget."""

import fnmatch

import numpy as np
import pytest

from zoomill import folders
from zoomill.tfjs import tfjs_model, tfjs_planner, tfjs_quantiser
from zoomill.tfjs.tfjs_model import Weight
from zoomill.tfjs.tfjs_planner import Measured

SIZES = {"first": 4000, "second/[0]": 8000, "third": 8000}
ERRORS = {
    "first": {"uint8": 10.0, "uint16": 1e-4, "float16": 1e-3, "float32": 0.0},
    "second/[0]": {"uint8": 1e-6, "uint16": 1e-9, "float16": 1e-8, "float32": 0.0},
    "third": {"uint8": 2.0, "uint16": 1e-3, "float16": 1e-5, "float32": 0.0},
}


@pytest.fixture
def folder(tmp_path):
    """A float32 model with the weights of SIZES and a bias that was not measured."""
    random = np.random.RandomState(0)
    sizes = {**SIZES, "bias": 40}
    weights = [
        Weight({"name": name, "shape": [size // 4], "dtype": "float32"}, random.randn(size // 4).astype("f4").tobytes())
        for name, size in sizes.items()
    ]
    document = {}
    tfjs_model.write_weights(tmp_path, document, weights, 1 << 20)
    tfjs_model.write_document(tmp_path, document)
    return tmp_path


def plan(folder, budget):
    return tfjs_planner.plan(folder, Measured(ERRORS, 4, 500), budget)


def chosen(made):
    return {name: entry["dtype"] for name, entry in made.record["weights"].items()}


def test_the_weights_that_lose_most_are_kept_larger(folder):
    found = chosen(plan(folder, 0.5))
    assert found == {"first": "uint16", "second/[0]": "uint8", "third": "float16"}


def test_the_plan_keeps_to_the_budget_and_says_what_it_expects(folder, tmp_path):
    made, whole = plan(folder, 0.5), folders.size(folder)
    output = tmp_path / "planned"
    tfjs_quantiser.write_variant(folder, made.patterns, 1 << 20, output)
    size = sum(path.stat().st_size for path in output.glob("*.bin")) + 500
    assert size == made.record["bytes"] <= 0.5 * whole
    assert made.record["expected_error"] < 1e-3 < made.record["uint8_error"] == 12


def test_a_budget_that_even_uint8_exceeds_makes_all_uint8_and_a_full_one_nothing(folder):
    assert set(chosen(plan(folder, 0.26)).values()) == {"uint8"}
    assert set(chosen(plan(folder, 1.5)).values()) == {"float32"}


def test_a_pattern_matches_its_weight_alone(folder):
    (pattern,) = plan(folder, 0.5).patterns["uint8"]
    assert fnmatch.filter(["second/[0]", "second/0"], pattern) == ["second/[0]"]
