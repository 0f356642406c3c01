"""Predictions of a source: one row for each sample or window, bound to the sample list."""

import numpy as np
import pytest

from zoomill import files
from zoomill.errors import UserError
from zoomill.graph import predictions
from zoomill.inputs import samples
from zoomill.inputs.sample_inputs import Samples

PROMISE = {"name": "x", "tensor": "x", "dtype": "float32", "shape": [1, 2], "layout": None}
FORM = {"reader": "tensor", "dtype": "float32", "shape": [2], "step": 1, "label": "none"}


@pytest.fixture
def listed(tmp_path):
    """Two files, of two windows and of one."""
    for name, values in (("a", [1, 2, 3]), ("b", [5, 6])):
        (tmp_path / name).write_bytes(np.array(values, "<f4").tobytes())
    entries = [samples.Sample(name, 0, files.digest(tmp_path / name), "") for name in "ab"]
    (tmp_path / "samples.csv").write_text(samples.index_text(entries), newline="")
    return Samples(tmp_path / "samples.csv", tmp_path, FORM, {})


def double(feed):
    return {"y": feed["x"] * 2}


@pytest.mark.parametrize("batched", [False, True])
def test_every_window_has_a_row_in_the_order_of_the_samples(listed, tmp_path, batched):
    predictions.write(tmp_path / "p.npz", listed, [PROMISE], double, batched)
    found = predictions.read(tmp_path / "p.npz", listed.path)
    assert list(found) == ["y"] and found["y"].tolist() == [[[2, 4]], [[4, 6]], [[10, 12]]]


def test_the_same_predictions_are_the_same_bytes(listed, tmp_path):
    for name in ("p.npz", "q.npz"):
        predictions.write(tmp_path / name, listed, [PROMISE], double, True)
    assert (tmp_path / "p.npz").read_bytes() == (tmp_path / "q.npz").read_bytes()


def test_another_sample_list_is_refused(listed, tmp_path):
    predictions.write(tmp_path / "p.npz", listed, [PROMISE], double, True)
    (tmp_path / "other.csv").write_text("name,bytes,sha256,label\n")
    with pytest.raises(UserError, match="was made from another sample list"):
        predictions.read(tmp_path / "p.npz", tmp_path / "other.csv")


def test_an_empty_sample_list_is_refused(listed, tmp_path):
    listed.path.write_text("name,bytes,sha256,label\n")
    with pytest.raises(UserError, match="samples.csv: is empty"):
        predictions.write(tmp_path / "p.npz", listed, [PROMISE], double, True)


BOTH = [PROMISE, {**PROMISE, "name": "z", "tensor": "z"}]


def test_a_sample_of_one_array_is_refused_for_several_inputs(listed, tmp_path):
    with pytest.raises(UserError, match="has 2 inputs; samples for them are .npz files"):
        predictions.write(tmp_path / "p.npz", listed, BOTH, double, True)


@pytest.fixture
def pairs(tmp_path):
    """Two files with an array for each of the inputs x and z, in another order than the model's."""
    for name, start in (("a.npz", 1), ("b.npz", 5)):
        values = np.array([start, start + 1], np.float32)
        np.savez(tmp_path / name, z=values * 10, x=values)
    entries = [samples.Sample(name, 0, files.digest(tmp_path / name), "") for name in ("a.npz", "b.npz")]
    (tmp_path / "samples.csv").write_text(samples.index_text(entries), newline="")
    return Samples(tmp_path / "samples.csv", tmp_path, {"reader": "npz", "label": "none"}, {})


def test_several_inputs_are_fed_by_name(pairs, tmp_path):
    predictions.write(tmp_path / "p.npz", pairs, BOTH, lambda feed: {"y": feed["z"] - feed["x"]}, False)
    assert predictions.read(tmp_path / "p.npz", pairs.path)["y"].tolist() == [[[9, 18]], [[45, 54]]]


def test_a_sample_that_lacks_an_input_is_named_with_what_it_has(pairs, tmp_path):
    promises = [*BOTH, {**PROMISE, "name": "w", "tensor": "w"}]
    with pytest.raises(UserError, match="the sample a.npz lacks w, an input of the model; it has z, x"):
        predictions.write(tmp_path / "p.npz", pairs, promises, double, False)
