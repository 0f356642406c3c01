"""The page that runs models for people: what it shows, compares and leaves behind, in Chromium."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import small_graph_models as models
from conftest import REPOSITORY, missing
from PIL import Image

from zoomill import files
from zoomill.pages import decoder_programs, models_json

TEMPLATE = REPOSITORY / "scripts/zoomill/pages/templates/decode.js.jinja"
HOSTILE = "<img src=x onerror=alert(1)>"
LONG = "points of a model with a title that is longer than any phone is wide, as are those of many cards"
SIDE = 8
IMAGE = {"name": "x", "tensor": "x", "dtype": "float32", "shape": [1, SIDE, SIDE, 1], "layout": "NHWC"}
IMAGE |= {"colour": "GRAY", "value_range": [-1, 1]}
LABELS = ["square", "circle", HOSTILE]
# Left, top, right, bottom, objectness and a score for each class.
SQUARE, MOVED = [0.1, 0.1, 0.5, 0.5, 1, 0.9, 0, 0], [0.1, 0.1, 0.5, 0.42, 1, 0.8, 0, 0]
CIRCLE, FAINT = [0.6, 0.6, 0.9, 0.9, 1, 0, 0.6, 0], [0.0, 0.6, 0.3, 0.9, 1, 0.2, 0, 0]
OTHER = [*CIRCLE[:5], 0, 0, 0.5]  # in the circle's place
POINTS = [-0.5, -0.5, 0.5, -0.5, 0, 0.5]  # from -1 to 1
# Each output in float32 and in uint8; without, it is the input, in uint8 weakened by a tenth.
MODELS = {
    "boxes": ("object-detection", "detections", "", [[SQUARE, CIRCLE, FAINT], [MOVED, OTHER]]),
    "generator": ("image-generation", "made", "picture", None),
    LONG: ("landmarks", "points", "x, y of corners", [POINTS, [-0.48, *POINTS[1:]]]),
    HOSTILE: ("image-classification", "p", "probability", [[0.1, 0.2, 0.7], [0.15, 0.2, 0.65]]),
    "leaks": ("image-generation", "made", "picture", None),
    "missing": ("image-generation", "made", "picture", None),
    "undecoded": ("image-generation", "made", "picture", None),
}


def write_model(root, title, number):
    """Write a model, its decode.js and its samples into a folder of results and return its entry of the registry."""
    task, name, meaning, values = MODELS[title]
    folder, shape = f"model_{number}", IMAGE["shape"]
    variants = {}
    for index, variant in enumerate(("float32", "uint8")):
        dimensions = {"shape": {"dim": [{"size": str(size)} for size in shape]}}
        nodes, weights = [models.node("x", "Placeholder", shape=dimensions)], {}
        if values:
            weights[name] = np.array([values[index]], np.float32)
        else:
            weights["factor"] = np.array([1, 0.9][index], np.float32)
            nodes.append(models.node(name, "Mul", "x", "factor"))
        path = f"{folder}/main.{variant}.tfjs"
        models.write(root / path, nodes, [name], weights)
        variants[variant] = {"modelPath": path, "bytes": 1000 - index, "sha256": f"{number}{index}"}
    output = [1, *np.shape(values[0])] if values else shape
    contract = {"model": folder, "graph": "main", "inputs": [IMAGE], "labels": LABELS, "label_offset": 0}
    contract["outputs"] = [{"name": name, "tensor": name, "dtype": "float32", "shape": output, "meaning": meaning}]
    if task == "landmarks":
        contract["outputs"][0]["value_range"] = [-1, 1]
    card = {"title": title, "task": task, "decode": {}, "metric": {}, "preprocess": {}}
    program = decoder_programs.render(TEMPLATE, decoder_programs.facts(contract, card))
    if title == "leaks":
        program = program.replace("return x.expandDims(0)", "tf.keep(tf.ones([1])); return x.expandDims(0)")
    (root / folder / "decode.js").write_text(program)
    files.write_json(root / folder / "decode.json", decoder_programs.data(contract))
    samples = []
    for sample in range(2):
        pixels = np.zeros((SIDE, SIDE), np.uint8)
        pixels[:, SIDE // 2 :] = 255  # black on the left, white on the right
        samples.append(f"{folder}/pictures/sample-{sample}.png")
        (root / samples[-1]).parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(root / samples[-1])
    document = json.loads((root / variants["float32"]["modelPath"] / "model.json").read_text())
    entry = models_json.entries(folder, contract, card, variants, document, samples, {})["newer"]
    if title == "missing":
        shutil.rmtree(root / folder / "main.float32.tfjs")
    if title == "undecoded":
        (root / folder / "decode.js").unlink()
    return models_json.section(task), entry


@pytest.fixture(scope="module")
def found(javascript, environment_python, axe, tmp_path_factory):
    """What the page showed to somebody who used all of it."""
    if not shutil.which("chromium"):
        missing("Chromium is not installed")
    root, newer = tmp_path_factory.mktemp("bed"), {"classify": [], "detect": [], "various": []}
    for number, title in enumerate(MODELS):
        section, entry = write_model(root, title, number)
        newer[section].append(entry)
    files.write_json(root / "models.json", {"newer": newer})
    folders = {"web": REPOSITORY / "web", "results": root, "javascript": javascript, "axe": Path(axe).parent}
    asked = {
        "folders": {name: str(folder) for name, folder in folders.items()},
        "pictures": str(root / "model_0/pictures"),
        "chromium": shutil.which("chromium"),
    }
    program = Path(__file__).with_name("drive_bed.py")
    command = [environment_python("web"), program]
    process = subprocess.run(command, input=json.dumps(asked), text=True, capture_output=True)
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def test_the_first_detector_has_run_on_its_first_sample_from_the_score_of_the_registry_on(found):
    start = found["start"]
    assert (start["threshold"], start["counts"], start["thumbnails"]) == ("0.25", "2 of 3 boxes", [SIDE] * 2)
    assert len(start["captions"]) == 1 and start["captions"][0].startswith("float32 on wasm: ")


def test_the_slider_hides_and_shows_boxes(found):
    assert found["counts"] == ["1 of 3 boxes", "3 of 3 boxes"] and found["by key"] == "0.11"


def test_every_backend_is_the_one_that_was_asked_for(found):
    assert found["backends"] == [[name, "", "3 of 3 boxes"] for name in ("webgl", "cpu", "wasm")]


def test_two_variants_stand_side_by_side_with_what_is_different(found):
    first, second, apart = found["detections apart"]
    assert first.startswith("float32 on wasm: ") and second.startswith("uint8 on wasm: ")
    assert apart == (
        "Difference: found by both: 1, scores at most 10.0 points apart, overlap at least 0.80; "
        "only float32 on wasm: 1; only uint8 on wasm: 1"
    )
    names = "blue float32 on wasm, brown uint8 on wasm"
    assert found["points apart"][2] == f"Difference: {names}; at most 1.00 % of the edge apart"
    assert found["classes apart"][1].split() == [*HOSTILE.split(), "0.7000", "0.6500", "−0.0500"]


def test_a_generated_picture_is_brought_to_its_range_once(found):
    # Twice would give 64 and 191, not at all 0 and 1.
    assert found["generated"] == [[0, 255], [0, 255], [13, 242]]
    assert found["pictures apart"][3] == "Difference: at most 13 of 255, PSNR 25.9 dB; drawn 19.6 times as strong"


def test_nothing_serious_bars_people_from_using_it(found):
    assert found["barriers"] == []


def test_labels_and_names_of_strangers_stay_text(found):
    assert found["classes"][:4] == [*HOSTILE.split(), "0.700"]
    assert found["dropped picture"][0] == "large <b>.png"


def test_results_are_had_as_json_with_digests_and_times(found):
    one, two = found["json"]["models"]
    assert (one["variant"], one["sha256"], one["backend"], two["sha256"]) == ("float32", "00", "wasm", "01")
    assert one["times_ms"]["load"] > 0 and one["times_ms"]["first"] > 0 and found["json"]["memory"][0]["tensors"] == 2
    (result,) = found["json"]["results"]
    assert result["picture"] == "sample-0.png" and found["json"]["least"] == 0.25
    assert [[box["label"] for box in side["boxes"]] for side in result["found"]] == [
        ["square", "circle"],
        ["square", HOSTILE],
    ]
    assert found["json of a picture"]["png"].startswith("data:image/png;base64,")


def test_another_model_takes_the_place_of_the_one_before(found):
    assert found["reloads"] == [1] * 6


def test_a_dropped_picture_a_cancelled_choice_and_a_file_that_is_neither(found):
    striped, white = found["dropped picture"][1]
    assert abs(striped - 128) < 15 and white == 255 and found["thumbnails"] == 1
    assert found["cancelled"] == ["large <b>.png", ""]
    assert "notes.txt" in found["no picture"]


def test_all_pictures_of_a_folder_are_run_and_reported(found):
    assert found["folder"] == ["pictures/sample-0.png", "pictures/sample-1.png"]


def test_a_film_is_generated_anew_and_leaves_nothing_behind_in_200_frames(found):
    if not found["records"]:
        missing("this Chromium records no film")
    film = found["film"]
    assert film["tensors"] == [1, 1] and float(film["rate"][0]) > 0
    assert film["seen"][0] < 30 and film["seen"][-1] > 225 and film["paused"] == "true"


def test_the_camera_stops_when_it_is_told_to_and_when_something_else_is_shown(found):
    assert found["camera"] == [[["live"], "true", ["ended"]]] * 2


def test_a_leak_and_a_missing_model_are_said_in_one_line(found):
    assert found["leak"].startswith("A leak: the last runs have left ")
    assert "main.float32.tfjs/model.json: cannot be had, 404" in found["missing"] and "\n" not in found["missing"]
    assert found["undecoded"].endswith("decode.js: cannot be loaded; a run without targets makes it")
    assert found["after it"] == ["", 1] and found["no webgpu"] == "backend webgpu cannot be had here"


def test_nothing_else_goes_wrong_no_other_host_is_asked_and_a_phone_is_wide_enough(found):
    assert (found["errors before"], found["asked"]) == ([], [])
    assert found["wide"] == [390] * 5
