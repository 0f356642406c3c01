"""The proof in Node and in the browser as a part of a run, on a machine that has neither."""

import os
from pathlib import Path

import pytest

from zoomill import files, folders

MODEL = "digits_resnet8"
FOREIGN = ("node", "npm", "npx", "chrom", "google-chrome")


@pytest.fixture
def machine(tmp_path):
    """PATH of a machine with neither Node nor a browser."""
    (tmp_path / "bin").mkdir()
    for program in Path("/usr/bin").iterdir():
        if not program.name.startswith(FOREIGN):
            (tmp_path / "bin" / program.name).symlink_to(program)
    return str(tmp_path / "bin")


@pytest.mark.slow
def test_a_run_proves_its_models_in_node_and_in_chromium_where_neither_is_installed(workflow, machine):
    config = [f"models=[{MODEL}]", "tflite=[float32]", "tfjs=[float32,uint8]", "browser=True", "deploy=[latency]"]
    process = workflow.run(config=config, env={**os.environ, "PATH": machine})
    assert "Chromium is run in the proof of TensorFlow.js models.\n" in process.stdout
    artifacts = [f"results/{MODEL}/main.{name}" for name in ("float32.tfjs", "uint8.tfjs", "float32.tflite")]
    proof = files.read_json(workflow.file(f"results/{MODEL}/browser.json"))
    assert proof["passed"] and proof["model"] == MODEL and proof["webgpu_adapter"]
    digests = [folders.digest(workflow.file(path)) for path in artifacts]
    assert [item["sha256"] for item in proof["artifacts"]] == digests
    for item, backends in zip(proof["artifacts"], (["wasm", "webgl", "webgpu"],) * 2 + (["litert"],), strict=True):
        assert sorted(item["backends"]) == backends
    for path in artifacts[:2]:
        evidence = files.read_json(workflow.file(f"{path}.json"))
        assert evidence["passed"] and sorted(evidence["backends"]) == ["cpu", "wasm"]
    assert not list(workflow.folder.rglob("node_modules"))
    assert "Chromium webgl" in workflow.file("results/tfjs.md").read_text()
