"""The catalogue as a whole: what it names, where that comes from, and what it leaves out."""

import csv
import ipaddress
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from conftest import missing

from zoomill.plan import cards, schemas

REPOSITORY = Path(__file__).resolve().parents[2]
MODELS = sorted(path.stem for path in (REPOSITORY / "models").glob("*.yaml"))
DIGESTS = {"sha256", "sha384", "sha512", "md5", "digest"}
# Model and data set of each row.
PIGALLERY_TESTING_TABLE = [
    "MobileNet v1, ImageNet",
    "MobileNet v2, ImageNet",
    "Inception v1, ImageNet",
    "Inception v2, ImageNet",
    "Inception v3, ImageNet",
    "Inception v4, ImageNet",
    "ResNet v2-50, ImageNet",
    "ResNet v2-101, ImageNet",
    "Inception-ResNet v2, ImageNet",
    "NASNet-A Mobile, ImageNet",
    "EfficientNet B0, ImageNet",
    "EfficientNet B4, ImageNet",
    "EfficientNet B5, ImageNet",
    "EfficientNet B7, ImageNet",
    "DeepDetect, DeepDetect",
    "SSD/MobileNet v1, Coco",
    "SSD/MobileNet v2, Coco",
    "Yolo/DarkNet v1 Tiny, Coco+VOC",
    "Yolo/DarkNet v2 Tiny, Coco+VOC",
    "Yolo/DarkNet v3 Tiny, Coco+VOC",
    "Yolo/DarkNet v3 Full, Coco+VOC",
    "SSD/MobileNet v2, OpenImages",
    "RCNN/Inception-ResNet v2, OpenImages",
    "MobileNet v1 Food, iNaturalist",
    "MobileNet v2 Plants, iNaturalist",
    "MobileNet v2 Birds, iNaturalist",
    "MobileNet v2 Insects, iNaturalist",
]
OTHERS = {
    "pigallery, a TensorFlow 2 detector": "ssd_mobilenet_v2_320_coco17",
    "pigallery, NSFW": "nsfw_inception_v3",
    "Efinix, Yolo person detection": "efinix_yolo_pico_person",
    "Efinix, MobilenetV1 person detection": "efinix_mobilenet_v1_person",
    "Efinix, ResNet image classification": "mlperf_tiny_ic01_resnet",
    "Efinix, DS-CNN keyword spotting": "mlperf_tiny_kws01_dscnn",
    "Efinix, MediaPipe face landmarks": "efinix_face_landmark",
    "Efinix, autoencoder anomaly detection": "mlperf_tiny_ad01_autoencoder",
    "MLPerf, SSD-MobileNet": "ssd_mobilenet_v1_coco_2018_01_28",
    "the blog's generator": "pix2pix_flowers",
}


@pytest.fixture(scope="module")
def catalogue():
    """All cards of the repository."""
    return cards.load_catalogue(REPOSITORY / "models", schemas.load(REPOSITORY / "rules/schemas")["card"])


@pytest.fixture(scope="module")
def datasets():
    """All data sets of the repository."""
    return cards.load_datasets(REPOSITORY / "datasets", schemas.load(REPOSITORY / "rules/schemas")["dataset"])


