"""The front door in a copy of the repository: cards that it writes build float32 without an edit, for every kind."""

import json
import shutil
import subprocess
import sys
import tarfile

import pytest

# A starter file of each kind; the other kinds come out of their builds.
STARTER = {
    "darknet": "yolo_shapes/yolo_shapes.cfg",
    "keras": "digits_resnet8/digits_resnet8.h5",
    "onnx": "digits_pytorch/digits.onnx",
    "pytorch": "digits_pytorch/digits.pt2",
    "saved_model": "digits_dscnn_saved_model/dscnn",
    "tf1_checkpoint": "digits_slim",
    "tf1_detection": "ssd_mobilenet_v1_shapes/ssd_mobilenet_v1_shapes.tar.gz",
}
MADE = {
    "frozen_graph": "build/new_tf1_checkpoint/main/graph.pb",
    "tfjs": "results/new_keras/main.float32.tfjs",
    "tflite": "results/new_keras/main.float32.tflite",
}


@pytest.fixture(scope="module")
def door(clone):
    """Return a function that runs a verb of the front door."""

    def run(*arguments):
        command = [sys.executable, clone / "zoomill", *arguments]
        return subprocess.run(command, cwd=clone, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    return run


@pytest.fixture(scope="module")
def built(clone, door):
    """Cards of all kinds, built in two runs: of the starter's files, and of what came out of them."""
    for files, targets in ((STARTER, ("float32",)), (MADE, ("float32",))):
        for kind, file in files.items():
            place = f"starter/{file}" if files is STARTER else file
            process = door("new-card", place, "--name", f"new_{kind}")
            assert process.returncode == 0, process.stdout
        process = door("build", "new_*", *targets, "--", "--config", "browser=False")
        assert process.returncode == 0, process.stdout
        if files is STARTER:
            process = door("build", "new_keras", "float32.tfjs", "--", "--config", "browser=False")
            assert process.returncode == 0, process.stdout
    return clone


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*STARTER, *MADE])
def test_the_card_of_a_file_builds_float32_without_an_edit(built, kind):
    assert f"kind: {kind}\n" in (built / f"models/new_{kind}.yaml").read_text()
    graph = "detect_cut" if kind == "tf1_detection" else "main"
    for end in (".tflite", ".tflite.json"):
        assert (built / f"results/new_{kind}/{graph}.float32{end}").exists()


@pytest.mark.slow
def test_what_stands_is_up_to_date_and_an_edited_card_makes_it_stale_with_the_reason(built, door):
    target = "results/new_keras/main.float32.tflite"
    assert "yes, and up to date" in door("why", target).stdout
    card = built / "models/new_keras.yaml"
    card.write_text(card.read_text().replace("inputs:\n", "label_offset: 1\ninputs:\n"))
    said = door("why", target).stdout
    assert "is there    yes\n" in said
    assert said.endswith(
        "  to be run   export_keras: Params have changed since last execution\n  and then    convert_tflite\n"
    )


@pytest.mark.slow
def test_a_detector_without_pipeline_config_is_built_by_one_command_with_the_labels_beside_it(clone, door, tmp_path):
    with tarfile.open(clone / f"starter/{STARTER['tf1_detection']}") as archive:
        archive.extractall(tmp_path, filter="data")
    (config,) = tmp_path.rglob("pipeline.config")
    config.unlink()
    shutil.copy(clone / "starter/ssd_mobilenet_v1_shapes/labels.txt", config.parent)
    export = config.parent.rename(tmp_path / "somebody_s_export")
    process = door("build", str(export), "float32", "--", "--config", "browser=False")
    assert process.returncode == 0, process.stdout
    contract = json.loads((clone / "build/somebody_s_export/detect_fast/contract.json").read_text())
    assert contract["labels"] == (export / "labels.txt").read_text().split()
    assert any("the source's graph tells" in note for note in contract["notes"])


@pytest.mark.slow
def test_torchscript_needs_the_shape_that_its_card_asks_for(clone, door):
    assert door("new-card", "starter/digits_pytorch/digits.pt", "--name", "scripted").returncode == 0
    card = clone / "models/scripted.yaml"
    assert "# TorchScript does not tell what it takes." in card.read_text()
    card.write_text(card.read_text() + "inputs: [{name: picture, shape: [1, 16, 16, 1]}]\n")
    process = door("build", "scripted", "float32")
    assert process.returncode == 0, process.stdout
