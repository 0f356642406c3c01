"""The small starter models: built by the workflow, they reach the figures that their training scripts reported."""

import importlib
import json
import re

import docs_tables
import numpy as np
import pytest
import yaml
from conftest import REPOSITORY

from zoomill.tflite import runtime

MODELS = (
    "digits_resnet8",
    "digits_dscnn_saved_model",
    "digits_autoencoder",
    "edges_pix2pix",
    "digits_slim",
    "digits_pytorch",
    "shapes_landmarks",
    "yolo_shapes",
)


def predictor(run, model):
    """Return a function that runs the float32 artifact of a model on a batch of inputs, for its first output."""
    artifact = runtime.Artifact(run.file(f"results/{model}/main.float32.tflite"))
    contract = json.loads(run.file(f"build/{model}/main/contract.json").read_text())
    (source,), (output, *_) = contract["inputs"], contract["outputs"]

    def predict(values):
        return np.concatenate([artifact(contract, {source["tensor"]: value})[output["name"]] for value in values])

    return predict


def test_the_run_says_when_the_first_artifact_is_validated_which_is_soon(starters):
    lines = (starters.folder.parent / "output").read_text().splitlines()
    (at,) = [number for number, line in enumerate(lines) if " is the first that is validated, after " in line]
    assert at < len(lines) / 2


@pytest.mark.parametrize("model", MODELS)
def test_the_float32_artifact_passes(starters, model):
    evidence = json.loads(starters.file(f"results/{model}/main.float32.tflite.json").read_text())
    assert evidence["passed"] and evidence["failures"] == []


@pytest.mark.parametrize("model", MODELS)
def test_the_artifact_reaches_the_figure_of_the_card_on_the_held_out_data(starters, model, monkeypatch):
    monkeypatch.syspath_prepend(REPOSITORY)
    score = importlib.import_module(f"starter.{model}.train").score
    (published,) = yaml.safe_load((REPOSITORY / f"models/{model}.yaml").read_text())["published"]
    assert published["origin"] == f"this repository, starter/{model}/train.py"
    # Less than what one digit more or less changes.
    assert score(predictor(starters, model)) == {published["metric"]: pytest.approx(published["value"], rel=3e-4)}


def test_the_yolo_finds_the_shapes_of_held_out_pictures(starters, monkeypatch):
    monkeypatch.syspath_prepend(REPOSITORY)
    train = importlib.import_module("starter.yolo_shapes.train")
    pictures, shapes = train.draw.pictures(train.HELDOUT["seed"], 5)
    found = predictor(starters, "yolo_shapes")(train.inputs(pictures))
    for boxes, expected in zip(found, shapes, strict=True):
        sure = [(label, box) for score, label, box in train.detections(boxes) if score > 0.3]
        assert sorted(label for label, _ in sure) == sorted(expected[:, 0])
        for label, *place in expected:
            assert any(kind == label and train.ious(box, np.array([place])) > 0.5 for kind, box in sure)


@pytest.mark.parametrize("model", MODELS)
def test_the_readme_gives_the_figure_of_the_card(model):
    (published,) = yaml.safe_load((REPOSITORY / f"models/{model}.yaml").read_text())["published"]
    assert str(published["value"]) in (REPOSITORY / f"starter/{model}/README.md").read_text()


def test_no_starter_file_tells_of_the_machine_that_made_it():
    paths = [path for model in MODELS for path in (REPOSITORY / "starter" / model).rglob("*") if path.is_file()]
    telling = re.compile(rb"/(home|root|tmp|Users)/|site-packages|date_saved")
    found = [path.name for path in paths if path.suffix != ".py" and telling.search(path.read_bytes())]
    assert paths and not found


@pytest.mark.parametrize("name", [name for name in docs_tables.TABLES if name.startswith("starter_")])
def test_the_tables_of_the_docs_have_the_figures_of_the_run(starters, name):
    assert docs_tables.measured(name, starters.folder)
    assert docs_tables.differences(name, starters.folder) == []
