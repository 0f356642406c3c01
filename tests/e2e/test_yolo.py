"""Raw YOLO heads, decoded by what their contract says, are the boxes of the graph that decodes them itself."""

import json

import numpy as np
import pytest
from darknet_graphs import export_all
from test_darknet_layers import ANCHORS, BOTH, detector, yolo

from zoomill.detection import yolo as decoder

pytestmark = pytest.mark.slow


def nets(heads):
    """Return a network for each way of reading a head."""
    kind = {"heads": heads}
    region = {"classes": 3, "num": 2, "anchors": ANCHORS[:8]}
    return {
        "plain": yolo(*BOTH, **kind),
        "stretched": yolo(scale_x_y=1.1, **kind),
        "new_coords": yolo(activation="logistic", scale_x_y=2, new_coords=1, **kind),
        "region": detector(**kind).add("region", softmax=1, **region),
        "region_without_softmax": detector(**kind).add("region", softmax=0, **region),
        "two_heads": yolo(**kind)
        .add("route", layers=-2)
        .add("upsample", stride=2)
        .conv(16, 8, pad=1, activation="linear")
        .add("yolo", classes=3, num=3, mask="1", anchors=ANCHORS),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory, environment_python):
    """Folder of all networks with raw and with decoded heads, exported and run in one TensorFlow process."""
    path = tmp_path_factory.mktemp("yolo")
    for heads in ("raw", "decoded"):
        for name, net in nets(heads).items():
            net.write(path / f"{name}.{heads}")
    export_all(environment_python("tf2"), path)
    return path


def outputs(folder):
    """Return what a network's graph makes of its golden inputs, ``{bytes of the input: {output: array}}``."""
    with np.load(folder / "main/golden.npz") as golden, np.load(folder / "outputs.npz") as found:
        images, arrays = golden["image"], dict(found)
    return {image.tobytes(): {name: arrays[name][row] for name in arrays} for row, image in enumerate(images)}


@pytest.mark.parametrize("name", nets("raw"))
def test_raw_heads_become_the_boxes_of_the_decoded_graph(folder, name):
    contract = json.loads((folder / f"{name}.raw/main/contract.json").read_text())
    raw, decoded = outputs(folder / f"{name}.raw"), outputs(folder / f"{name}.decoded")
    both = raw.keys() & decoded.keys()  # each graph has golden inputs chosen for it
    assert both
    for image in both:
        heads = [decoder.decode(raw[image][head["name"]], head["decode"]) for head in contract["outputs"]]
        np.testing.assert_allclose(np.concatenate(heads, axis=1), decoded[image]["detections"], rtol=1e-5, atol=1e-6)
