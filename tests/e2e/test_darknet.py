"""Real Darknet models against the real Darknet and OpenCV, and what the command does with broken files."""

import json
import shutil
import struct

import numpy as np
import pytest
from conftest import REPOSITORY
from darknet_graphs import export_all
from darknet_reference import output_of

from zoomill.proof import parity
from zoomill.tflite import runtime

CARD = {"inputs": [], "outputs": [], "labels": [], "label_offset": 0}
# Path in the zoo, or of the starter in the repository, without its ending, and classes.
STARTER = "yolo_shapes"
MODELS = {
    "yolo_fastest_1_0": ("darknet_yolo_fastest/yolo-fastest", 80),
    "yolo_fastest_1_1": ("darknet_yolo_fastest/yolo-fastest-1.1", 80),
    "yolo_fastest_1_1_body": ("darknet_yolo_fastest/yolo-fastest-1.1_body", 1),
    "mobilenetv2_yolov3_nano_voc": ("darknet_mobilenetv2_yolov3_nano_voc/MobileNetV2-YOLOv3-Nano-voc", 20),
    "yoloface_50k": ("darknet_yoloface_50k/yoloface-50k", 1),
    STARTER: ("starter/yolo_shapes/yolo_shapes", 3),
}
PICTURES = ("dog", "person", "horses")


def options(heads):
    """Return the options of the card's source, as JSON."""
    return json.dumps({"config": "model.cfg", "weights": "model.weights", "heads": heads})


def exported(folder, names, root, pictures, python):
    """Fill a folder with models, exported and run by TensorFlow in one process, and return it."""
    for name in names:
        (folder / name).mkdir()
        for ending in ("cfg", "weights"):
            shutil.copy(root / f"{MODELS[name][0]}.{ending}", folder / f"{name}/model.{ending}")
        flags = ["--options", options("decoded"), "--card", json.dumps(CARD), "--golden-images", *map(str, pictures)]
        (folder / f"{name}/arguments.json").write_text(json.dumps(flags))
    export_all(python, folder)
    return folder


@pytest.fixture(scope="module")
def of_zoo(zoo, tmp_path_factory, environment_python):
    """Folder of the models of the zoo."""
    pictures = [zoo / f"evaldata_darknet_images/{name}.jpg" for name in PICTURES]
    return exported(tmp_path_factory.mktemp("zoo"), set(MODELS) - {STARTER}, zoo, pictures, environment_python("tf2"))


@pytest.fixture(scope="module")
def of_repository(tmp_path_factory, environment_python):
    """Folder of the starter."""
    pictures = sorted((REPOSITORY / "starter/yolo_shapes/golden").iterdir())
    return exported(tmp_path_factory.mktemp("starter"), [STARTER], REPOSITORY, pictures, environment_python("tf2"))


@pytest.fixture(params=MODELS)
def model(request):
    """Folder of one exported model."""
    return request.getfixturevalue("of_repository" if request.param == STARTER else "of_zoo") / request.param


def stretched(boxes, heads):
    """Return boxes ``[boxes, 5 + classes]`` with scale_x_y, which the Darknet of 2018 ignores.

    Args:
        boxes: of heads with three anchors each.
        heads: for each head its cells per side and its factor.
    """
    cells = np.concatenate([np.full(3 * side**2, side) for side, _ in heads])[:, None]
    factors = np.concatenate([np.full(3 * side**2, factor) for side, factor in heads])[:, None]
    inside, _ = np.modf((boxes[:, 0:2] + boxes[:, 2:4]) / 2 * cells)
    moved = (inside - 0.5) * (factors - 1) / cells
    return np.hstack([boxes[:, 0:2] + moved, boxes[:, 2:4] + moved, boxes[:, 4:]])


@pytest.mark.slow
def test_boxes_are_those_of_darknet(model, tmp_path):
    with np.load(model / "outputs.npz") as found, np.load(model / "main/golden.npz") as golden:
        images, boxes = golden["image"][:, 0], found["detections"][:, 0]
    assert len(images) >= len(PICTURES)
    for image, ours in zip(images, boxes, strict=True):
        theirs = output_of(model / "model.cfg", model / "model.weights", image.transpose(2, 0, 1), tmp_path)
        if model.name == "mobilenetv2_yolov3_nano_voc":
            theirs = stretched(theirs, [(10, 1.1), (20, 1.05)])
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4)


