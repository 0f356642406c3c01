"""Detectors of the TF1 Object Detection API without a pipeline.config, and such as are built otherwise."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY

STARTER = REPOSITORY / "starter/ssd_mobilenet_v1_shapes"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory, environment_python):
    """Folder of all variants, exported in one process."""
    path = tmp_path_factory.mktemp("detectors")
    inputs = [STARTER / f"{STARTER.name}.tar.gz", STARTER / "golden/000020.png", path]
    command = [environment_python("tf2"), Path(__file__).with_name("detector_graphs.py"), *inputs]
    environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": "0"}
    process = subprocess.run(command, env=environment, text=True, capture_output=True)
    assert process.returncode == 0, process.stderr
    return path


def contract(folder, name):
    return json.loads((folder / name / "main/contract.json").read_text())


def arrays(folder, name):
    """Return anchors, box encodings and scores of a variant."""
    with np.load(folder / name / "main/golden.npz") as golden:
        heads = [golden[key][0] for key in ("raw_outputs/box_encodings", "raw_outputs/class_predictions")]
    return np.load(folder / name / "main/anchors.npy"), *heads


def test_a_graph_without_pipeline_config_tells_all_of_it(folder):
    told, described = contract(folder, "alone"), contract(folder, "described")
    (note,) = told.pop("notes")
    assert told == described | {"model": "alone"} and "notes" not in described
    for ours, theirs in zip(arrays(folder, "alone"), arrays(folder, "described"), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    graphs = [(folder / name / "main/graph.pb").read_bytes() for name in ("alone", "described")]
    assert graphs[0] == graphs[1]
    ratios = "aspect_ratios: 1.0 aspect_ratios: 2.0 aspect_ratios: 0.5 aspect_ratios: 3.0 aspect_ratios: 0.3333"
    for part in ("height: 160 width: 160", "num_layers: 6 min_scale: 0.2 max_scale: 0.95", ratios, "SIGMOID"):
        assert part in note
    assert "there is no pipeline.config; its graph tells:\nnum_classes: 3\n" in (folder / "alone/log.txt").read_text()


def test_an_override_is_merged_into_what_the_graph_tells(folder):
    found, described = contract(folder, "overridden"), contract(folder, "described")
    assert found["postprocess"] == described["postprocess"] | {"nms_score_threshold": 0.5}
    assert found["source_postprocess"] == described["source_postprocess"]


def test_anchors_that_are_one_constant_are_taken_as_they_are(folder):
    for ours, theirs in zip(arrays(folder, "folded"), arrays(folder, "described"), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert "anchor_generator" not in contract(folder, "folded")["notes"][0]


def test_a_network_may_have_one_prediction_layer(folder):
    whole = arrays(folder, "described")
    for ours, theirs in zip(arrays(folder, "one_layer"), whole, strict=True):
        np.testing.assert_allclose(ours, theirs[: len(ours)], atol=1e-6)
    assert 0 < len(ours) < len(whole[0])


def test_a_network_may_have_no_background(folder):
    whole = arrays(folder, "described")
    for ours, theirs in zip(arrays(folder, "no_background"), (*whole[:2], whole[2][:, 1:]), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    found = contract(folder, "no_background")
    assert found["outputs"][1]["shape"] == [1, len(whole[0]), 3] and found["postprocess"]["num_classes"] == 3
    assert "background" not in found["outputs"][1]["meaning"]


@pytest.mark.parametrize(
    "name, said",
    [
        ("training", "frozen_inference_graph.pb: is the graph of a training; export its checkpoint by"),
        ("checkpoint_of_a_training", "model.ckpt-20000.meta: is a checkpoint as a training writes it; export it by"),
        ("other_coder", "the graph does not tell an NMS and a faster_rcnn_box_coder that TFLite_Detection_PostProcess"),
        ("computed_size", "the graph does not tell one size of pictures, as a fixed_shape_resizer gives; choose"),
        ("other_anchors", "its own anchors are not those of ssd_anchor_generator"),
        (
            "wrong_size",
            "brings pictures to 160 × 160, but pipeline.config or the card's pipeline_override says 300 × 160",
        ),
    ],
)
def test_what_cannot_be_exported_is_refused_in_one_line_by_its_name(folder, name, said):
    error = (folder / name / "error.txt").read_text()
    assert said in error and f"{name}/source/" in error and "\n" not in error
    assert not (folder / name / "main/contract.json").exists()