@pytest.fixture(scope="module")
def tracked():
    """The files that the repository holds."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, text=True, capture_output=True, check=True)
    return set(names.stdout.split("\0"))


@pytest.fixture(scope="module")
def mirrored(zoo):
    """What a folder of real models says of its files: ``{raw URL: row of SOURCES.files.csv}``."""
    path = zoo / "SOURCES.files.csv"
    if not path.exists():
        missing(f"{zoo} has no SOURCES.files.csv")
    with open(path, newline="") as file:
        return {
            "https://raw.githubusercontent.com/{}/{}/{}".format(
                row["origin_repo"], row["origin_commit"], quote(row["origin_path"].split(": ")[-1])
            ): row
            for row in csv.DictReader(file)
        }


@pytest.mark.parametrize("model", MODELS)
def test_a_card_is_valid_and_names_what_it_has(catalogue, model):
    files = catalogue[model]["source"]["files"]
    names = [file["name"] for file in files]
    assert len(set(names)) == len(names)
    assert any("unpack" in file for file in files) or set(catalogue[model]["golden"]) <= set(names)
    for file in files:
        assert len(DIGESTS.intersection(file)) == 1


def check_server(url):
    parts = urlsplit(url)
    assert parts.scheme in ("http", "https") and not (parts.username or parts.password or parts.port)
    assert re.fullmatch(r"([a-z0-9-]+\.)+(com|org|io|net|dev)", parts.hostname), url
    with pytest.raises(ValueError):
        ipaddress.ip_address(parts.hostname)


def check_address(file, url, tracked):
    """Hold a card of the repository to public servers and the repository's own files; a user's own may name others."""
    if url in tracked:
        assert os.path.getsize(REPOSITORY / url) == file["size"] and not (REPOSITORY / url).is_symlink()
    else:
        check_server(url)


@pytest.mark.parametrize("model", MODELS)
def test_a_file_is_on_a_public_server_or_in_the_repository(catalogue, tracked, model):
    for file in catalogue[model]["source"]["files"]:
        for url in file["urls"]:
            check_address(file, url, tracked)


def test_data_sets_are_on_public_servers(datasets, tracked):
    for dataset in datasets.values():
        for url in dataset.get("urls", []):
            check_server(url)
        for file in dataset["files"]:
            for url in file["urls"]:
                check_address(file, url, tracked)


@pytest.mark.parametrize(
    "url", ["../x", "/etc/passwd", "starter/../../x", "config.yml", "file:///x", "http://127.0.0.1/"]
)
def test_a_shipped_card_may_name_no_file_of_the_machine(tracked, url):
    with pytest.raises(AssertionError):
        check_address({"size": 1}, url, tracked)


def test_the_cards_and_data_sets_of_the_repository_fit_together(catalogue, datasets):
    for card in catalogue.values():
        cards.check_datasets(card, datasets, {})
    assert not set(catalogue) & set(datasets)
    cards.check_c_names(catalogue, catalogue)


def test_artifacts_of_all_formats_are_counted_and_what_stands_beside_them_is_not(command, tmp_path):
    folder = tmp_path / "digits_onnx"
    for name in ("main.float32.openvino", "main.float32.tfjs", "main.uint8.tfjs", "layers.float32.tfjs", ".made"):
        (folder / name).mkdir(parents=True)
    for name in ("main.float32.tflite", "main.float32.tflite.json", "main.float32.tfjs.json", "main.float32.cc"):
        (folder / name).write_text("")
    cards = (REPOSITORY / f"models/{model}.yaml" for model in ("digits_onnx", "digits_slim"))
    process = command(sys.executable, "catalogue", "--cards", *cards, "--results", tmp_path)
    cells = [[cell.strip() for cell in line.split("|")] for line in process.stdout.splitlines()]
    assert [(row[1], row[-2]) for row in cells[2:]] == [("digits_onnx", "5 artifacts"), ("digits_slim", "no")]


@pytest.mark.parametrize("row", PIGALLERY_TESTING_TABLE)
def test_a_row_of_the_pigallery_testing_table_has_a_card_or_a_reason(catalogue, row):
    origin = f"pigallery testing table, {row}"
    having = [m for m, card in catalogue.items() if any(entry["origin"] == origin for entry in card["published"])]
    left_out = (REPOSITORY / "docs/cards.md").read_text().partition("but not in the catalogue")[2]
    name = re.escape(row.partition(",")[0])
    reasons = re.findall(rf"^\| pigallery testing table[^|]*\| {name} \| .+ \|$", left_out, re.M)
    assert len(having) + len(reasons) == 1


@pytest.mark.parametrize("model", OTHERS.values(), ids=OTHERS)
def test_the_other_models_of_those_pages_have_cards(catalogue, model):
    assert model in catalogue


def test_sizes_and_digests_are_those_of_the_mirror(catalogue, mirrored):
    compared = 0
    for model, card in catalogue.items():
        for file in card["source"]["files"]:
            for row in (mirrored[url] for url in file["urls"] if url in mirrored):
                assert (file.get("sha256"), file["size"]) == (row["sha256"], int(row["bytes"])), (model, file["name"])
                compared += 1
    assert compared > 100


def test_every_model_of_the_mirror_has_a_card(catalogue, mirrored):
    named = {url for card in catalogue.values() for file in card["source"]["files"] for url in file["urls"]}
    models = [url for url in mirrored if url.endswith((".tflite", ".h5", ".onnx", ".weights", "/model.json"))]
    digests = {file.get("sha256") for card in catalogue.values() for file in card["source"]["files"]}
    assert models and [url for url in models if url not in named and mirrored[url]["sha256"] not in digests] == []
