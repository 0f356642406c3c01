"""Scoring a .tflite file by hand: with other options of its post-processing, and never by another file's contract."""

import argparse
import hashlib
import json

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from small_models import OPTIONS, Builder, dense, dense_contract, heads, heads_contract, options

from evaluate_tflite import prepared, retuned
from zoomill import files
from zoomill.errors import UserError
from zoomill.evaluation import harness
from zoomill.inputs import samples
from zoomill.tflite import retune, tflite_file

ANCHORS = np.full((20, 4), 0.5, np.float32)


def detector(**changes):
    """Return the bytes of a file with the op, and the task of scoring it."""
    model, asked = heads(20, 4), options(**changes)
    tflite_file.append_postprocess(model, ANCHORS, asked)
    return tflite_file.serialise(model), task(heads_contract(asked, 20))


def task(contract, **decode):
    return harness.Task(contract, None, {"name": "coco", "decode": {"kind": "ssd", **decode}}, None)


def test_a_file_is_scored_as_it_is_where_nothing_else_is_asked():
    data, one = detector()
    assert retuned(one, data, {}) == (one, data)


def test_a_lower_threshold_of_the_metric_is_that_of_the_op_too():
    data, one = detector()
    lowered = task(one.contract, nms_score_threshold=0.0)
    same, tuned = retuned(lowered, data, {})
    assert same == lowered and retune.options_of(tuned) == options(nms_score_threshold=0)


def test_other_options_are_those_of_file_and_contract():
    data, one = detector(use_regular_nms=False)
    changed, tuned = retuned(one, data, {"use_regular_nms": True, "max_detections": 20})
    assert changed.contract["postprocess"] == vars(retune.options_of(tuned)) == vars(options(max_detections=20))


def test_raw_heads_get_other_options_in_the_contract_alone():
    data = tflite_file.serialise(heads(20, 4))
    changed, same = retuned(task({"postprocess": OPTIONS}), data, {"max_detections": 3})
    assert same == data and changed.contract["postprocess"] == vars(options(max_detections=3))


@pytest.mark.parametrize(
    "contract, changes, said",
    [
        ({"postprocess": {**OPTIONS, "max_classes_per_detection": 2, "use_regular_nms": False}}, {}, "asked for 2"),
        ({}, {"max_detections": 3}, "no `postprocess` that could be changed"),
        ({"postprocess": OPTIONS}, {"max_detections": 21}, "more than the 20 boxes"),
    ],
)
def test_options_of_another_file_and_those_it_cannot_have_are_refused(contract, changes, said):
    data, _ = detector()
    with pytest.raises(UserError, match=said):
        retuned(task(contract), data, changes)


@pytest.fixture
def scored(command, environment_python, tmp_path):
    """Return a function that scores :func:`dense` by a contract and returns the completed process."""

    def run(flags=(), model=None, count=1, **changes):
        contract = dense_contract(3)
        contract["inputs"][0] |= changes
        listed = []
        for name in (f"{number}.npy" for number in range(count)):
            np.save(tmp_path / name, np.ones((1, 4), np.float32))
            content = (tmp_path / name).read_bytes()
            listed.append(samples.Sample(name, len(content), hashlib.sha256(content).hexdigest(), "1"))
        (tmp_path / "list.csv").write_text(samples.index_text(listed), newline="")
        (tmp_path / "contract.json").write_text(json.dumps(contract))
        model = model or dense(units=3)
        tflite_file.set_signature(model, dense_contract(3))
        (tmp_path / "a.tflite").write_bytes(tflite_file.serialise(model))
        return command(
            *(environment_python("evaluate"), "evaluate_tflite", "--artifact", "a.tflite", "--variant", "float32"),
            *("--contract", "contract.json", "--samples", "list.csv", "--folder", "."),
            *("--form", '{"reader": "npy", "label": "class"}', "--metric", '{"name": "top_k"}'),
            *("--output", "metric.json", "--output-samples", "samples.jsonl", *flags),
            cwd=tmp_path,
        )

    return run


def test_a_contract_of_the_file_gives_figures(scored, tmp_path):
    process = scored()
    assert process.returncode == 0, process.stderr
    assert files.read_json(tmp_path / "metric.json")["samples"] == 1


