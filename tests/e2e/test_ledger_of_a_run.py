"""A ledger of a run: its rows, its picture, and the step at which a file goes apart from its source."""

import json
import re

import numpy as np
import pytest
import yaml
from conftest import copied

from zoomill import files
from zoomill.tflite import tflite_file
from zoomill.yaml_file import load_yaml

MODEL = "digits_autoencoder"
FOLDER = f"results/{MODEL}"
FORM = '{"reader": "npy", "label": "class"}'


@pytest.fixture(scope="module")
def run(starters, tmp_path_factory):
    """A finished run with the ledgers of a TFLite and of a TensorFlow.js file."""
    run = copied(starters, tmp_path_factory.mktemp("ledger") / "copy", MODEL)
    run.run(f"{FOLDER}/main.int8.ledger.json", f"{FOLDER}/main.uint8.tfjs.ledger.json")
    return run


@pytest.mark.parametrize(
    "name, steps, others",
    [
        (
            "main.int8",
            ["conversion", "int8"],
            ["LiteRT's reference kernels", "XNNPACK's kernels", "TFLite Micro's kernels"],
        ),
        ("main.uint8.tfjs", ["conversion", "TensorFlow.js", "uint8"], ["TensorFlow.js in plain JavaScript"]),
    ],
)
def test_rows_are_those_of_the_metric_evidence_and_add_up_to_the_whole(run, name, steps, others):
    found = files.read_json(run.file(f"{FOLDER}/{name}.ledger.json"))
    metric, source = (files.read_json(run.file(f"{FOLDER}/{one}.metric.json")) for one in (name, "source"))
    assert [row["title"] for row in found["steps"]] == steps
    assert [row["title"] for row in found["others"]] == others
    assert found["first"]["value"] == source["values"]["auc"]
    assert found["whole"]["value"] == metric["values"]["auc"] and found["samples"] == metric["samples"]
    assert found["steps"][-1]["rows_sha256"] == metric["rows_sha256"]
    against = {key: found["steps"][-1][key] for key in ("difference", "interval", "p", "verdict")}
    assert against == {key: metric["against"][0][key] for key in against}
    summed = sum(row["difference"] for row in found["steps"])
    assert summed == pytest.approx(found["whole"]["difference"], abs=1e-12)
    assert summed == pytest.approx(metric["values"]["auc"] - source["values"]["auc"], abs=1e-12)


def test_the_picture_is_drawn_again_to_the_byte_and_says_nothing_of_when(run):
    paths = [run.file(f"{FOLDER}/main.int8.ledger.{end}") for end in ("json", "md", "svg")]
    before = [path.read_bytes() for path in paths]
    assert len(before[2]) < 200_000 and not re.search(rb"<dc:date>|20\d\d-\d\d-\d\d", before[2])
    for path in paths:
        path.unlink()
    run.run(f"{FOLDER}/main.int8.ledger.json")
    assert [path.read_bytes() for path in paths] == before


@pytest.fixture
def ledger(run, command, environment_python):
    """Return a function that scores a float32 file and puts it between the source and the int8 file."""
    python = environment_python("evaluate")
    flags = ["--contract", f"build/{MODEL}/main/contract.json", "--samples", f"build/{MODEL}/evaluation.csv"]
    flags += ["--folder", "sources/digits", "--form", FORM]
    flags += ["--metric", json.dumps(files.read_json(run.file(f"{FOLDER}/main.int8.metric.json"))["metric"])]

    def build(path):
        scored = ["--output", "other.metric.json", "--output-samples", "other.samples.jsonl"]
        given = ["--artifact", path, "--variant", "float32"]
        rows = [["source", f"{FOLDER}/source.samples.jsonl"], ["conversion", "other.samples.jsonl"]]
        rows.append(["int8", f"{FOLDER}/main.float32.samples.jsonl"])
        made = {"--output": "o.json", "--output-table": "o.md", "--output-plot": "o.svg"}
        outputs = [word for pair in made.items() for word in pair]
        for words in (
            ["evaluate_tflite", *given, *flags, *scored],
            ["write_ledger", "--variant", "int8", "--steps", json.dumps(rows), *flags, *outputs],
        ):
            process = command(python, *words, cwd=run.folder)
            assert process.returncode == 0, process.stderr
        return files.read_json(run.file("o.json"))

    return build


def test_the_step_is_named_at_which_a_file_goes_apart_from_its_source(run, ledger):
    model = tflite_file.read(run.file(f"{FOLDER}/main.float32.tflite"))
    graph = model.subgraphs[0]
    first = next(operator for operator in graph.operators if len(operator.inputs) > 2)
    bias = model.buffers[graph.tensors[first.inputs[2]].buffer]
    bias.data = np.zeros_like(bias.data)
    run.file("other.tflite").write_bytes(tflite_file.serialise(model))
    conversion, _ = ledger("other.tflite")["steps"]
    assert conversion["title"] == "conversion" and conversion["verdict"] == "loss"
    assert conversion["interval"][1] < 0


def test_a_file_that_is_its_source_is_not_told_apart(ledger):
    found = ledger(f"{FOLDER}/main.float32.tflite")
    assert [row["verdict"] for row in [*found["steps"], found["whole"]]] == 3 * ["not told apart"]


def test_settings_on_the_way_to_a_graph_are_scored_as_a_graph_of_theirs_is(starter_run, tmp_path):
    run, shapes = copied(starter_run, tmp_path / "run"), "ssd_mobilenet_v1_shapes"
    card = run.repository / f"models/{shapes}.yaml"
    graphs = {"detect_low": {"nms_iou_threshold": 0.4, "use_regular_nms": False, "max_detections": 5}}
    graphs["detect_half"] = {**graphs["detect_low"], "max_detections": 100}
    chosen = load_yaml(card)
    chosen["evaluation"]["samples"]["last"] = chosen["evaluation"]["samples"]["first"] + 9
    card.write_text(yaml.safe_dump({**chosen, "graphs": graphs}))
    ways = {option: f"build/{shapes}/ledger/detect_low.float32.until_{option}" for option in graphs["detect_low"]}
    ways["max_detections"] = f"results/{shapes}/detect_low.float32"
    whole = f"results/{shapes}/detect_half.float32"
    run.run(*(f"{path}.metric.json" for path in (*ways.values(), whole)))
    rows = {option: run.file(f"{path}.samples.jsonl").read_text() for option, path in ways.items()}
    assert rows["use_regular_nms"] == run.file(f"{whole}.samples.jsonl").read_text()
    assert len(set(rows.values())) == 3
    boxes = {
        option: [len(json.loads(line)["detections"]) for line in text.splitlines()] for option, text in rows.items()
    }
    assert max(boxes["max_detections"]) == 5 < max(boxes["use_regular_nms"])
