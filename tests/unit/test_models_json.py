"""The registry for pages, the summary of a model's TensorFlow.js models, and the table of all, on small artifacts."""

import json
import math
import subprocess
import sys

import pytest
from conftest import node

from zoomill import files, folders
from zoomill.pages import models_json

IMAGE = {
    "name": "image",
    "tensor": "image",
    "dtype": "float32",
    "shape": [1, 24, 24, 3],
    "layout": "NHWC",
    "colour": "RGB",
    "value_range": [0, 1],
}
NMS = {"nms_score_threshold": 0.125, "nms_iou_threshold": 0.6000000238, "max_detections": 100, "num_classes": 2}
NMS |= {"max_classes_per_detection": 1, "detections_per_class": 100, "use_regular_nms": True}
NMS |= {f"{name}_scale": 10 for name in "yxhw"}
ARTIFACTS = {"float32": {"modelPath": "small/main.float32.tfjs", "bytes": 10}}


def output(name, *shape, **more):
    return {"name": name, "tensor": name, "dtype": "float32", "shape": [1, *shape], "meaning": name, **more}


def contract(*outputs, model="small", graph="main", **more):
    parts = {"inputs": [{**IMAGE, **more.pop("image", {})}], "labels": ["ant", "bee"], "label_offset": 0}
    return {"model": model, "graph": graph, "outputs": list(outputs), **parts, **more}


def document(given, last="Softmax"):
    """Return a model.json whose outputs come out of an operator by way of others that change no value."""
    nodes, weight = [], {"name": "w", "dtype": "float32", "shape": [2, 3]}
    for promise in given["outputs"]:
        names = [f"{promise['name']}/{index}" for index in range(2)]
        nodes += [{"name": names[0], "op": last, "input": []}, {"name": names[1], "op": "Reshape", "input": names[:1]}]
        nodes.append({"name": promise["tensor"], "op": "Identity", "input": [f"{names[1]}:0"]})
    signature = {
        side: {
            promise["name"]: {
                "name": f"{promise['tensor']}:0",
                "dtype": "DT_FLOAT",
                "tensorShape": {"dim": [{"size": str(size)} for size in promise["shape"]]},
            }
            for promise in given[side]
        }
        for side in ("inputs", "outputs")
    }
    quantised = {**weight, "name": "v", "quantization": {"dtype": "uint8", "scale": 0.1, "min": -1}}
    return {
        "format": "graph-model",
        "generatedBy": "2.21.0",
        "convertedBy": "TensorFlow.js Converter v4.22.0",
        "modelTopology": {"node": nodes},
        "signature": signature,
        "weightsManifest": [{"paths": ["a.bin", "b.bin"], "weights": [weight, quantised]}],
    }


def entries(given, task, **options):
    card = {"title": "A small model", "task": task, "decode": {}, "metric": {}}
    found = models_json.entries("small", given, card, ARTIFACTS, document(given, **options), [])
    return found["newer"], found["older"]


def test_a_classifier_has_the_keys_of_both_generations():
    newer, older = entries(contract(output("p", 2)), "image-classification")
    assert newer["name"] == older["name"] == "A small model"
    assert newer["modelPath"] == "small/main.float32.tfjs" and newer["classes"] == "small/classes.json"
    assert (newer["minScore"], newer["maxResults"], newer["scaleScore"]) == (0.2, 3, 1)
    assert (older["score"], older["topK"], older["modelType"]) == (0.2, 3, "graph")
    assert newer["tensorSize"] == older["tensorSize"] == 24
    assert older["useFloat"] and (older["inputMin"], older["inputMax"]) == (0, 1)
    assert newer["offset"] == older["offset"] == 0 and newer["background"] == -1
    assert newer["map"] == {"p": "p"} and newer["caveats"] == []


def test_the_offset_of_a_background_class_is_subtracted_and_the_background_left_out():
    newer, older = entries(contract(output("p", 3), label_offset=-1), "image-classification")
    assert (newer["offset"], newer["background"]) == (older["offset"], older["background"]) == (1, 0)


@pytest.mark.parametrize(("last", "softmax"), [("Softmax", False), ("Sigmoid", False), ("BiasAdd", True)])
def test_softmax_is_asked_for_only_where_the_model_has_none(last, softmax):
    newer, _ = entries(contract(output("p", 2)), "image-classification", last=last)
    assert newer["softmax"] is softmax


