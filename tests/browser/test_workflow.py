"""The proof in the browser as a part of a run."""

import shutil

import pytest
from conftest import missing

from zoomill import files, folders

MODEL = "digits_resnet8"


@pytest.mark.slow
def test_a_run_proves_its_models_in_node_and_in_chromium(workflow):
    if not (shutil.which("chromium") and shutil.which("npm")):
        missing("Chromium, or Node with npm, is not installed")
    config = [f"models=[{MODEL}]", "tflite=[float32]", "tfjs=[float32,uint8]", "browser=auto"]
    process = workflow.run(config=config)
    assert "Chromium is run in the proof of TensorFlow.js models.\n" in process.stdout
    artifacts = [f"results/{MODEL}/main.{name}" for name in ("float32.tfjs", "uint8.tfjs", "float32.tflite")]
    proof = files.read_json(workflow.file(f"results/{MODEL}/browser.json"))
    assert proof["passed"] and proof["model"] == MODEL
    digests = [folders.digest(workflow.file(path)) for path in artifacts]
    assert [item["sha256"] for item in proof["artifacts"]] == digests
    for path in artifacts[:2]:
        evidence = files.read_json(workflow.file(f"{path}.json"))
        assert evidence["passed"] and sorted(evidence["backends"]) == ["cpu", "wasm"]
    assert not list(workflow.folder.rglob("node_modules"))
    assert "Chromium webgl" in workflow.file("results/tfjs.md").read_text()
