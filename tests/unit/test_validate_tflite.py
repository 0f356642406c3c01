"""Evidence of an artifact, on a small real one."""

import json
import sys

import numpy as np
import pytest
from small_models import dense, dense_contract, heads, heads_contract, options, run

from zoomill import artifact, files, ssd_graph, tflite_file

LIMITS = {"heads": 1e-4, "score": 1e-4, "unmatched": 0}


@pytest.fixture
def validated(command, tmp_path):
    """Return a function that delivers a model, validates it and returns the process and the evidence."""

    def validate(model, contract, golden, *arguments, **limits):
        path = tmp_path / "small.float32.tflite"
        artifact.deliver(model, contract, "float32", path)
        files.write_json(tmp_path / "contract.json", contract)
        np.savez(tmp_path / "golden.npz", **golden)
        np.save(tmp_path / "anchors.npy", np.full((6, 4), 0.5, np.float32))
        inputs = [
            "--artifact",
            path,
            "--contract",
            "contract.json",
            "--golden",
            "golden.npz",
            "--anchors",
            "anchors.npy",
        ]
        settings = ["--variant", "float32", "--limits", json.dumps({**LIMITS, **limits}), *arguments]
        process = command(
            sys.executable, "validate_tflite", *inputs, *settings, "--output", "evidence.json", cwd=tmp_path
        )
        written = tmp_path / "evidence.json"
        return process, files.read_json(written) if written.exists() else None

    return validate


@pytest.fixture
def golden():
    """Three inputs of :func:`dense` and their outputs."""
    inputs = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    outputs = np.concatenate([run(dense(), one[None])[0] for one in inputs])
    return {"image": inputs, "scores": outputs}


def test_evidence_is_bound_to_the_bytes_and_says_what_the_file_is(validated, golden, tmp_path):
    process, found = validated(dense(), dense_contract(), golden)
    assert process.returncode == 0, process.stderr
    assert found["passed"] is True and found["failures"] == []
    assert found["sha256"] == files.digest(tmp_path / "small.float32.tflite")
    assert found["bytes"] == (tmp_path / "small.float32.tflite").stat().st_size
    assert (found["model"], found["graph"], found["variant"]) == ("small", "main", "float32")
    assert found["operators"] == {"FULLY_CONNECTED": 1}
    assert found["parity"]["y"]["max_abs"] < 1e-6


def test_an_artifact_that_misses_a_limit_is_delivered_with_the_reason(validated, golden):
    golden["scores"][1, 7] += 0.5
    process, found = validated(dense(), dense_contract(), golden)
    assert process.returncode == 0
    assert found["passed"] is False
    assert found["failures"] == ["y: largest error 0.5, allowed 0.0001"]
    assert validated(dense(), dense_contract(), golden, heads=0.6)[1]["passed"] is True


def test_outputs_that_are_no_numbers_fail_without_a_traceback(validated, golden):
    model = dense()
    bias = np.frombuffer(bytes(model.buffers[2].data), np.float32).copy()
    bias[0] = np.nan
    model.buffers[2].data = np.frombuffer(bias.tobytes(), np.uint8)
    process, found = validated(model, dense_contract(), golden)
    assert "Traceback" not in process.stderr
    assert process.returncode == 1 or found["passed"] is False


def test_figures_of_the_conversion_become_evidence(validated, golden, tmp_path):
    files.write_json(tmp_path / "toco.json", {"operators_after": 63})
    assert validated(dense(), dense_contract(), golden, "--figures", "toco.json")[1]["conversion"] == {
        "operators_after": 63
    }
    assert "conversion" not in validated(dense(), dense_contract(), golden, "--figures")[1]


def test_a_detector_whose_inputs_gave_nothing_to_compare_is_no_pass(validated):
    asked = options(num_classes=3)
    model = heads(6, 4)
    tflite_file.append_postprocess(model, np.full((6, 4), 0.5, np.float32), asked)
    random = np.random.default_rng(0)
    boxes, scores = random.normal(size=(2, 1, 6, 4)).astype("f4"), random.uniform(0, 0.2, (2, 1, 6, 4)).astype("f4")
    golden = {"boxes": boxes, "scores": scores, ssd_graph.BOXES: boxes[:, 0], ssd_graph.SCORES: scores[:, 0]}
    process, found = validated(model, heads_contract(asked, 6), golden)
    assert process.returncode == 0, process.stderr
    assert set(found["parity"]) == {"heads", "op", "source", "decision"}
    assert found["failures"] == [] and found["passed"] is False
    (phrase,) = found["not_tested"]
    assert phrase.startswith("decision: no detection of the source is 0.0001 above nms_score_threshold 0.3")


def test_a_detector_that_finds_something_else_fails(validated):
    asked = options(num_classes=3)
    model = heads(6, 4)
    tflite_file.append_postprocess(model, np.full((6, 4), 0.5, np.float32), asked)
    random = np.random.default_rng(0)
    boxes, scores = random.normal(size=(2, 1, 6, 4)).astype("f4"), random.uniform(0, 1, (2, 1, 6, 4)).astype("f4")
    golden = {"boxes": boxes, "scores": scores, ssd_graph.BOXES: boxes[:, 0], ssd_graph.SCORES: scores[:, 0]}
    assert validated(model, heads_contract(asked, 6), golden)[1]["passed"] is True
    golden[ssd_graph.SCORES] = golden[ssd_graph.SCORES][:, :, [0, 2, 3, 1]]
    failed = validated(model, heads_contract(asked, 6), golden)[1]["failures"]
    assert {phrase.partition(":")[0] for phrase in failed} == {"class_predictions", "decision"}
