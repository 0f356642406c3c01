"""What a page gets of the starter models: decode.js runs the delivered model and finds what the source finds."""

import json
import shutil
import subprocess

import numpy as np
import pytest
from conftest import REPOSITORY, copied, missing, node
from PIL import Image

from zoomill import files
from zoomill.detection import decode
from zoomill.inputs.preprocess import Preprocess, read_picture
from zoomill.pages import decoder_programs
from zoomill.yaml_file import load_yaml

pytestmark = pytest.mark.slow

MODELS = {
    "digits_resnet8": "main",
    "yolo_shapes": "main",
    "edges_pix2pix": "main",
    "ssd_mobilenet_v1_shapes": "detect_cut",
}
CONFIG = [
    f"models={json.dumps(list(MODELS))}",
    "tfjs=[float32,uint8]",
    "tflite=[float32]",
    "browser=False",
    "evaluate=False",
    "deploy=[latency]",
]
PROGRAM = """
    import fs from "fs";
    import { createRequire } from "module";
    const [library, web, folder, pictures] = process.argv.slice(2);
    const tf = createRequire(import.meta.url)(library);
    const runner = createRequire(import.meta.url)(web);
    tf.env().set("IS_TEST", true);
    await tf.setBackend("cpu");
    const description = JSON.parse(fs.readFileSync(`${folder}/model.json`, "utf8"));
    const paths = description.weightsManifest.flatMap((group) => group.paths);
    const shards = paths.map((name) => Uint8Array.from(fs.readFileSync(`${folder}/${name}`)).buffer);
    const loaded = new runner.TfjsModel(tf, description, shards, []);
    await loaded.load();
    const { prepare, run } = await import(`${process.cwd()}/decode.js`);
    const found = [];
    for (const pixels of JSON.parse(fs.readFileSync(pictures, "utf8"))) {
      const picture = tf.tensor3d(pixels);
      const before = tf.memory().numTensors;
      const results = await run(tf, loaded.model, picture);
      const leaked = tf.memory().numTensors - before;
      found.push({ input: Array.from(await prepare(tf, picture).data()), results, leaked });
    }
    console.log(JSON.stringify(found));
"""

PREPARE = """
    import fs from "fs";
    import { createRequire } from "module";
    import { prepare } from "./decode.mjs";
    const tf = createRequire(import.meta.url)(process.argv[2]);
    await tf.setBackend("cpu");
    const input = prepare(tf, tf.tensor3d(JSON.parse(fs.readFileSync("pixels.json", "utf8"))));
    console.log(JSON.stringify(Array.from(input.dataSync())));
"""


@pytest.fixture(scope="module")
def run(starters, tmp_path_factory):
    """A finished run of starter models with TensorFlow.js models."""
    workflow = copied(starters, tmp_path_factory.mktemp("web") / "copy", *MODELS)
    own = [f"results/{model}/{name}" for model in MODELS for name in ("decode.js", "tfjs.md")]
    workflow.run("results/models.json", "results/tfjs.md", *own, config=CONFIG)
    return workflow


def of_model(run, model):
    """Return contract, golden arrays, and pictures of the input's size, uint8 ``[height, width, 3]``."""
    folder = run.file(f"build/{model}/{MODELS[model]}")
    contract = files.read_json(folder / "contract.json")
    with np.load(folder / "golden.npz") as stored:
        golden = dict(stored)
    height, width = Preprocess(contract["inputs"][0]).size
    pictures = []
    for name in load_yaml(REPOSITORY / f"models/{model}.yaml")["golden"]:
        whole = Image.fromarray(read_picture(run.file(f"sources/{model}/{name}")))
        pictures.append(np.asarray(whole.resize((width, height), Image.Resampling.BILINEAR)))
    return contract, golden, pictures


