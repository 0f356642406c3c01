"""Which steps and rows a ledger has, by artifact and card."""

import json
from types import SimpleNamespace

import pytest

from zoomill.plan import otherwise
from zoomill.plan.ledger import Ledger

TOP = {"name": "top_k"}
COCO = {"name": "coco", "decode": {"kind": "ssd", "nms_score_threshold": 0}}
GRAPHS = {
    "detect_cut": {"add_postprocessing_op": False},
    "detect_regular": {"use_regular_nms": True},
    "detect_fast": {"use_regular_nms": False},
    "detect_own": {"use_regular_nms": False, "max_detections": 10, "nms_iou_threshold": 0.5},
}


def card(metric, graphs=None, **more):
    evaluation = {"dataset": "d", "samples": "all", "metric": metric}
    usual = {"calibration": "random", "drop": {}, "toco": {}, "tfjs": {}, "preprocess": {}, "source": {"kind": "keras"}}
    return {**usual, "evaluation": evaluation, "graphs": graphs or {"main": {}}, **more}


def ledger(one, reader="picture", browser=True, task=None):
    samples = SimpleNamespace(fitted=lambda _: ["a.npy"])
    return Ledger({"m": one}, {"d": {"form": {"reader": reader}}}, samples, lambda: browser, task)


def rows(one, graph, variant, form="tflite", **more):
    """Return the steps and the other rows as ``{title: end of the path}``, and what is not measured."""
    flags = ledger(one, **more).flags(form)(SimpleNamespace(model="m", graph=graph, variant=variant))
    assert flags[::2] == ["--steps", "--others", "--unmeasured"]
    steps, others, unmeasured = map(json.loads, flags[1::2])
    return (
        {title: path.removeprefix("results/m/").removesuffix(".samples.jsonl") for title, path in steps},
        {title: path.split(".")[-3] for title, path in others},
        unmeasured,
    )


def test_a_classifier_is_converted_and_quantised():
    steps, others, _ = rows(card(TOP), "main", "int8_gpu")
    assert steps == {
        **{"source": "source", "conversion": "main.float32"},
        **{"int8": "main.int8", "int8_gpu": "main.int8_gpu"},
    }
    assert [*others.values()] == ["resized", "decoded", "reference", "xnnpack", "micro"]


def test_samples_that_are_no_pictures_are_not_resized_nor_decoded():
    assert not {"resized", "decoded"} & {*rows(card(TOP), "main", "float32", reader="npy")[1].values()}


@pytest.mark.parametrize(
    "graph, titles",
    [
        ("detect_cut", ["source", "conversion, raw heads"]),
        ("detect_regular", ["source", "conversion, raw heads", "post-processing op"]),
        ("detect_fast", ["source", "conversion, raw heads", "post-processing op", "fast NMS"]),
    ],
)
def test_a_detector_gets_its_op_and_then_its_nms(graph, titles):
    steps, others, _ = rows(card(COCO, GRAPHS), graph, "float16")
    assert [*steps] == [*titles, "float16"]
    assert [*steps.values()][-2:] == [f"{graph}.float32", f"{graph}.float16"]
    assert {"fast", "regular", "ten", "hundred", "floor"} <= {*others.values()}


def test_the_settings_of_a_graph_of_ones_own_are_steps_one_by_one():
    one = card(COCO, GRAPHS)
    steps, _, _ = rows(one, "detect_own", "float32")
    assert [*steps.items()][2:] == [
        ("post-processing op", "detect_regular.float32"),
        ("iou threshold 0.5", "build/m/ledger/detect_own.float32.until_nms_iou_threshold"),
        ("fast NMS", "build/m/ledger/detect_own.float32.until_use_regular_nms"),
        ("max detections 10", "detect_own.float32"),
    ]
    wildcards = SimpleNamespace(model="m", graph="detect_own", variant="float32", otherwise="until_use_regular_nms")
    _, changes, *_ = ledger(one).tools(wildcards)
    assert json.loads(changes) == {"nms_iou_threshold": 0.5, "use_regular_nms": False}
    assert ledger(one).artifact(wildcards) == "results/m/detect_regular.float32.tflite"


def test_what_tensorflow_quantises_is_measured_against_what_it_converts():
    assert [*rows(card(TOP), "main", "tf_int8")[0]] == ["source", "conversion", "tf_int8"]
    listed = card(TOP, tflite=["tf_int8"])
    assert [*rows(listed, "main", "tf_int8")[0]] == ["source", "conversion, tf_int8"]


def test_a_file_as_it_is_has_no_source():
    steps, others, _ = rows(card(COCO), "source", "given")
    assert steps == {"the file as it is": "source.given"} and "regular_hundred" in others.values()
    assert "resized" in others.values() and "decoded" not in others.values()  # pictures are fitted by its own contract


def test_a_graph_that_litert_cannot_have_goes_from_the_source_to_tensorflow_js():
    steps, others, _ = rows(
        card(COCO, {**GRAPHS, "inference": {}}, tfjs={"inference": True}), "inference", "float32", "tfjs"
    )
    assert steps == {"source": "source", "conversion": "inference.float32.tfjs"}
    assert "decoded" not in others.values()


def test_tensorflow_js_has_backends_and_says_which_are_not_measured():
    steps, others, unmeasured = rows(card(TOP), "main", "uint8", "tfjs")
    assert steps == {
        **{"source": "source", "conversion": "main.float32", "TensorFlow.js": "main.float32.tfjs"},
        **{"uint8": "main.uint8.tfjs"},
    }
    assert [*others.values()] == ["resized", "decoded", "cpu", "webgl", "webgpu"] and unmeasured == []
    _, others, unmeasured = rows(card(TOP), "main", "uint8", "tfjs", browser=False)
    assert [*others.values()] == ["resized", "decoded", "cpu"]
    assert [title for title, _ in unmeasured] == ["TensorFlow.js on WebGL", "TensorFlow.js on WebGPU"]


def flags_of(how, metric=COCO, **more):
    """Return pictures and flags of a job that scores otherwise, the last of each name."""
    given = ["--preprocess", json.dumps({"antialias": False}), "--metric", json.dumps(metric)]
    one = ledger(card(metric, GRAPHS, preprocess={"antialias": False}), task=lambda *_: given)
    wildcards = SimpleNamespace(model="m", graph="detect_fast", variant="int8", otherwise=how)
    words = one.task(wildcards, None) + one.tools(wildcards)[:-1]
    return one.fitted(wildcards), dict(zip(words[::2], words[1::2], strict=True))


def test_pictures_are_resized_the_other_way_by_the_job_itself():
    fitted, flags = flags_of("resized")
    assert fitted == [] and json.loads(flags["--preprocess"]) == {"antialias": True}


def test_pictures_that_tensorflow_has_decoded_take_the_place_of_the_others():
    fitted, flags = flags_of("decoded")
    assert fitted == "build/m/evaluation.decoded.npy" and json.loads(flags["--preprocess"]) == {"antialias": False}


def test_the_models_own_threshold_is_that_without_one_of_the_metric():
    fitted, flags = flags_of("floor")
    assert fitted == ["a.npy"] and json.loads(flags["--metric"]) == {"name": "coco", "decode": {"kind": "ssd"}}


@pytest.mark.parametrize(
    "row", [row for row in otherwise.TABLE if row.kernels or row.postprocess], ids=lambda row: row.name
)
def test_a_row_is_run_as_the_table_says(row):
    _, flags = flags_of(row.name)
    assert flags.get("--kernels", "") == row.kernels
    assert json.loads(flags.get("--postprocess", "{}")) == row.postprocess
    assert json.loads(flags["--metric"]) == COCO
