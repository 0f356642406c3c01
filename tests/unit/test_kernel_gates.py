"""The gates of TFLite Micro and of kernels, as commands: what they measure, refuse and cannot tell."""

import hashlib
import json
import sys

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from small_models import Builder, dense, dense_contract, heads, heads_contract, options

import validate_kernels
import validate_micro
from zoomill import files
from zoomill.inputs import samples
from zoomill.tflite import kernel_spread, micro, tflite_file

GOLDEN = np.random.default_rng(0).normal(size=(5, 1, 4)).astype(np.float32)


def classifier(units=3):
    """Return a model, and its contract by which the largest of its outputs decides."""
    contract = {**dense_contract(units), "labels": [str(unit) for unit in range(units)]}
    return dense(units), contract


def hybrid():
    """Return a fully connected layer with integer weights, which TFLite Micro refuses, and its contract."""
    builder = Builder()
    start, end = builder.tensor("image", [1, 4]), builder.tensor("scores", [1, 3])
    weights = builder.quantised("weights", np.ones((3, 4), np.int8), 0.5, 0)
    builder.operator("FULLY_CONNECTED", [start, weights, -1], [end], schema.FullyConnectedOptionsT())
    return builder.build([start], [end]), dense_contract(3)


def unknown():
    """Return a model with an operator that no runtime has, and its contract."""
    builder = Builder()
    start, end = builder.tensor("image", [1, 4]), builder.tensor("scores", [1, 4])
    builder.operator("Resampler", [start], [end])
    return builder.build([start], [end]), dense_contract(4)


@pytest.fixture
def asked(command, tmp_path):
    """Return a function that puts a model to a gate and returns the evidence."""

    def ask(gate, model, contract, golden=GOLDEN, more=()):
        tflite_file.set_signature(model, contract)
        (tmp_path / "a.tflite").write_bytes(tflite_file.serialise(model))
        (tmp_path / "contract.json").write_text(json.dumps(contract))
        np.savez(tmp_path / "golden.npz", image=golden)
        flags = ["--artifact", "a.tflite", "--contract", "contract.json", "--variant", "int8", "--output", "out.json"]
        flags += ["--golden", *(["golden.npz"] if len(golden) else []), *more]
        process = command(sys.executable, f"validate_{gate}", *flags, cwd=tmp_path)
        assert process.returncode == 0, process.stderr
        return files.read_json(tmp_path / "out.json")

    return ask


def test_a_file_that_tflite_micro_runs_passes_with_the_memory_that_it_takes(asked, tmp_path):
    found = asked("micro", *classifier())
    arena = micro.tried((tmp_path / "a.tflite").read_bytes()).arena()
    assert (found["verdict"], found["reason"], found["arena"]) == ("passed", None, arena)
    assert found["said"] == f"{arena['total'] / 1024:.0f} KiB" and "upper bound" in found["arena_is"]
    assert found["operators"] == ["FULLY_CONNECTED"]
    assert (found["parity"]["inputs"], found["parity"]["differ"], found["parity"]["decisions"]) == (5, 0, 5)


def test_evaluation_samples_are_run_too(asked, tmp_path):
    np.save(tmp_path / "0.npy", np.ones((1, 4), np.float32))
    content = (tmp_path / "0.npy").read_bytes()
    listed = [samples.Sample("0.npy", len(content), hashlib.sha256(content).hexdigest(), "1")]
    (tmp_path / "list.csv").write_text(samples.index_text(listed), newline="")
    more = ["--samples", "list.csv", "--folder", ".", "--form", '{"reader": "npy", "label": "class"}']
    for gate in ("micro", "kernels"):
        parity = asked(gate, *classifier(), more=more)["parity"]
        assert parity.get("xnnpack", parity)["inputs"] == 6


def test_a_file_that_tflite_micro_refuses_has_the_reason_and_has_not_failed(asked):
    found = asked("micro", *hybrid())
    assert (found["verdict"], found["failures"]) == ("does not apply", [])
    assert found["reason"].startswith("FULLY_CONNECTED (operator 0): ") and "\n" not in found["reason"]


def test_without_inputs_memory_is_told_and_answers_are_not_tested(asked):
    found = asked("micro", *classifier(), golden=GOLDEN[:0])
    assert found["arena"]["total"] and found["verdict"] == "not tested"
    assert asked("kernels", *classifier(), golden=GOLDEN[:0])["not_tested"] == ["its answers: there are no inputs"]


def test_each_set_of_kernels_is_measured_and_the_one_that_is_farthest_off_is_named(asked):
    model, contract = classifier(300)
    found = asked("kernels", model, {**contract, "labels": []})
    assert found["verdict"] == "passed" and found["refused"] == {}
    assert list(found["parity"]) == sorted(["builtin", "builtin, 2 threads", "xnnpack", "xnnpack, 2 threads", "micro"])
    assert {one["inputs"] for one in found["parity"].values()} == {5}
    assert found["said"].startswith(f"{max(one['differ'] for one in found['parity'].values())} of 1500 differ")


