"""Models of one's own on the test bed, in Chromium: asked about, remembered, run as elsewhere, and never trusted."""

import base64
import io
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import small_graph_models as models
import small_models
from ai_edge_litert import schema_py_generated as schema
from conftest import REPOSITORY, missing, node
from PIL import Image

from zoomill import files
from zoomill.pages import decoder_programs, models_json
from zoomill.tflite import tflite_file

SIDE = 8
PIXELS = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
WEIGHT = np.random.default_rng(1).normal(size=(SIDE * SIDE * 3, 3)).astype(np.float32) / SIDE
LABELS = ["ant", "<img src=x onerror=alert(1)>", "cat"]
RAN = "window.ran = true;\n"


def picture_input(name="x", size=SIDE):
    dim = [{"size": str(length)} for length in (1, size, size, 3)]
    return models.node(name, "Placeholder", shape={"shape": {"dim": dim}})


def classifier(folder, operators=None, own="Softmax"):
    """Write a TensorFlow.js model from a picture to the probabilities of three classes."""
    weights = {"shape": np.int32([1, SIDE * SIDE * 3]), "w": WEIGHT}
    nodes = [
        picture_input(),
        models.node("flat", "Reshape", "x", "shape", Tshape={"type": "DT_INT32"}),
        models.node("logits", "MatMul", "flat", "w"),
        models.node("p", own, "logits"),
    ]
    return models.write(folder, nodes, ["p"], weights, operators)


def generator(folder):
    """Write a TensorFlow.js model from a picture to the tanh of it."""
    return models.write(folder, [picture_input(), models.node("drawn", "Tanh", "x")], ["drawn"])


def copier():
    """Return a .tflite model that hands on the bytes of a picture, which stand for -1 to 1."""
    builder = small_models.Builder()
    shape = builder.tensor("shape", np.int32([1, SIDE, SIDE, 3]))
    ends = [builder.quantised(name, [1, SIDE, SIDE, 3], 2 / 255, 127, np.uint8) for name in ("given", "copied")]
    builder.operator("RESHAPE", [ends[0], shape], [ends[1]], schema.ReshapeOptionsT())
    return builder.build(ends[:1], ends[1:])


def softmax(logits):
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


@pytest.fixture(scope="module")
def dropped(tmp_path_factory):
    """A folder with models, whole and broken ones, and a picture."""
    folder = tmp_path_factory.mktemp("own")
    Image.fromarray(PIXELS).save(folder / "picture.png")
    (folder / "labels.txt").write_text("\n".join(LABELS) + "\n")
    classifier(folder / LABELS[1], operators=RAN)
    (folder / LABELS[1] / "decode.js").write_text(RAN)
    generator(folder / "generator")
    broken = classifier(folder / "broken")
    (broken / "model.json").write_text('{"modelTopology": {')
    other = classifier(folder / "other")
    (other / "model.json").write_text('{"modelTopology": {}}')
    (classifier(folder / "missing") / "group1-shard1of1.bin").unlink()
    (classifier(folder / "short") / "group1-shard1of1.bin").write_bytes(b"1234")
    classifier(folder / "unknown", operators=RAN, own="Twice")
    models.product(folder / "vector")
    (folder / "both/deep").mkdir(parents=True)
    lite = small_models.picture_classifier(side=SIDE)
    for path in ("classifier.tflite", "both/one.tflite", "both/deep/two.tflite"):
        (folder / path).write_bytes(tflite_file.serialise(lite))
    (folder / "contract").mkdir()
    lite.description = b"another one, of which nothing is remembered"
    (folder / "contract/model.tflite").write_bytes(tflite_file.serialise(lite))
    files.write_json(folder / "contract/contract.json", small_models.picture_contract(side=SIDE), recorded=False)
    (folder / "bytes.tflite").write_bytes(tflite_file.serialise(copier()))
    (folder / "torn.tflite").write_bytes(tflite_file.serialise(lite)[:400])
    lite.operatorCodes.append(schema.OperatorCodeT())
    lite.operatorCodes[-1].builtinCode = lite.operatorCodes[-1].deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    lite.operatorCodes[-1].customCode = b"TFLite_Detection_PostProcess"
    (folder / "detect.tflite").write_bytes(tflite_file.serialise(lite))
    (folder / "int8.tflite").write_bytes(tflite_file.serialise(small_models.rounded(np.int8, 0.1, 0)))
    (folder / "notes.pdf").write_text("nothing")
    return folder


