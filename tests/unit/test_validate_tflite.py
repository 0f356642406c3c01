"""Evidence of an artifact, on a small real one."""

import json
import re
import sys

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from rows import flag, variant
from small_models import Builder, dense, dense_contract, heads, heads_contract, options, run

from zoomill import files
from zoomill.detection import head_names
from zoomill.tflite import artifact, tflite_file

LIMITS = {"sqnr": 60, "share": 1e-3, "decisions": 1, "score": 1e-3, "unmatched": 0}


@pytest.fixture
def validated(command, tmp_path):
    """Return a function that delivers a model, validates it and returns the process and the evidence."""

    def validate(model, contract, golden, *arguments, **limits):
        path = tmp_path / "small.float32.tflite"
        artifact.deliver(model, contract, variant("float32"), path)
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
        settings = ["--variant", flag("float32"), "--limits", json.dumps({**LIMITS, **limits}), *arguments]
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
    assert found["passed"] is True and found["verdict"] == "passed"
    assert found["failures"] == found["not_tested"] == []
    assert found["sha256"] == files.digest(tmp_path / "small.float32.tflite")
    assert found["bytes"] == (tmp_path / "small.float32.tflite").stat().st_size
    assert (found["model"], found["graph"], found["variant"]) == ("small", "main", "float32")
    assert found["operators"] == {"FULLY_CONNECTED": 1}
    assert found["parity"]["y"]["max_abs"] < 1e-6


def test_an_artifact_that_misses_a_limit_stays_with_the_reason(validated, golden):
    golden["scores"][1, 7] += 0.5
    process, found = validated(dense(), dense_contract(), golden)
    assert process.returncode == 0
    assert found["passed"] is False and found["verdict"] == "failed"
    assert re.fullmatch(r"y: SQNR 3\d\.\d dB, allowed 60", found["failures"][0])
    assert re.fullmatch(r"y: largest error 0\.0\d+ of the peak, allowed 0.001", found["failures"][1])
    assert validated(dense(), dense_contract(), golden, sqnr=30, share=0.2)[1]["passed"] is True


def test_an_output_that_no_golden_input_moves_is_not_tested(validated, golden):
    for name in golden:
        golden[name][:] = golden[name][:1]
    process, found = validated(dense(), dense_contract(), golden)
    assert process.returncode == 0 and found["failures"] == []
    assert found["verdict"] == "not tested" and found["passed"] is False
    assert found["not_tested"][0].startswith("y: moves by 0 at a peak of ")


def test_an_artifact_that_is_the_float_file_byte_for_byte_fails(validated, golden, tmp_path):
    artifact.deliver(dense(), dense_contract(), variant("float32"), tmp_path / "main.float32.tflite")
    _, found = validated(dense(), dense_contract(), golden, "--float", "main.float32.tflite")
    assert found["failures"] == ["is byte for byte main.float32.tflite: nothing in it is float32"]


def test_what_was_not_derived_from_the_float_file_fails(validated, golden, tmp_path):
    artifact.deliver(dense(seed=1), dense_contract(), variant("float32"), tmp_path / "main.float32.tflite")
    _, found = validated(dense(), dense_contract(), golden, "--float", "main.float32.tflite")
    assert found["failures"] == [
        "FULLY_CONNECTED 1: 1200 of 1200 values of weights differ",
        "FULLY_CONNECTED 1: 300 of 300 values of bias differ",
    ]
    assert found["descent"]["constants"] == 2


def test_a_file_that_is_not_what_its_variant_promises_fails(validated, golden):
    _, found = validated(dense(), dense_contract(), golden, "--variant", flag("int8"))
    assert "weights are float32: FULLY_CONNECTED reads weights" in found["failures"]


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


def detector(highest):
    """Return a detector whose heads are its inputs, its contract, and golden arrays with scores up to ``highest``."""
    asked, model = options(num_classes=3), heads(6, 4)
    tflite_file.append_postprocess(model, np.full((6, 4), 0.5, np.float32), asked)
    random = np.random.default_rng(0)
    boxes, scores = (random.uniform(low, high, (2, 1, 6, 4)).astype("f4") for low, high in ((-2, 2), (0, highest)))
    golden = {
        "boxes": boxes,
        "scores": scores,
        head_names.BOXES: boxes[:, 0],
        head_names.SCORES: scores[:, 0],
    }
    return model, heads_contract(asked, 6), golden


def test_a_detector_whose_inputs_gave_nothing_to_compare_is_no_pass(validated):
    model, contract, golden = detector(highest=0.2)
    process, found = validated(model, contract, golden)
    assert process.returncode == 0, process.stderr
    assert set(found["parity"]) == {"heads", "op", "source", "decision"}
    assert found["failures"] == [] and found["passed"] is False
    (phrase,) = found["not_tested"]
    assert phrase.startswith("decision: no detection of the source is 0.001 above nms_score_threshold 0.3")


def test_a_detector_that_finds_something_else_fails(validated):
    model, contract, golden = detector(highest=1)
    assert validated(model, contract, golden)[1]["passed"] is True
    golden[head_names.SCORES] = golden[head_names.SCORES][:, :, [0, 2, 3, 1]]
    failed = validated(model, contract, golden)[1]["failures"]
    assert {phrase.partition(":")[0] for phrase in failed} == {"class_predictions", "decision"}


def test_a_file_that_xnnpack_refuses_is_judged_by_the_built_in_kernels_and_both_answers_stand(validated):
    """Integer SPLIT with the axis of the batch, as unrolled recurrent layers have it."""
    builder, scale = Builder(), 0.0625
    x, small = builder.tensor("image", [1, 4]), builder.quantised("small", [1, 4], scale, 0)
    halves = [builder.quantised(name, [1, 2], scale * (1 + place), 0) for place, name in enumerate("ab")]
    y = builder.tensor("scores", [1, 2])
    builder.operator("QUANTIZE", [x], [small])
    settings = schema.SplitOptionsT()
    settings.numSplits = 2
    builder.operator("SPLIT", [builder.tensor("axis", np.array(1, np.int32)), small], halves, settings)
    builder.operator("DEQUANTIZE", halves[:1], [y])
    model = builder.build([x], [y])
    model.description = b"MLIR Converted."
    inputs = np.random.default_rng(0).integers(-16, 16, (3, 1, 4)).astype(np.float32) / 16
    _, found = validated(model, dense_contract(2), {"image": inputs, "scores": inputs[:, :, :2]})
    assert found["verdict"] == "passed" and found["kernels"]["builtin"] == "runs"
    assert "SPLIT" in found["kernels"]["xnnpack"]
