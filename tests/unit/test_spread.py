"""How far apart two runs of a file lie: values, steps and decisions."""

import argparse
import hashlib

import numpy as np
import pytest
from small_models import heads_contract, options

from zoomill.inputs import samples
from zoomill.proof import gate_inputs
from zoomill.proof.spread import Spread

NAMES = ("detection_boxes", "detection_classes", "detection_scores", "num_detections")


def spread(pairs, steps=None, labels=(), **entry):
    """Return the spread of ``[(expected, found), …]`` of one output."""
    contract = {"outputs": [{"name": "y", "activation": None, **entry}], "labels": labels}
    result = Spread(contract, {"y": steps})
    for first, second in pairs:
        result.add({"y": np.float32(first)}, {"y": np.float32(second)})
    return result


def test_values_of_integers_differ_in_steps():
    found = spread([([[0.1, 0.2, 0.7]], [[0.1, 0.3, 0.7]]), ([[0.5, 0.5, 0.0]], [[0.8, 0.5, 0.0]])], steps=0.1)
    assert found.figures() == {
        "inputs": 2,
        "values": 6,
        "differ": 2,
        "decisions": 0,
        "flips": 0,
        "steps": 3,
        "share": None,
    }
    assert found.line() == "2 of 6 values differ, by up to 3 steps"


def test_real_numbers_of_the_same_integer_do_not_differ():
    pair = [0.3, 0.1], [np.nextafter(np.float32(0.3), np.float32(1)), 0.1]
    assert [spread([pair], steps).figures()["differ"] for steps in (0.1, None)] == [0, 1]


def test_values_of_floats_differ_by_a_share_of_the_largest_over_all_inputs():
    found = spread([([1.0, -8.0], [1.0, -6.0]), ([2.0, 2.0], [2.0, 2.0])]).figures()
    assert (found["differ"], found["share"], found["steps"]) == (1, 0.25, None)


def test_what_is_no_number_on_one_side_only_is_as_far_off_as_can_be():
    nan, inf = np.nan, np.inf
    assert spread([([nan, inf, 1], [nan, inf, 1])]).figures()["differ"] == 0
    for one in (nan, inf):
        assert spread([([1, 1], [1, one])]).figures()["share"] == np.inf
        assert spread([([1, one], [1, 1])], steps=0.1).figures()["steps"] == np.inf


@pytest.mark.parametrize(
    ("entry", "decisions"),
    [
        ({"activation": "softmax"}, 1),
        ({"labels": ["a", "b"]}, 1),
        ({"labels": ["a", "b", "c", "d"]}, 0),
        ({"labels": ["a", "b"], "activation": "sigmoid"}, 0),
        ({}, 0),
    ],
)
def test_the_largest_class_decides(entry, decisions):
    figures = spread([([[0.2, 0.7, 0.1]], [[0.7, 0.2, 0.1]])], **entry).figures()
    assert (figures["decisions"], figures["flips"]) == (decisions, decisions)


def test_each_pixel_decides_and_rows_of_boxes_do_not():
    pixels, other = np.zeros((1, 2, 2, 3)), np.zeros((1, 2, 2, 3))
    pixels[..., 0], other[..., 0], other[0, 1, 1, 2] = 1, 1, 2
    assert spread([(pixels, other)], labels="abc").figures()["flips"] == 1
    assert spread([(pixels, other)], labels="abc").figures()["decisions"] == 4
    assert spread([(pixels[0], other[0])], labels="abc").figures()["decisions"] == 0
    assert spread([(1.0, 2.0)], labels="ab").figures()["decisions"] == 0


def detections(count, rows=10, **changes):
    """Return outputs of the op: rows of boxes side by side, and what no runtime has written below them."""
    side = np.arange(rows, dtype=np.float32)[:, None]
    boxes = np.concatenate([side, side, side + 1, side + 1], axis=1)
    found = {
        "detection_boxes": boxes,
        "detection_classes": np.zeros(rows, np.float32),
        "detection_scores": np.linspace(0.99, 0.8, rows, dtype=np.float32),
        **changes,
    }
    found = {name: array.copy() for name, array in found.items()}
    for array in found.values():
        array[count:] = np.random.default_rng().random(array[count:].shape)
    return {**{name: array[None] for name, array in found.items()}, "num_detections": np.float32([count])}


def detected(first, second):
    contract = heads_contract(options(), 10)
    result = Spread(contract, dict.fromkeys(NAMES))
    result.add(first, second)
    return result.figures()


