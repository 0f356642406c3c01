"""MediaPipe Tasks open what is delivered, and give LiteRT's answers; with wrong metadata they do not."""

import json
import subprocess

import numpy as np
import pytest
from rows import flag
from small_models import picture_classifier, picture_contract, picture_segmenter

from zoomill import files
from zoomill.tflite import metadata, retune, tflite_file

pytestmark = pytest.mark.slow
STARTER = "ssd_mobilenet_v1_shapes"
LIMITS = json.dumps({"unmatched": 0.2})


@pytest.fixture(scope="session")
def asked(environment_python, command, tmp_path_factory):
    """Return a function from a file, its contract and its golden inputs to the evidence about it."""
    python, folder = environment_python("mediapipe"), tmp_path_factory.mktemp("tasks")

    def ask(artifact, contract, golden, variant="float32"):
        given = ["--artifact", artifact, "--contract", contract, "--golden", golden]
        flags = [*given, "--variant", variant, "--limits", LIMITS, "--output", folder / "tasks.json"]
        process = command(python, "validate_tasks", *flags)
        assert process.returncode == 0, process.stderr
        return files.read_json(folder / "tasks.json")

    return ask


@pytest.fixture
def small(asked, tmp_path):
    """Return a function from a small model, its contract and what its metadata say instead to the evidence."""

    def ask(model, contract, **said):
        tflite_file.set_signature(model, contract)
        (tmp_path / "a.tflite").write_bytes(metadata.added(model, {**contract, **said}))
        (tmp_path / "contract.json").write_text(json.dumps(contract))
        pixels = np.random.default_rng(1).integers(0, 256, (8, *contract["inputs"][0]["shape"][1:]))
        np.savez(tmp_path / "golden.npz", image=(pixels / 127.5 - 1).astype(np.float32))
        return asked(tmp_path / "a.tflite", tmp_path / "contract.json", tmp_path / "golden.npz")

    return ask


@pytest.fixture(scope="session")
def detector(starter_run):
    """Contract and golden inputs of the starter detector."""
    return [
        starter_run.file(f"build/{STARTER}/{end}") for end in ("detect_regular/contract.json", "detect_cut/golden.npz")
    ]


@pytest.mark.parametrize("variant", ["float32", "float16", "dynamic", "int8"])
def test_the_starter_detector_opens_and_gives_the_same_boxes_names_and_scores(asked, starter_run, detector, variant):
    found = asked(starter_run.file(f"results/{STARTER}/detect_regular.{variant}.tflite"), *detector, variant)
    assert (found["task"], found["opens"], found["verdict"]) == ("ObjectDetector", True, "passed")
    assert found["parity"]["pictures"] == 8 and found["parity"]["expected"] > 20


def test_boxes_that_leave_the_picture_are_cut_as_mediapipe_cuts_them(asked, starter_run, detector, tmp_path):
    data = starter_run.file(f"results/{STARTER}/detect_regular.float32.tflite").read_bytes()
    options = retune.asked(data, {"nms_score_threshold": 1e-8})
    (tmp_path / "a.tflite").write_bytes(retune.with_options(data, options))
    contract = files.read_json(detector[0]) | {"postprocess": vars(options)}
    (tmp_path / "contract.json").write_text(json.dumps(contract))
    found = asked(tmp_path / "a.tflite", tmp_path / "contract.json", detector[1])
    assert found["verdict"] == "passed" and found["parity"]["expected"] > 500


def corners_in_the_usual_order(monkeypatch, contract):
    monkeypatch.setitem(metadata._CORNERS, "index", [0, 1, 2, 3])


def another_range(monkeypatch, contract):
    contract["inputs"][0]["value_range"] = [0, 1]


def labels_in_another_order(monkeypatch, contract):
    contract["labels"].reverse()


def no_labels(monkeypatch, contract):
    contract["labels"].clear()


@pytest.mark.parametrize(
    "wrong",
    [corners_in_the_usual_order, another_range, labels_in_another_order, no_labels],
    ids=lambda one: one.__name__,
)
def test_wrong_metadata_of_a_detector_are_found(asked, starter_run, detector, tmp_path, monkeypatch, wrong):
    contract = files.read_json(detector[0])
    wrong(monkeypatch, contract)
    model = tflite_file.read(starter_run.file(f"results/{STARTER}/detect_regular.float32.tflite"))
    (tmp_path / "a.tflite").write_bytes(metadata.added(model, contract))
    found = asked(tmp_path / "a.tflite", *detector)
    assert found["opens"] and found["verdict"] == "failed"
    assert "answers otherwise than LiteRT" in found["failures"][0]