def in_node(run, model, pictures, tmp_path):
    """Return inputs, results and leaked tensors of decode.js for each picture."""
    (tmp_path / "pictures.json").write_text(json.dumps([picture.tolist() for picture in pictures]))
    results = run.file(f"results/{model}")
    (results / "main.mjs").write_text(PROGRAM)
    (results / "package.json").write_text('{"type": "module"}')
    library = run.file("build/javascript/@tensorflow/tfjs/dist/tf.min.js")
    runner, folder = REPOSITORY / "web/runner.js", results / f"{MODELS[model]}.float32.tfjs"
    command = [node(), "main.mjs", library, runner, folder, tmp_path / "pictures.json"]
    process = subprocess.run(command, cwd=results, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


@pytest.mark.parametrize("model", MODELS)
def test_decode_js_feeds_the_model_reads_it_as_the_source_and_leaves_no_tensor(run, model, tmp_path):
    contract, golden, pictures = of_model(run, model)
    for index, found in enumerate(in_node(run, model, pictures, tmp_path)):
        promise = contract["inputs"][0]
        np.testing.assert_allclose(found["input"], golden[promise["tensor"]][index].ravel(), atol=1e-6)
        outputs = {
            entry["name"]: golden[entry["tensor"]][index].reshape(entry["shape"]) for entry in contract["outputs"]
        }
        assert found["leaked"] == 0
        check(found["results"], outputs, contract, run.file(f"build/{model}/detect_cut/anchors.npy"))


def check(results, outputs, contract, anchors, tolerance=1e-4):
    """Compare what decode.js gives with what zoomill makes of the golden outputs."""
    if contract["model"] == "digits_resnet8":
        values = outputs["probabilities"].ravel()
        assert results[0]["class"] == values.argmax() and results[0]["label"] == str(values.argmax())
        assert results[0]["score"] == pytest.approx(values.max(), abs=1e-5)
    elif contract["model"] == "edges_pix2pix":
        np.testing.assert_allclose(list(results["shapes"]["values"].values()), outputs["shapes"].ravel(), atol=1e-4)
    else:
        kind = "ssd" if anchors.exists() else "yolo"
        expected = decode.decoder(contract, np.load(anchors) if anchors.exists() else None, kind)(outputs).above(0.3)
        sure = [one for one in results if one["score"] >= 0.3]
        assert len(sure) == len(expected.scores) > 0
        assert [one["class"] for one in sure] == expected.classes.tolist()
        np.testing.assert_allclose([one["score"] for one in sure], expected.scores, atol=tolerance)
        np.testing.assert_allclose([one["box"] for one in sure], expected.boxes, atol=tolerance)


@pytest.mark.parametrize("fit", ["stretch", "crop", "letterbox", "centred"])
@pytest.mark.parametrize(
    "changes",
    [{}, {"colour": "GRAY", "shape": [1, 20, 28, 1]}, {"colour": "BGR", "layout": "NCHW", "shape": [1, 3, 24, 32]}],
)
def test_prepare_gives_the_input_that_zoomill_gives_without_antialiasing(fit, changes, run, tmp_path):
    promise = {"name": "image", "dtype": "float32", "shape": [1, 24, 32, 3], "layout": "NHWC", "colour": "RGB"}
    promise |= {"value_range": [-1, 1], **changes}
    contract = {"model": "small", "graph": "main", "inputs": [promise], "labels": [], "label_offset": 0}
    contract["outputs"] = [{"name": "y", "shape": [1, 2], "meaning": ""}]
    options = {"crop": {"part": 0.8}, "centred": {"fit": "letterbox", "centred": True, "padding": 127.5}}
    options = {"fit": fit, **options.get(fit, {})}
    card = {"title": "small", "task": "other", "preprocess": options, "decode": {}}
    template = REPOSITORY / "scripts/zoomill/pages/templates/decode.js.jinja"
    (tmp_path / "decode.mjs").write_text(decoder_programs.render(template, decoder_programs.facts(contract, card)))
    pixels = np.random.default_rng(0).integers(0, 256, (61, 87, 3), np.uint8)
    (tmp_path / "pixels.json").write_text(json.dumps(pixels.tolist()))
    library = run.file("build/javascript/@tensorflow/tfjs/dist/tf.min.js")
    (tmp_path / "main.mjs").write_text(PREPARE)
    process = subprocess.run([node(), "main.mjs", library], cwd=tmp_path, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    expected = Preprocess(promise, **options, antialias=False)(pixels)
    found = np.array(json.loads(process.stdout)).reshape(expected.shape)
    # Integers are rounded there, once for grey and once for the size.
    np.testing.assert_allclose(found, expected, atol=1.6 * 2 / 255)
    assert abs(found - expected).mean() < 0.6 * 2 / 255


def test_the_registry_the_summaries_and_the_table_name_what_was_delivered(run):
    registry = files.read_json(run.file("results/models.json"))
    for sections in registry.values():
        assert {name: len(entries) for name, entries in sections.items()} == {"classify": 1, "detect": 2, "various": 1}
        for entry in (entry for entries in sections.values() for entry in entries):
            assert list(entry["variants"]) == ["float32", "uint8"]
            assert run.file(f"results/{entry['modelPath']}/model.json").exists()
            assert run.file(f"results/{entry['decoder']}").exists() and run.file(f"results/{entry['classes']}").exists()
    rows = run.file("results/tfjs.md").read_text().splitlines()
    assert len(rows) == 2 + 2 * len(MODELS) and all(" ms " in row for row in rows[2:])
    assert all(run.file(f"results/{model}/tfjs.md").read_text().count("\n## ") == 2 for model in MODELS)


def test_a_page_that_knows_only_the_registry_finds_what_the_source_finds(run, environment_python, tmp_path):
    if not shutil.which("chromium"):
        missing("Chromium is not installed")
    calls, expected = [], []
    for model, section in {"digits_resnet8": "classify", "ssd_mobilenet_v1_shapes": "detect"}.items():
        contract, golden, (picture, *_) = of_model(run, model)
        Image.fromarray(picture).save(tmp_path / f"{model}.png")
        calls.append(["show", {"section": section, "name": model, "address": f"/pictures/{model}.png"}])
        expected.append(
            {entry["name"]: golden[entry["tensor"]][0].reshape(entry["shape"]) for entry in contract["outputs"]}
        )
    folders = {"javascript": run.file("build/javascript"), "results": run.file("results"), "pictures": tmp_path}
    folders["pages"] = REPOSITORY / "tests/browser/pages"
    asked = {
        "folders": {k: str(v) for k, v in folders.items()},
        "calls": calls,
        "page": "pages/registry.html",
        "webgpu": False,
    }
    command = [environment_python("web"), REPOSITORY / "tests/browser/call_page.py"]
    process = subprocess.run(command, input=json.dumps(asked), text=True, capture_output=True)
    assert process.returncode == 0, process.stderr
    digit, shapes = json.loads(process.stdout)["answers"]
    assert digit["tensors"] == shapes["tensors"] == 0
    best = int(expected[0]["probabilities"].argmax())
    assert digit["classes"][digit["found"][0]["class"]] == [str(best), str(best)]
    folder = run.file("build/ssd_mobilenet_v1_shapes/detect_cut")
    contract = files.read_json(folder / "contract.json")
    check(shapes["found"], expected[1], contract, folder / "anchors.npy", tolerance=0.01)


def test_a_float_model_scores_as_the_tflite_file_of_the_same_graph(run):
    names = ("results/digits_resnet8/main.float32.tfjs.metric.json", "results/digits_resnet8/main.float32.metric.json")
    run.run(*names, config=CONFIG)
    web, lite = (files.read_json(run.file(name)) for name in names)
    assert web["values"] == lite["values"] and web["samples_sha256"] == lite["samples_sha256"]
    evidence = files.read_json(run.file("results/digits_resnet8/main.float32.tfjs.json"))
    assert web["sha256"] == evidence["sha256"] and web["backend"] == "wasm"


@pytest.mark.parametrize("variants", ["", "float32"])
def test_the_default_target_has_them_with_tensorflow_js_models_only(variants, workflow):
    dry = workflow.run("--dry-run", config=[f"tfjs=[{variants}]"])
    rules = ("write_models_json", "write_decoders", "write_web_summary", "write_testing_table")
    assert [rule in dry.stdout for rule in rules] == [bool(variants)] * 4 and "summarise" in dry.stdout