def test_of_a_detector_only_the_rows_that_count_are_compared():
    found = detected(detections(4), detections(4))
    assert found == {
        "inputs": 1,
        "values": 25,
        "differ": 0,
        "decisions": 4,
        "flips": 0,
        "steps": None,
        "share": 0,
    }


def test_a_detection_that_one_run_lacks_or_calls_otherwise_is_a_flip():
    lost = detected(detections(4), detections(3))
    assert (lost["differ"], lost["decisions"], lost["flips"]) == (7, 4, 1)
    assert detected(detections(3), detections(4))["flips"] == 1
    classes = np.zeros(10, np.float32)
    classes[1] = 2
    other = detected(detections(4), detections(4, detection_classes=classes))
    assert (other["differ"], other["flips"]) == (1, 2)


def test_scores_of_detections_are_a_share_and_what_is_near_the_threshold_decides_nothing():
    scores = np.float32([0.9, 0.45, 0.2] + [0] * 7)
    other = np.float32([0.85, 0.35, 0.2] + [0] * 7)
    found = detected(detections(2, detection_scores=scores), detections(2, detection_scores=other))
    assert found["share"] == pytest.approx(0.1) and (found["decisions"], found["flips"]) == (2, 0)
    low = np.float32([0.9, 0.35] + [0] * 8)
    found = detected(detections(2, detection_scores=low), detections(1, detection_scores=low))
    assert (found["decisions"], found["flips"]) == (1, 0)


def test_the_line_is_one_of_words():
    found = spread([([[0.2, 0.7]], [[0.7, 0.2]])], activation="softmax")
    assert found.line() == "2 of 2 values differ, by up to 0.71 of the largest; 1 of 1 decisions flip"
    assert spread([([1.0], [1.0])]).line() == "0 of 1 values differ"


@pytest.fixture
def flags(tmp_path):
    """Return a function that parses the flags of a gate."""
    parser = argparse.ArgumentParser()
    gate_inputs.add_arguments(parser)
    usual = ["--artifact", "a", "--contract", "c", "--variant", "int8", "--output", str(tmp_path / "o.json")]
    return lambda *more: parser.parse_args([*usual, *more])


@pytest.fixture
def golden(tmp_path):
    np.savez(tmp_path / "golden.npz", image=np.float32([[[1, 2]], [[3, 4]]]), scores=np.zeros((2, 1, 1)))
    return str(tmp_path / "golden.npz")


@pytest.fixture
def sampled(tmp_path):
    """Return the flags of a data set of one sample with two windows."""
    return flags_of([5, 6, 7, 8], tmp_path)


def flags_of(values, tmp_path):
    (tmp_path / "one.bin").write_bytes(np.float32(values).tobytes())
    digest = hashlib.sha256((tmp_path / "one.bin").read_bytes()).hexdigest()
    (tmp_path / "list.csv").write_text(samples.index_text([samples.Sample("one.bin", 4 * len(values), digest, "0")]))
    form = '{"reader": "tensor", "dtype": "float32", "shape": [2], "step": 2, "label": "class"}'
    return ["--samples", str(tmp_path / "list.csv"), "--folder", str(tmp_path), "--form", form]


CONTRACT = {
    "inputs": [
        {"name": "x", "tensor": "image", "dtype": "float32", "shape": [1, 2], "layout": None, "value_range": None}
    ]
}


def fed(args):
    return [feed["image"].ravel().tolist() for feed in gate_inputs.feeds(args, CONTRACT)]


def test_a_gate_runs_on_golden_inputs_and_on_evaluation_samples(flags, golden, sampled):
    assert fed(flags("--golden", golden, *sampled)) == [[1, 2], [3, 4], [5, 6], [7, 8]]
    assert fed(flags(*sampled)) == [[5, 6], [7, 8]]


def test_a_gate_takes_windows_of_a_sample_from_its_start_to_its_end(flags, tmp_path):
    args = flags(*flags_of(range(392), tmp_path))
    found = fed(args)
    assert not gate_inputs.tell_a_metric(args) and gate_inputs.tell_a_metric(flags("--form", '{"reader": "picture"}'))
    assert found == [[start, start + 1] for start in range(0, 392, 50)] and len(found) == gate_inputs.AT_MOST


def test_a_gate_runs_without_either(flags, golden):
    assert fed(flags("--golden", golden, "--samples", "--folder", "--form", "{}")) == [[1, 2], [3, 4]]
    assert fed(flags("--golden")) == fed(flags()) == []