def test_a_classifier_opens_and_a_wrong_name_or_scale_is_found(small):
    contract = picture_contract()
    assert small(picture_classifier(), contract)["verdict"] == "passed"
    offset = small(picture_classifier(), picture_contract(labels=["ant", "bee"], label_offset=-1))
    assert offset["verdict"] == "passed" and offset["parity"]["score_difference"] < 1e-5
    for said in ({"labels": ["bee", "cat", "ant"]}, {"inputs": [{**contract["inputs"][0], "value_range": [0, 1]}]}):
        assert small(picture_classifier(), contract, **said)["verdict"] == "failed"


@pytest.mark.parametrize("classes", [1, 3])
def test_a_segmenter_opens_and_gives_the_same_class_of_each_pixel(small, classes):
    contract = picture_contract([1, 8, 8, classes], 8, "image-segmentation", labels=["ant", "bee", "cat"][:classes])
    found = small(picture_segmenter(classes, 8), contract)
    assert (found["verdict"], found["task"]) == ("passed", "ImageSegmenter") and found["parity"]["expected"] > 200
    other = {"inputs": [{**contract["inputs"][0], "value_range": [0, 1]}]}
    assert small(picture_segmenter(classes, 8), contract, **other)["verdict"] == "failed"


def test_integers_of_a_classifier_and_a_segmenter_open_and_give_the_same_answers(
    asked, command, environment_python, tmp_path
):
    python = environment_python("litert")
    pixels = np.random.default_rng(1).integers(0, 256, (8, 8, 8, 3))
    np.savez(tmp_path / "golden.npz", image=(pixels / 127.5 - 1).astype(np.float32))
    contracts = [
        picture_contract([1, 8, 8, 3], 8, "image-segmentation"),
        picture_contract([1, 3], 8),
    ]
    for model, contract in zip((picture_segmenter(3, 8), picture_classifier(3, 8)), contracts, strict=True):
        (tmp_path / "contract.json").write_text(json.dumps(contract))
        tflite_file.set_signature(model, contract)
        files.write_bytes(tmp_path / "float.tflite", metadata.added(model, contract))
        given = ["--float", tmp_path / "float.tflite", "--contract", tmp_path / "contract.json"]
        ranges = command(python, "calibrate", *given, "--output", tmp_path / "calibration.json")
        assert ranges.returncode == 0, ranges.stderr
        wanted = ["--calibration", tmp_path / "calibration.json", "--variant", flag("int8")]
        made = command(python, "quantise_tflite", *given, *wanted, "--output", tmp_path / "int8.tflite")
        assert made.returncode == 0, made.stderr
        assert "QUANTIZE" in tflite_file.describe(tflite_file.read(tmp_path / "int8.tflite"))["operators"]
        found = asked(tmp_path / "int8.tflite", tmp_path / "contract.json", tmp_path / "golden.npz", "int8")
        assert (found["opens"], found["verdict"]) == (True, "passed")


def test_a_refusal_is_mediapipes_own_and_what_it_cannot_take_has_a_reason(small):
    contract = picture_contract()
    grey = {"inputs": [{**contract["inputs"][0], "colour": "GRAY"}]}
    refused = small(picture_classifier(), contract, **grey)
    assert refused["failures"] == ["MediaPipe refuses it: Only RGB color space is supported for now."]
    assert (refused["opens"], refused["passed"]) == (False, False)
    spared = small(picture_classifier(), {**contract, **grey})
    assert (spared["verdict"], spared["passed"], spared["failures"]) == ("does not apply", True, [])
    assert spared["reason"] == "its input is GRAY NHWC, and a task gives RGB NHWC"


_READ = """
import sys
from mediapipe.tasks.metadata import metadata_schema_py_generated as schema
found = schema.ModelMetadataT.InitFromObj(schema.ModelMetadata.GetRootAs(open(sys.argv[1], "rb").read(), 0))
(graph,) = found.subgraphMetadata
print(found.name, found.description, found.license, found.minParserVersion, graph.name, graph.description)
print(*graph.inputTensorMetadata[0].stats.min, graph.outputTensorMetadata[0].associatedFiles[0].type)
"""


def test_mediapipes_own_schema_reads_what_ours_writes(environment_python, tmp_path):
    data = metadata.added(picture_classifier(), picture_contract())
    (tmp_path / "metadata").write_bytes(metadata.stored(data))
    read = [str(environment_python("mediapipe")), "-c", _READ, str(tmp_path / "metadata")]
    printed = subprocess.run(read, text=True, capture_output=True, check=True).stdout.splitlines()
    assert printed == ["b'Insects' b'image-classification' b'MIT' b'1.0.0' b'main' b'is small'", "-1.0 2"]