def write_built(results):
    """Write a registry of one model with a file beside it, whose output has the name of a tensor."""
    classifier(results / "small/main.float32.tfjs")
    model = small_models.picture_classifier(side=SIDE)
    (results / "small/main.float32.tflite").write_bytes(tflite_file.serialise(model))
    contract = small_models.picture_contract(side=SIDE)
    contract["outputs"][0] |= {"name": "p", "tensor": "scores"}
    card = {"title": "Built", "task": "image-classification", "decode": {}, "metric": {}, "preprocess": {}}
    template = REPOSITORY / "scripts/zoomill/pages/templates/decode.js.jinja"
    facts = decoder_programs.facts(contract, card)
    (results / "small/decode.js").write_text(decoder_programs.render(template, facts))
    files.write_json(results / "small/decode.json", decoder_programs.data(contract), recorded=False)
    about = {"bytes": 1, "sha256": "0" * 64}
    variants = {"float32": {"modelPath": "small/main.float32.tfjs", **about}}
    lite = {"float32": {"path": "small/main.float32.tflite", **about}}
    document = files.read_json(results / "small/main.float32.tfjs/model.json")
    document["signature"]["outputs"] = {"p": {"name": "p"}}
    entry = models_json.entries("small", contract, card, variants, document, [], lite)["newer"]
    files.write_json(results / "models.json", {"newer": {"classify": [entry]}}, recorded=False)


@pytest.fixture(scope="module")
def found(dropped, environment_python, javascript, tmp_path_factory):
    """What the driver has seen."""
    if not shutil.which("chromium"):
        missing("Chromium is not installed")
    folders = {"javascript": str(javascript), "empty": str(tmp_path_factory.mktemp("empty"))}
    files.write_json(Path(folders["empty"]) / "models.json", {"newer": {}}, recorded=False)
    folders["built"] = str(tmp_path_factory.mktemp("built"))
    write_built(Path(folders["built"]))
    program = Path(__file__).with_name("drive_own_model.py")
    command = [environment_python("web"), program, dropped, json.dumps(folders)]
    process = subprocess.run(command, text=True, capture_output=True)
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def test_shapes_and_operators_fill_in_what_is_asked(found):
    assert found["asked"]["whole"] == {
        "Black … white": "0 … 1",
        "Colours": "red, green, blue",
        "It is": "classes",
        "Scores": "as they are",
        "First class": "counts",
        "Labels": "",
    }
    ranges = ("Black … white", "Colours", "It is")
    assert {key: found["asked"]["generator"][key] for key in ranges} == {
        "Black … white": "−1 … 1",
        "Colours": "red, green, blue",
        "It is": "a picture",
    }


def test_a_model_runs_by_what_was_answered_and_labels_stay_text(found):
    expected = softmax((PIXELS.ravel() / np.float32(255) * 2 - 1) @ WEIGHT)
    classes = found["whole"]["found"]["classes"]
    assert {one["label"]: one["score"] for one in classes} == pytest.approx(
        dict(zip(LABELS, expected.tolist(), strict=True)), abs=1e-5
    )
    assert LABELS[1] in found["text"] and not found["ran"]


def test_what_was_answered_is_remembered_after_the_page_is_opened_anew(found):
    assert found["again"] == found["whole"]


def test_it_can_be_answered_otherwise(found):
    expected = softmax((PIXELS.ravel() / np.float32(255)) @ WEIGHT)
    scores = sorted((one["score"] for one in found["otherwise"]["found"]["classes"]), reverse=True)
    assert scores == pytest.approx(sorted(expected.tolist(), reverse=True), abs=1e-5)


def test_code_beside_a_model_is_named_and_not_run(found):
    note = "decode.js, operators.js in this folder is not run: a dropped model runs no code"
    assert found["note"].split(" in ")[0].split(", ") in (["decode.js", "operators.js"], ["operators.js", "decode.js"])
    assert found["note"].endswith(note.partition(" in ")[2]) and not found["ran"]


def test_a_dropped_folder_has_its_name(found):
    assert found["called"] == "generator"


def test_a_picture_that_is_made_has_the_range_that_was_answered(found):
    drawn = found["generator"]["found"]
    assert drawn["kind"] == "picture"
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(drawn["png"].partition(",")[2]))).convert("RGB"))
    expected = (np.tanh(PIXELS / 127.5 - 1) + 1) * 127.5
    np.testing.assert_allclose(pixels, expected, atol=1)


def test_a_tflite_file_gives_litert_s_answers(found):
    model = small_models.picture_classifier(side=SIDE)
    (expected,) = small_models.run(model, (PIXELS[None] / np.float32(255)).astype(np.float32))
    classes = found["classifier.tflite"]["found"]["classes"]
    assert {int(one["label"]): one["score"] for one in classes} == pytest.approx(
        dict(enumerate(expected.ravel().tolist())), abs=1e-5
    )


def test_a_built_file_is_fed_and_read_by_its_decoder(found):
    model = small_models.picture_classifier(side=SIDE)
    (expected,) = small_models.run(model, (PIXELS[None] / np.float32(127.5) - 1).astype(np.float32))
    classes = found["built"]["found"]["classes"]
    assert {one["label"]: one["score"] for one in classes} == pytest.approx(
        dict(zip(("ant", "bee", "cat"), expected.ravel().tolist(), strict=True)), abs=1e-5
    )