@pytest.mark.parametrize(
    "changes, said",
    [
        (
            {"dtype": "uint8"},
            "a.tflite: is not as contract.json says: x is uint8 in the contract; the file takes float32",
        ),
        ({"value_range": "? of what"}, "contract.json: inputs[0].value_range: of what; write the answer there"),
    ],
)
def test_a_contract_of_another_file_or_with_questions_gives_none(scored, tmp_path, changes, said):
    process = scored(**changes)
    assert (process.returncode, process.stderr) == (1, f"error: {said}\n")
    assert not (tmp_path / "metric.json").exists()


@pytest.mark.parametrize("kernels", ["builtin", "reference", "xnnpack", "micro"])
def test_a_figure_says_whose_kernels_it_is_of(scored, tmp_path, kernels):
    process = scored(["--kernels", kernels, "--threads", "2"])
    assert process.returncode == 0, process.stderr
    found = files.read_json(tmp_path / "metric.json")
    assert (found["kernels"], found["threads"]) == (kernels, 2) and "tflite-micro" in found["packages"]


def test_scoring_stops_when_a_loss_is_clear_and_the_evidence_says_after_how_many_samples(scored, tmp_path):
    rows = [{"name": f"{number}.npy", "class": 1, "rank": 0, "best": 1} for number in range(50)]
    (tmp_path / "others.samples.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    flags = ["--until-clear", "{}", "--against", "others.samples.jsonl"]
    process = scored(flags, dense(3, seed=3), count=50)
    assert process.returncode == 0, process.stderr
    found = files.read_json(tmp_path / "metric.json")
    lines = (tmp_path / "samples.jsonl").read_text().splitlines()
    assert found["values"]["top_1"] == 0 and found["samples"] == len(lines) == 10
    said = {"of_samples": 50, "look": 1, "looks": 5, "level": 1 - 0.0158, "allowed": None, "why": "loss"}
    assert found["until_clear"] == said and found["against"][0]["verdict"] == "loss"


@pytest.mark.parametrize("others", [["1.npy", "0.npy"], ["0.npy", "1.npy", "2.npy"], ["0.npy"]])
def test_a_comparison_with_other_samples_is_refused(scored, tmp_path, others):
    rows = [{"name": name, "class": 1, "rank": 0, "best": 1} for name in others]
    (tmp_path / "others.samples.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    process = scored(["--against", "others.samples.jsonl"], count=2)
    assert process.returncode == 1 and "others.samples.jsonl: is of other samples" in process.stderr


def test_kernels_that_refuse_the_file_are_named_with_their_reason(scored):
    builder = Builder()
    start, end = builder.tensor("image", [1, 4]), builder.tensor("scores", [1, 3])
    weights = builder.quantised("weights", np.ones((3, 4), np.int8), 0.5, 0)
    builder.operator("FULLY_CONNECTED", [start, weights, -1], [end], schema.FullyConnectedOptionsT())
    process = scored(["--kernels", "micro"], builder.build([start], [end]))
    assert process.returncode == 1
    assert process.stderr.startswith("error: a.tflite: the micro kernels refuse it: FULLY_CONNECTED (operator 0): ")
    assert process.stderr.count("\n") == 1


def test_of_a_row_of_a_ledger_that_cannot_be_had_the_reason_is_written(scored, tmp_path):
    refused = ["--postprocess", '{"max_detections": 3}']
    assert scored(refused).returncode == 1 and not (tmp_path / "metric.json").exists()
    process = scored([*refused, "--otherwise"])
    assert process.returncode == 0, process.stderr
    rows, reason = harness.read_rows(tmp_path / "samples.jsonl")
    assert rows == [] and "no `postprocess` that could be changed" in reason
    assert files.read_json(tmp_path / "metric.json") == {"reason": reason}


def asked(otherwise=True, **changes):
    """Return what becomes of a detector with fast NMS and 10 detections when it is to be run otherwise."""
    data, one = detector(use_regular_nms=False, max_detections=10)
    flags = {"kernels": "builtin", "threads": 1, "artifact": "a.tflite", "contract": "contract.json"}
    return prepared(argparse.Namespace(**flags, postprocess=changes, otherwise=otherwise), data, one)


@pytest.mark.parametrize("changes", [{"max_detections": 10}, {"max_detections": 10, "use_regular_nms": True}])
def test_a_row_of_a_ledger_that_changes_less_than_it_says_is_so_already(changes):
    with pytest.raises(UserError, match=f"^{harness.SO_ALREADY}$"):
        asked(**changes)
    assert asked(otherwise=False, **changes)
    assert asked(max_detections=5)[1].contract["postprocess"]["max_detections"] == 5
