"""The SavedModel beside a graph: TensorFlow loads it, it gives the golden outputs, and its bytes are the same."""

import json
import os
import subprocess

import numpy as np
import pytest
from conftest import Workflow, copied

# A Keras classifier, a TF1 checkpoint of slim, and a detector up to its raw heads.
FOLDERS = [
    "build/digits_resnet8/main",
    "build/digits_slim/main",
    "build/ssd_mobilenet_v1_shapes/detect_cut",
]
RUN = """
import sys
import numpy as np, tensorflow as tf
for folder in sys.argv[1:]:
    loaded = tf.saved_model.load(folder + "/saved_model", tags=["serve"])
    run, golden = loaded.signatures["serving_default"], np.load(folder + "/golden.npz")
    (name,) = run.structured_input_signature[1]
    images = golden[name if name in golden else "normalized_input_image_tensor"]
    shape = run.structured_input_signature[1][name].shape
    rows = [run(**{name: tf.constant(np.reshape(image, shape))}) for image in images]
    np.savez(folder + "/found.npz", **{key: np.stack([row[key].numpy() for row in rows]) for key in rows[0]})
"""


@pytest.fixture(scope="module")
def runs(starters, tmp_path_factory):
    """Two runs, in folders of their own, that export the same models."""
    other = Workflow(tmp_path_factory.mktemp("saved") / "run")
    other.run(*(f"{folder}/saved_model" for folder in FOLDERS))
    return copied(starters, tmp_path_factory.mktemp("saved") / "copy"), other


@pytest.fixture(scope="module")
def loaded(runs, environment_python):
    """A run in which TensorFlow has written ``found.npz``, what each SavedModel gives for the golden inputs."""
    command = [environment_python("tf2"), "-c", RUN, *FOLDERS]
    exact = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": "0"}  # as the golden outputs were made
    process = subprocess.run(command, cwd=runs[0].folder, env=exact, text=True, capture_output=True)
    assert process.returncode == 0, process.stderr
    return runs[0]


@pytest.mark.parametrize("folder", FOLDERS)
def test_it_gives_the_golden_outputs_under_the_names_of_the_contract(loaded, folder):
    contract = json.loads(loaded.file(f"{folder}/contract.json").read_text())
    with np.load(loaded.file(f"{folder}/found.npz")) as found, np.load(loaded.file(f"{folder}/golden.npz")) as golden:
        assert set(found) == {promise["name"] for promise in contract["outputs"]}
        for promise in contract["outputs"]:
            name = promise["name"] if promise["name"] in golden else promise["tensor"]
            expected = golden[name].reshape(found[promise["name"]].shape)
            peak = np.abs(expected).max()
            np.testing.assert_allclose(found[promise["name"]], expected, rtol=0, atol=1e-6 * peak)


@pytest.mark.parametrize("folder", FOLDERS)
def test_two_exports_have_the_same_bytes_and_nothing_else(runs, folder):
    first, second = (
        {path.name: path.read_bytes() for path in run.file(f"{folder}/saved_model").iterdir()} for run in runs
    )
    assert first == second and set(first) == {"saved_model.pb", ".snakemake_timestamp"}


def test_a_graph_with_the_post_processing_op_has_none(loaded):
    loaded.run("build/ssd_mobilenet_v1_shapes/detect_fast/graph.pb")
    names = {path.name for path in loaded.file("build/ssd_mobilenet_v1_shapes/detect_fast").iterdir()}
    assert {name for name in names if not name.startswith("toco_")} == {".made", "graph.pb", "contract.json"}