def test_a_contract_beside_a_model_answers_for_it(found):
    own, built = (found[name]["found"]["classes"] for name in ("contract", "built"))
    assert [one["label"] for one in own] == [one["label"] for one in built]
    assert [one["score"] for one in own] == pytest.approx([one["score"] for one in built], abs=1e-5)


def test_bytes_of_a_picture_are_fed_as_they_are(found):
    assert found["asked"]["bytes.tflite"]["Black … white"] == "other"  # of the scale: -0.996 to 1.004
    drawn = found["bytes.tflite"]["found"]["png"].partition(",")[2]
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(drawn))).convert("RGB"))
    np.testing.assert_array_equal(pixels, PIXELS)


def test_nothing_is_left_behind(found):
    for name in ("whole", "generator", "classifier.tflite", "built"):
        before, after = found["memory"][name]
        assert before == after, name


@pytest.mark.parametrize(
    "name, message",
    [
        ("broken", "broken/model.json: is no JSON: "),
        ("other", "other/model.json: is no model of TensorFlow.js: it has no weightsManifest"),
        ("missing", "missing/model.json: group1-shard1of1.bin of its weights is missing"),
        ("short", "short/model.json: group1-shard1of1.bin should have 2,312 bytes and has 4"),
        ("unknown", "unknown: TensorFlow.js does not know the operator Twice; operators.js beside it is not run"),
        ("vector", "vector: its input x is 1 × 4: no picture goes in"),
        ("both", "are 2 models; drop one of them"),
        ("torn.tflite", "torn.tflite: is damaged: it refers to what it does not hold"),
        ("detect.tflite", "detect.tflite: has the operator TFLite_Detection_PostProcess, which LiteRT.js has not"),
        ("int8.tflite", "int8.tflite: its tensor input is int8, and LiteRT.js reads and writes float32, int32, uint8"),
        ("notes.pdf", "notes.pdf: is no picture, no film, no .tflite file and no folder with a model.json"),
    ],
)
def test_what_is_no_whole_model_is_one_line(found, name, message):
    said = found["errors"][name]
    assert message in said and "\n" not in said


def test_who_does_not_answer_gets_no_model(found):
    assert found["cancelled"] == "classifier.tflite: was not opened, since nothing was answered"


def test_nothing_is_asked_of_another_host_and_the_console_stays_clean(found):
    assert (found["console"], found["elsewhere"]) == ([], [])


@pytest.fixture
def described(tmp_path):
    """Return a function from .tflite files, as bytes, to what tflite_file.js says of each in Node, or its error."""
    program = """
        import fs from "fs";
        import { describe, labels } from "./tflite_file.js";
        const told = [];
        for (const name of process.argv.slice(2)) {
            const { buffer } = Uint8Array.from(fs.readFileSync(name));
            try {
                told.push({ ...describe(buffer), labels: await labels(buffer) });
            } catch (error) {
                told.push({ error: error.message });
            }
        }
        console.log(JSON.stringify(told));
    """
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "main.js").write_text(program)
    shutil.copy(REPOSITORY / "web/bed/tflite_file.js", tmp_path)

    def run(*contents):
        for place, content in enumerate(contents):
            (tmp_path / f"{place}.tflite").write_bytes(content)
        names = [f"{place}.tflite" for place in range(len(contents))]
        process = subprocess.run([node(), "main.js", *names], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert process.returncode == 0, process.stderr
        return json.loads(process.stdout)

    return run


def test_a_file_tells_its_ends_its_quantisation_and_its_labels(described):
    whole = small_models.rounded(np.uint8, 0.5, 3)
    packed = [small_models.with_metadata({"labels.txt": b"ant\nbee\n"}, compression) for compression in (0, 8)]
    first, *others = described(tflite_file.serialise(whole), *packed)
    (given,) = first["inputs"]
    assert (given["dtype"], given["shape"], given["quantisation"]) == ("uint8", [1, 4], {"scale": 0.5, "zero": 3})
    assert [one["labels"] for one in others] == [["ant", "bee"]] * 2 and first["labels"] is None


def test_damaged_files_are_an_error_and_never_a_hang(described):
    content = tflite_file.serialise(small_models.picture_classifier(side=SIDE))
    random, damaged = np.random.default_rng(0), []
    for _ in range(200):
        bytes_ = bytearray(content)
        for place in random.integers(8, min(len(content), 2000), 4):
            bytes_[place] = random.integers(256)
        damaged.append(bytes(bytes_))
    said = {one["error"] for one in described(*damaged) if "error" in one}
    assert said == {"is damaged: it refers to what it does not hold"}