def test_the_scale_of_the_older_page_undoes_its_second_softmax_of_a_certain_class():
    _, older = entries(contract(output("p", 1000)), "image-classification")
    twice = math.e / (math.e + 999)  # softmax of 1, 0, 0 …
    assert older["scoreScale"] * twice == pytest.approx(1, abs=1e-5)
    _, older = entries(contract(output("p", 1000)), "image-classification", last="BiasAdd")
    assert older["scoreScale"] == 1


@pytest.mark.parametrize(("low", "high", "factor"), [(0, 1, 1 / 255), (0, 255, 1), (0, 2, 2 / 255)])
def test_a_range_from_zero_is_a_multiplier(low, high, factor):
    newer, _ = entries(contract(output("p", 2), image={"value_range": [low, high]}), "image-classification")
    assert newer["normalizeInput"] == pytest.approx(factor) and newer["caveats"] == []


def test_a_range_that_needs_a_shift_is_said_to_be_out_of_reach():
    newer, older = entries(contract(output("p", 2), image={"value_range": [-1, 1]}), "image-classification")
    assert newer["normalizeInput"] == pytest.approx(1 / 127.5) and newer["inputRange"] == [-1, 1]
    assert "normalizeInput scales and cannot shift" in newer["caveats"][0] and older["caveats"] == newer["caveats"]


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ({"colour": "GRAY", "shape": [1, 24, 24, 1]}, "GRAY NHWC"),
        ({"layout": "NCHW", "shape": [1, 3, 24, 24]}, "RGB NCHW"),
        ({"shape": [1, 24, 48, 3]}, "24 high and 48 wide"),
        ({"layout": None, "colour": None, "value_range": None}, "no picture"),
    ],
)
def test_inputs_that_the_page_does_not_make_are_said(image, words):
    newer, _ = entries(contract(output("p", 2), image=image), "image-classification")
    assert any(words in caveat for caveat in newer["caveats"])


def test_a_detector_with_nms_has_a_map_of_its_tensors_and_numbers_from_one():
    names = ("detection_boxes", "detection_classes", "detection_scores", "num_detections")
    given = contract(*(output(name, 5) for name in names), graph="inference", postprocess={"nms_score_threshold": 0.3})
    newer, older = entries(given, "object-detection")
    assert newer["name"] == "A small model, with its own NMS" and newer["decoder"] is None
    assert (
        newer["map"]
        == older["map"]
        == {
            "boxes": "detection_boxes",
            "scores": "detection_scores",
            "classes": "detection_classes",
        }
    )
    assert (newer["minScore"], newer["maxResults"], newer["iouThreshold"], newer["softmax"]) == (0.3, 20, 0.45, False)
    assert (older["score"], older["topK"], older["overlap"], older["exec"], older["size"]) == (0.3, 20, 0.45, "ssd", 24)
    assert models_json.classes(given, "detections") == {
        "1": {"id": 1, "displayName": "ant"},
        "2": {"id": 2, "displayName": "bee"},
    }
    assert newer["caveats"] == []


def test_raw_heads_have_no_tensor_of_classes_and_say_that_they_need_decoding():
    given = contract(output("box_encodings", 9, 4), output("class_predictions", 9, 3), label_offset=1, postprocess=NMS)
    newer, older = entries(given, "object-detection")
    assert newer["map"] == {"boxes": "box_encodings", "scores": "class_predictions", "classes": None}
    # Added to the best column, of which the first is the background.
    assert newer["offset"] == 0 and list(models_json.classes(given, "ssd")) == ["1", "2"]
    given["outputs"][1]["shape"] = [1, 9, 2]  # without a background
    assert list(models_json.classes(given, "ssd")) == ["0", "1"]
    assert newer["iouThreshold"] == older["overlap"] == 0.6
    assert newer["minScore"] == older["score"] == 0.125
    assert newer["decoder"] == "small/decode.js" and "decode.js" in newer["caveats"][0]


@pytest.mark.parametrize(("own", "shown"), [(1e-8, 0.3), (0.09, 0.3), (0.1, 0.1), (0.6, 0.6)])
def test_a_threshold_that_is_made_for_measuring_is_none_to_show_boxes_from(own, shown):
    nms = {**NMS, "nms_score_threshold": own}
    given = contract(output("box_encodings", 9, 4), output("class_predictions", 9, 3), label_offset=1, postprocess=nms)
    newer, older = entries(given, "object-detection")
    assert newer["minScore"] == older["score"] == shown