@pytest.mark.slow
def test_boxes_are_those_of_opencv_but_for_its_other_epsilon(model):
    # It adds 1e-6 to the variance, Darknet to its square root.
    with np.load(model / "outputs.npz") as found, np.load(model / "main/golden.npz") as golden:
        np.testing.assert_allclose(found["detections"], golden["detections"], rtol=0, atol=5e-4)


@pytest.mark.slow
def test_the_converted_model_gives_the_same_boxes(model, environment_python, command, tmp_path):
    made, artifact = model / "main", tmp_path / "artifact.tflite"
    files = ["--graph", made / "graph.pb", "--contract", made / "contract.json", "--output", artifact]
    process = command(environment_python("tf2"), "convert_tflite", *files)
    assert process.returncode == 0, process.stderr
    contract = json.loads((made / "contract.json").read_text())
    run = runtime.Artifact(artifact)
    with np.load(made / "golden.npz") as golden, np.load(model / "outputs.npz") as found:
        for feed, boxes in zip(parity.feeds(contract, golden), found["detections"], strict=True):
            np.testing.assert_allclose(run(contract, feed)["detections"], boxes, rtol=0, atol=1e-5)


@pytest.mark.slow
def test_the_contract_describes_input_and_boxes(model):
    contract = json.loads((model / "main/contract.json").read_text())
    (entry,), (output,) = contract["inputs"], contract["outputs"]
    assert entry["colour"] == "RGB" and entry["value_range"] == [0, 1] and entry["layout"] == "NHWC"
    assert output["name"] == "detections" and output["shape"][2] == 5 + MODELS[model.name][1]
    assert "xmin, ymin, xmax, ymax relative to the image, objectness" in output["meaning"]


SMALL = "[net]\nwidth=4\nheight=4\nchannels=3\n[convolutional]\nfilters=8\nsize=1\nactivation=linear\n"
HEAD = "[yolo]\nclasses=3\nanchors=1,2\n"
VALUES = struct.pack("<iiiQ", 0, 2, 0, 0) + bytes(4 * (8 + 3 * 8))


@pytest.fixture
def export(environment_python, command, tmp_path):
    """Return a function that writes a small model, exports it, and returns the process and the output folder."""

    def run(text, weights, heads="decoded", **card):
        (tmp_path / "model.cfg").write_text(text)
        (tmp_path / "model.weights").write_bytes(weights)
        flags = ["--model", "small", "--source", tmp_path, "--options", options(heads)]
        flags += ["--card", json.dumps({**CARD, **card}), "--output-dir", tmp_path / "main"]
        return command(environment_python("tf2"), "export_darknet", *flags), tmp_path / "main"

    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    "text, weights, card, message",
    [
        (SMALL + "[rnn]\n", VALUES, {}, "model.cfg: line 9: [rnn] is not supported; there are: avgpool, connected,"),
        (SMALL, VALUES[:-2], {}, "[convolutional] needs 128 bytes of parameters so far, "),
        (SMALL, VALUES + b"\0", {}, "has 129 bytes of parameters, "),
        (SMALL, b"", {}, "model.weights: has 0 bytes, too few for the header"),
        (SMALL + HEAD, VALUES, {"labels": ["cat"]}, "the card has 1 labels, the network 3 classes"),
        (SMALL + HEAD, VALUES, {"outputs": [{}, {}]}, "the card has 2 outputs, the source 1"),
    ],
    ids=["unknown section", "cut off", "left over", "empty", "labels", "outputs"],
)
def test_a_broken_model_gives_one_line_and_no_output(export, text, weights, card, message):
    process, output = export(text, weights, **card)
    assert process.returncode == 1 and "Traceback" not in process.stderr
    last = process.stderr.splitlines()[-1]
    assert last.startswith("error: small: ") and message in last
    assert not list(output.iterdir())


@pytest.mark.slow
def test_raw_heads_say_how_to_read_them(export):
    process, output = export(SMALL + HEAD + "scale_x_y=1.05\n", VALUES, heads="raw", labels=["cat", "dog", "cow"])
    assert process.returncode == 0, process.stderr
    contract = json.loads((output / "contract.json").read_text())
    (head,) = contract["outputs"]
    assert (head["name"], head["shape"], contract["labels"]) == ("head_0", [1, 4, 4, 8], ["cat", "dog", "cow"])
    assert head["decode"] == {
        "kind": "yolo",
        "anchors": [[1 / 4, 2 / 4]],
        "classes": 3,
        "scale_x_y": 1.05,
        "activation": "logistic",
    }
