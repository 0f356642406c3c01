"""Predictions of a source: one row for each sample or window, bound to the sample list."""

import numpy as np
import pytest

from zoomill import files
from zoomill.errors import UserError
from zoomill.graph import predictions
from zoomill.inputs import samples
from zoomill.inputs.sample_inputs import Samples

PROMISE = {"name": "x", "dtype": "float32", "shape": [1, 2], "layout": None}
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


def test_samples_are_for_models_with_one_input(listed, tmp_path):
    with pytest.raises(UserError, match="has 2 inputs; samples can be given to a single one only"):
        predictions.write(tmp_path / "p.npz", listed, [PROMISE, {**PROMISE, "name": "z"}], double, True)