def test_kernels_without_tflite_micro_say_why(asked):
    found = asked("kernels", *hybrid())
    assert found["verdict"] == "passed" and "micro" not in found["parity"]
    assert found["refused"]["micro"].startswith("FULLY_CONNECTED (operator 0): ")


def test_a_file_that_litert_refuses_fails(asked):
    (failure,) = asked("kernels", *unknown())["failures"]
    assert failure.startswith("LiteRT refuses it: ") and "Resampler" in failure


def test_another_list_of_operators_than_tflite_micro_looks_up_fails(asked, monkeypatch, tmp_path):
    asked("micro", *classifier())  # writes the files
    monkeypatch.setattr(validate_micro.micro, "needed_operators", lambda data: ["ADD", "FULLY_CONNECTED"])
    monkeypatch.chdir(tmp_path)
    flags = ["--artifact", "a.tflite", "--contract", "contract.json", "--variant", "int8", "--output", "out.json"]
    validate_micro.main([*flags, "--golden", "golden.npz"])
    (failure,) = files.read_json("out.json")["failures"]
    assert failure == "TFLite Micro looks up ADD, FULLY_CONNECTED, a C array registers FULLY_CONNECTED"


def test_regular_nms_loses_a_class_on_two_threads_which_a_spread_shows():
    asked, anchors = options(), 6  # of three classes: tensorflow#56058
    model, contract = heads(anchors, 4), heads_contract(asked, anchors)
    tflite_file.append_postprocess(model, np.float32([[place, 0, 0.5, 0.5] for place in range(anchors)]), asked)
    tflite_file.set_signature(model, contract)
    scores = np.zeros((1, anchors, 4), np.float32)
    scores[0, range(anchors), [1, 2, 3, 1, 2, 3]] = 0.9
    feeds = [{"boxes": np.zeros((1, anchors, 4), np.float32), "scores": scores}]
    sets = {"one": ("builtin", 1), "two": ("builtin", 2)}
    found = kernel_spread.compare(tflite_file.serialise(model), contract, feeds, sets)
    assert [(found[name].figures()["decisions"], found[name].figures()["flips"]) for name in sets] == [(6, 0), (6, 2)]


class Spread:
    """Stands for a measured one."""

    def __init__(self, **figures):
        self._figures = {"inputs": 1, "values": 9, "differ": 0, "decisions": 100, "flips": 0, "steps": None}
        self._figures |= {"share": None, **figures}

    def figures(self):
        return self._figures

    def line(self):
        return "words"


@pytest.mark.parametrize(
    ("figures", "passes"),
    [
        ({"steps": 16, "flips": 1}, True),
        ({"steps": 17}, False),
        ({"share": 0.001}, True),
        ({"share": 0.002}, False),
        ({"share": np.nan}, False),
        ({"steps": 1, "flips": 2}, False),
    ],
)
def test_answers_beyond_the_limits_fail(monkeypatch, figures, passes):
    monkeypatch.setattr(validate_micro.kernel_spread, "compare", lambda *_: {"micro": Spread(**figures)})
    verdict = validate_micro.answers(b"", {}, [])
    assert (verdict.failures == []) == passes
    assert passes or verdict.failures == ["TFLite Micro answers otherwise than LiteRT's reference kernels: words"]


def test_where_litert_refuses_the_answers_of_tflite_micro_are_not_tested(monkeypatch):
    def refuse(*_):
        raise RuntimeError("not in [0, 1). Was 3.Tensor 33 too\nmore")

    monkeypatch.setattr(validate_micro.kernel_spread, "compare", refuse)
    (phrase,) = validate_micro.answers(b"", {}, []).not_tested
    assert phrase == "nothing to compare its answers with: LiteRT refuses the file: not in [0, 1). Was 3"


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ({}, ""),
        ({"a": {"inputs": 0, "decisions": 0, "flips": 0, "differ": 0, "values": 0}}, ""),
        ({"a": {"inputs": 1, "decisions": 9, "flips": 1, "differ": 5, "values": 9}}, "1 of 9 flip (a)"),
        ({"a": {"inputs": 1, "decisions": 9, "flips": 0, "differ": 5, "values": 9}}, "0 of 9 flip"),
        ({"a": {"inputs": 1, "decisions": 0, "flips": 0, "differ": 5, "values": 9}}, "5 of 9 differ (a)"),
    ],
)
def test_the_summary_is_told_what_flips_or_else_what_differs(figures, said):
    assert validate_kernels.said(figures) == said
