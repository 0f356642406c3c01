"""Pictures that are decoded once: the same inputs, to the bit, as from the files themselves."""

import dataclasses

import numpy as np
import pytest
from PIL import Image
from snakemake.iocontainers import InputFiles, Wildcards

from zoomill import files
from zoomill.errors import UserError
from zoomill.inputs import fitted_pictures, samples
from zoomill.inputs.preprocess import Preprocess
from zoomill.inputs.sample_inputs import Samples
from zoomill.plan.samples import Samples as Planned

PROMISE = {
    "name": "picture",
    "tensor": "picture:0",
    "dtype": "float32",
    "shape": [1, 6, 8, 3],
    "layout": "NHWC",
    "colour": "RGB",
    "value_range": [-1, 1],
}
SIZES = {"a.png": (9, 5), "b.jpg": (6, 8), "c.png": (4, 30)}


@pytest.fixture
def listed(tmp_path):
    """Pictures of several sizes, one of them exactly that of the input."""
    for seed, (name, size) in enumerate(SIZES.items()):
        Image.fromarray(np.random.RandomState(seed).randint(0, 256, (*size, 3), np.uint8)).save(tmp_path / name)
    entries = [samples.Sample(name, 0, files.digest(tmp_path / name), "") for name in SIZES]
    (tmp_path / "samples.csv").write_text(samples.index_text(entries), newline="")
    return Samples(tmp_path / "samples.csv", tmp_path, {"reader": "picture", "label": "none"}, {})


def fitted(chosen, promise, folder):
    """Return the samples as they are read from a file of fitted pictures, which is made."""
    fitted_pictures.write(folder / "fitted.npy", chosen, samples.read_index(chosen.path), [promise])
    return dataclasses.replace(chosen, fitted=folder / "fitted.npy")


@pytest.mark.parametrize(
    "promise",
    [
        {},
        {"colour": "BGR"},
        {"colour": "GRAY", "shape": [1, 6, 8, 1]},
        {"layout": "NCHW", "shape": [1, 3, 6, 8], "value_range": [[-2.1, -2, -1.8], [2.2, 2.4, 2.6]]},
        {"dtype": "uint8", "value_range": None},
        {"preprocess": {"fit": "letterbox", "padding": 0}},
    ],
)
@pytest.mark.parametrize(
    "preprocess",
    [
        {},
        {"antialias": False},
        {"fit": "crop", "part": 0.875},
        {"fit": "letterbox"},
        {"fit": "letterbox", "centred": True, "padding": 127.5},
        {"fit": "letterbox", "padding": 0.1},
    ],
)
def test_fitted_pictures_are_the_same_inputs_without_the_files(listed, tmp_path, promise, preprocess):
    chosen, promise = dataclasses.replace(listed, preprocess=preprocess), PROMISE | promise
    expected = list(chosen.feeds([promise]))
    chosen = fitted(chosen, promise, tmp_path)
    for name in SIZES:
        (tmp_path / name).unlink()
    found = list(chosen.feeds([promise]))
    for (sample, size, (feed,)), (other, other_size, (exact,)) in zip(found, expected, strict=True):
        assert (sample, size) == (other, other_size) and size == SIZES[sample.name]
        (tensor, value), (other_tensor, exact_value) = *feed.items(), *exact.items()
        assert tensor == other_tensor and value.dtype == exact_value.dtype and np.array_equal(value, exact_value)


@pytest.mark.parametrize("padding, dtype", [(114, "uint8"), (127.5, "float16"), (0.1, "float64")])
def test_what_is_kept_is_no_larger_than_the_padding_asks_for(padding, dtype):
    kept = Preprocess(PROMISE, "letterbox", padding=padding).fitted(np.zeros((2, 9, 3), np.uint8))
    assert kept.dtype == dtype and kept[-1, -1, 0] == padding


def test_a_part_of_the_list_is_found_by_what_its_samples_are(listed, tmp_path):
    chosen = fitted(listed, PROMISE, tmp_path)
    part = samples.read_index(listed.path)[1:]
    (tmp_path / "samples.csv").write_text(samples.index_text(part), newline="")
    assert [size for _, size, _ in chosen.feeds([PROMISE])] == [SIZES[name] for name in ("b.jpg", "c.png")]


def test_a_sample_of_another_list_is_refused(listed, tmp_path):
    chosen = fitted(listed, PROMISE, tmp_path)
    other = [samples.Sample("d.png", 0, "0" * 64, "")]
    (tmp_path / "samples.csv").write_text(samples.index_text(other), newline="")
    with pytest.raises(UserError, match=r"fitted\.npy: does not hold the sample d\.png"):
        next(chosen.feeds([PROMISE]))


@pytest.mark.parametrize("promises", [[PROMISE, PROMISE], [PROMISE | {"layout": None}]])
def test_a_model_of_other_inputs_is_refused(listed, tmp_path, promises):
    with pytest.raises(UserError, match="its inputs are not one picture"):
        fitted_pictures.write(tmp_path / "fitted.npy", listed, samples.read_index(listed.path), promises)


def planned(reader, graph):
    """Return what a job that scores a graph is given, and its flags of it."""
    chosen = {"preprocess": {}, "evaluation": {"dataset": "set"}}
    plan = Planned("evaluation", {"model": chosen}, {"set": {"form": {"reader": reader}}})
    wildcards = Wildcards(fromdict={"model": "model", **({"graph": graph} if graph else {})})
    found = plan.fitted(wildcards)
    input = InputFiles(fromdict={"samples": "list.csv", "folder": "folder", "fitted": found})
    return found, plan.flags(wildcards, input)[8:]


@pytest.mark.parametrize("graph", ["main", "detect_cut", None])
def test_whoever_scores_a_model_of_pictures_is_given_them(graph):
    path = "build/model/evaluation.npy"
    assert planned("picture", graph) == (path, ["--fitted", path])


@pytest.mark.parametrize("reader, graph", [("npy", "main"), ("tensor", None), ("picture", "inference")])
def test_other_samples_and_the_graph_of_another_contract_are_read_as_they_are(reader, graph):
    assert planned(reader, graph) == ([], [])
