"""What a TensorFlow.js model gives on samples in Chromium, or why it gives nothing."""

import hashlib
import shutil

import numpy as np
import pytest
import small_graph_models as models
from conftest import missing

from zoomill import files
from zoomill.graph import predictions
from zoomill.inputs import samples

CONTRACT = models.contract({"y": [1, 3]})


@pytest.fixture
def predict(command, environment_python, javascript, tmp_path):
    """Return a function that runs a model on the inputs of :mod:`small_graph_models` on a backend."""
    if not shutil.which("chromium"):
        missing("Chromium is not installed")
    listed = []
    for place, row in enumerate(models.INPUTS):
        np.save(tmp_path / f"{place}.npy", row)
        content = (tmp_path / f"{place}.npy").read_bytes()
        listed.append(samples.Sample(f"{place}.npy", len(content), hashlib.sha256(content).hexdigest(), "0"))
    (tmp_path / "list.csv").write_text(samples.index_text(listed), newline="")
    files.write_json(tmp_path / "contract.json", CONTRACT, recorded=False)

    def run(folder, backend):
        return command(
            *(environment_python("web"), "predict_in_browser", "--artifact", folder, "--backend", backend),
            *("--contract", "contract.json", "--samples", "list.csv", "--folder", "."),
            *("--form", '{"reader": "npy", "label": "class"}', "--library", javascript, "--output", "found.npz"),
            cwd=tmp_path,
        )

    return run


@pytest.mark.parametrize("backend", ["webgl", "webgpu"])
def test_each_sample_has_a_row_of_what_the_model_gives(predict, tmp_path, backend):
    process = predict(models.product(tmp_path / "m"), backend)
    assert process.returncode == 0, process.stderr
    assert predictions.reason(tmp_path / "found.npz") is None
    found = predictions.read(tmp_path / "found.npz", tmp_path / "list.csv")
    np.testing.assert_allclose(found["y"], models.INPUTS @ models.WEIGHT, rtol=1e-4, atol=1e-5)


def test_a_backend_that_cannot_be_had_is_a_reason(predict, tmp_path):
    process = predict(models.product(tmp_path / "m"), "webnn")
    assert process.returncode == 0, process.stderr
    assert "webnn" in predictions.reason(tmp_path / "found.npz")
