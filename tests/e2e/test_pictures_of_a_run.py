"""The pictures of a run: bound to the bytes they are of, and showing what artifacts find by the house's own reading."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from zoomill import folders
from zoomill.detection import decode
from zoomill.pages import gallery
from zoomill.tflite import runtime

MODELS = {
    "ssd_mobilenet_v1_shapes": "boxes",
    "yolo_shapes": "boxes",
    "shapes_landmarks": "points",
    "edges_pix2pix": "picture",
    "digits_slim": "classes",
    "digits_pytorch": "classes",
}


def index(run, model):
    return json.loads(run.file(f"results/{model}/pictures/index.json").read_text())


def golden(run, model, graph="main"):
    with np.load(run.file(f"build/{model}/{graph}/golden.npz")) as stored:
        return dict(stored)


def contract(run, model, graph="main"):
    return json.loads(run.file(f"build/{model}/{graph}/contract.json").read_text())


@pytest.mark.parametrize("model", MODELS)
def test_what_was_drawn_is_of_the_bytes_that_stand_there(starters, model):
    found = index(starters, model)
    folder = starters.file(f"results/{model}/pictures")
    named = {*found["samples"], "index.json"}
    for graph in found["graphs"].values():
        assert graph["form"] == MODELS[model] and graph["found"][0]["artifact"] == "source"
        for item in graph["found"][1:]:
            assert item["sha256"] == folders.digest(starters.file(f"results/{model}/{item['artifact']}"))
        pictures = [picture for item in graph["found"] for picture in item["pictures"]]
        assert len(pictures) == len(graph["found"]) * len(found["samples"])
        named |= {picture["file"] for picture in pictures if "file" in picture}
    drawn = {item["artifact"] for graph in found["graphs"].values() for item in graph["found"][1:]}
    made = {path.name for path in starters.file(f"results/{model}").glob("*.tflite")}
    assert drawn == {name for name in made if not name.endswith(".vela.tflite")}
    assert {path.name for path in folder.iterdir() if path.name[0] != "."} == named
    assert folders.size(folder) < gallery.MOST_BYTES + 100_000  # index.json


def test_a_model_that_is_given_no_picture_has_none(starters):
    assert index(starters, "digits_autoencoder")["reason"] == "it is given no picture"


def test_the_boxes_of_a_yolo_are_those_of_its_decoder(starters):
    given, known = contract(starters, "yolo_shapes"), golden(starters, "yolo_shapes")
    artifact = runtime.Artifact(starters.file("results/yolo_shapes/main.dynamic.tflite"))
    drawn = index(starters, "yolo_shapes")["graphs"]["main"]
    (item,) = (item for item in drawn["found"] if item["artifact"] == "main.dynamic.tflite")
    read = decode.decoder(given, None, "yolo")
    for image, picture in zip(known["image"], item["pictures"], strict=False):
        found = read(artifact(given, {"image": image}))
        labels = [given["labels"][number] for number in found.classes]
        assert sorted(box["label"] for box in picture["boxes"]) == sorted(labels)
        assert [box["score"] for box in picture["boxes"]] == pytest.approx(sorted(found.scores, reverse=True), abs=1e-4)


def test_the_boxes_of_an_ssd_are_the_rows_of_its_op_and_those_of_the_source_its_own(starters):
    model, graph = "ssd_mobilenet_v1_shapes", "detect_regular"
    given, known = contract(starters, model, graph), golden(starters, model, "detect_cut")
    artifact = runtime.Artifact(starters.file(f"results/{model}/{graph}.float32.tflite"))
    drawn = index(starters, model)["graphs"][graph]
    (item,) = (item for item in drawn["found"] if item.get("variant") == "float32")
    for row, picture in enumerate(item["pictures"]):
        tensor = given["inputs"][0]["tensor"]
        scores = artifact(given, {tensor: known[tensor][row]})["detection_scores"][0]
        assert len(picture["boxes"]) == (scores >= drawn["shown_from"]).sum() > 0
        own = (known["detection_scores"][row] >= drawn["shown_from"]).sum()
        assert len(drawn["found"][0]["pictures"][row]["boxes"]) == own == picture["apart"]["same"]


def test_a_generators_picture_has_the_range_of_its_contract_and_float32_is_the_sources(starters):
    known = golden(starters, "edges_pix2pix")["shapes"]
    drawn = index(starters, "edges_pix2pix")["graphs"]["main"]
    by_variant = {item.get("variant", "source"): item["pictures"] for item in drawn["found"]}
    assert all(picture["apart"]["largest"] < 0.01 for picture in by_variant["float32"])
    assert max(picture["apart"]["largest"] for picture in by_variant["int8"]) > 1
    for row, picture in enumerate(by_variant["source"]):
        path = starters.file(f"results/edges_pix2pix/pictures/{picture['file']}")
        pixels = np.asarray(Image.open(path))[5::10, 5::10]
        np.testing.assert_allclose(pixels, (known[row, 0, :, :, 0] + 1) / 2 * 255, atol=0.5001)


def test_corners_are_told_and_near_the_sources(starters):
    drawn = index(starters, "shapes_landmarks")["graphs"]["main"]
    by_variant = {item.get("variant", "source"): item["pictures"] for item in drawn["found"]}
    assert all(picture["points"] == 3 for picture in by_variant["source"])
    assert all(picture["apart"]["largest"] < 1e-4 for picture in by_variant["float32"])


def test_the_report_shows_them_by_paths_that_there_are(starters):
    for model in MODELS:
        page = starters.file(f"results/report/{model}.html").read_text()
        shown = re.findall(r'<img src="([^"]+)"', page)
        assert shown, model
        for path in shown:
            assert (starters.file("results/report") / path).is_file()