def test_classes_of_a_classifier_are_pairs_as_the_page_reads_them():
    assert models_json.classes(contract(output("p", 2)), "classes") == [["0", "ant"], ["1", "bee"]]


@pytest.fixture
def results(tmp_path):
    """Folder with three TensorFlow.js models, their contracts and their evidence, and what the commands take."""
    contracts = {
        "small": contract(output("p", 2)),
        "boxes": contract(output("detections", 9, 7), model="boxes", image={"shape": [1, 16, 32, 3]}),
        "strange": contract(output("y", 4), model="strange", image={"value_range": None}),
    }
    tasks = {"small": "image-classification", "boxes": "object-detection", "strange": "other"}
    cards = {
        name: {"title": name, "task": task, "training_set": "insects", "decode": {}, "output": None, "metric": {}}
        for name, task in tasks.items()
    }
    artifacts, evidence = [], []
    for model, given in contracts.items():
        files.write_json(tmp_path / f"build/{model}/main/contract.json", given)
        for variant in ("float32", "uint8") if model == "small" else ("float32",):
            folder = tmp_path / f"results/{model}/main.{variant}.tfjs"
            files.write_json(folder / "model.json", document(given))
            files.write_bytes(folder / "a.bin", bytes([variant == "uint8"] * 20))
            files.write_bytes(folder / "b.bin", bytes(10))
            if variant == "uint8":
                files.write_bytes(folder / "operators.js", b"")
            figures = {"median_ms": 1.25, "tensors": {"before": 2, "loaded": 9}}
            about = {"model": model, "graph": "main", "variant": variant, "bytes": 1230000}
            path = tmp_path / f"results/{model}/main.{variant}.tfjs.json"
            about |= {
                "sha256": folders.digest(folder),
                "backends": {"wasm": figures, "cpu": {**figures, "median_ms": 40}},
            }
            files.write_json(path, about)
            artifacts.append(folder)
            evidence.append(path)
    paths = [tmp_path / f"build/{model}/main/contract.json" for model in contracts]
    return {
        "root": tmp_path,
        "artifacts": artifacts,
        "evidence": evidence,
        "contracts": paths,
        "cards": json.dumps(cards),
    }


def write_models_json(command, results, *more):
    flags = ["--artifacts", *results["artifacts"], "--contracts", *results["contracts"], "--cards", results["cards"]]
    flags += more
    root = results["root"] / "results"
    flags += ["--output-json", root / "models.json", "--output-javascript", root / "models.js"]
    process = command(sys.executable, "write_models_json", *flags)
    assert process.returncode == 0, process.stderr
    return root


def test_the_registry_has_an_entry_for_each_graph_in_the_section_of_its_task(command, results):
    root = write_models_json(command, results)
    found = files.read_json(root / "models.json")
    for sections in (found["newer"], found["older"]):
        assert {name: [entry["name"] for entry in entries] for name, entries in sections.items()} == {
            "classify": ["small"],
            "detect": ["boxes"],
            "various": ["strange"],
        }
    (small,) = found["newer"]["classify"]
    assert list(small["variants"]) == ["float32", "uint8"]
    assert small["modelPath"] == small["variants"]["float32"]["modelPath"] == "small/main.float32.tfjs"
    uint8 = root / "small/main.uint8.tfjs"
    assert small["variants"]["uint8"] == {
        "modelPath": "small/main.uint8.tfjs",
        "bytes": folders.size(uint8),
        "sha256": folders.digest(uint8),
        "operators": "small/main.uint8.tfjs/operators.js",
    }
    assert "operators" not in small["variants"]["float32"]


def test_an_entry_names_the_pictures_to_run_it_on(command, results):
    folder = results["root"] / "results/small/pictures"
    files.write_json(folder / "index.json", {"samples": ["sample-0.png", "sample-1.png"]})
    root = write_models_json(command, results, "--pictures", folder)
    found = files.read_json(root / "models.json")
    for sections in (found["newer"], found["older"]):
        samples = {entry["name"]: entry["samples"] for entries in sections.values() for entry in entries}
        assert samples == {
            "small": ["small/pictures/sample-0.png", "small/pictures/sample-1.png"],
            "boxes": [],
            "strange": [],
        }


def test_the_module_exports_what_the_json_holds(command, results):
    root = write_models_json(command, results)
    program = """
        import chosen, { newer, older } from "./models.js";
        console.log(JSON.stringify({ newer, older, same: chosen === newer }));
    """
    (root / "package.json").write_text('{"type": "module"}')
    (root / "main.js").write_text(program)
    process = subprocess.run([node(), "main.js"], cwd=root, capture_output=True, text=True, check=True)
    assert json.loads(process.stdout) == files.read_json(root / "models.json") | {"same": True}


def test_the_summary_says_what_each_model_is(command, results):
    path = results["root"] / "results/small/tfjs.md"
    flags = ["--artifacts", *results["artifacts"][:2], "--title", "A small model", "--output", path]
    assert command(sys.executable, "write_web_summary", *flags).returncode == 0
    text = path.read_text()
    assert text.startswith("# A small model\n") and text.count("\n## ") == 2
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| ")
    ]
    found = rows[1 : len(rows) // 2]
    assert found == [
        ["format", "graph-model"],
        ["generated by", "TensorFlow 2.21.0"],
        ["converted by", "TensorFlow.js Converter v4.22.0"],
        ["input", "`image` float32 [1, 24, 24, 3]"],
        ["output", "`p` float32 [1, 2]"],
        ["bytes", f"{folders.size(results['artifacts'][0]):,}, of them weights 30"],
        ["shards", "2"],
        ["weights in float32", "1, 24 bytes"],
        ["weights in uint8 for float32, with scale and minimum", "1, 6 bytes"],
    ]


def table(command, results, **more):
    """Return the testing table as a list of ``{heading: cell}``."""
    flags = ["--evidence", *results["evidence"], "--contracts", *results["contracts"], "--cards", results["cards"]]
    for name, paths in more.items():
        flags += [f"--{name}", *paths]
    process = command(sys.executable, "write_testing_table", *flags, "--output", results["root"] / "tfjs.md")
    assert process.returncode == 0, process.stderr
    lines = (results["root"] / "tfjs.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(rows[0], row, strict=True)) for row in rows[2:]]


def test_the_table_has_the_columns_of_the_seed_from_evidence(command, results):
    small, quantised, boxes, strange = table(command, results)
    assert small == {
        "model": "small",
        "variant": "main.float32",
        "type": "image classification",
        "training set": "insects",
        "classes": "2",
        "size": "1.23 MB",
        "tensors": "7",
        "resolution": "24 px",
        "Node cpu": "40.0 ms",
        "Node wasm": "1.2 ms",
        "accuracy": "",
    }
    assert quantised["variant"] == "main.uint8"
    assert (boxes["classes"], boxes["resolution"]) == ("2", "32 x 16 px")
    assert (strange["classes"], strange["resolution"]) == ("", "")


def scored(results, variant, **changes):
    """Write metric evidence of a variant of the small model and return its path."""
    path = results["root"] / f"results/small/main.{variant}.tfjs.metric.json"
    about = {"artifact": f"main.{variant}.tfjs", "figure": "top_1", "values": {"top_1": 0.75, "top_5": 1}, "samples": 8}
    about["sha256"] = folders.digest(path.parent / about["artifact"])
    files.write_json(path, {**about, **changes})
    return path


def test_evidence_of_a_browser_and_of_a_metric_counts_only_for_the_bytes_it_is_about(command, results):
    failed = {"error": "backend webgpu cannot be had here"}
    metrics = [scored(results, "float32", sha256="another file"), scored(results, "uint8")]
    backends = {"webgl": {"median_ms": 7}, "webgpu": failed}
    browser = results["root"] / "browser.json"
    files.write_json(browser, {"artifacts": [{"sha256": files.read_json(metrics[1])["sha256"], "backends": backends}]})
    small, quantised, *_ = table(command, results, browser=[browser], metrics=metrics)
    assert (small["Chromium webgl"], small["accuracy"]) == ("", "stale (artifact)")
    assert (quantised["Chromium webgl"], quantised["accuracy"]) == ("7.0 ms", "top_1 0.7500 of 8")
