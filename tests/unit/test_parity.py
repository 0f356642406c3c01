"""Comparing outputs with golden ones, by what these do over the golden inputs."""

import numpy as np
import pytest

from zoomill.graph import outputs
from zoomill.proof import parity

LIMITS = {"sqnr": 60, "share": 1e-3, "decisions": 1}
ROUGH = {"sqnr": 10, "share": 0.8, "decisions": 0.8}
INPUTS, CLASSES = 8, 10


@pytest.fixture
def logits():
    """Golden logits ``[inputs, 1, classes]``."""
    return np.random.default_rng(0).normal(0, 3, (INPUTS, 1, CLASSES))


def judged(golden, found, limits=LIMITS, before=None, labels=(), **entry):
    """Judge one output; ``golden`` and ``found`` have one row for each input."""
    contract = {"outputs": [{"name": "y", "tensor": "t", "activation": None, **entry}], "labels": labels}
    logits = [{"y": row} for row in before] if before is not None else ()
    figures, failures, not_tested = parity.of_outputs(
        [{"y": row} for row in found], contract, {"t": np.asarray(golden)}, limits, logits
    )
    return figures.get("y"), failures, not_tested


def softmax(values):
    return outputs.activated(values, "softmax").astype(np.float32)


def test_the_ratio_is_that_of_the_spread_over_inputs_to_the_error(logits):
    figures, failures, not_tested = judged(logits, logits + 1e-4 * np.sign(logits))
    assert figures["rms"] == pytest.approx(1e-4) and figures["max_abs"] == pytest.approx(1e-4)
    assert figures["sqnr"] == pytest.approx(20 * np.log10(figures["spread"] / 1e-4))
    assert figures["share"] == pytest.approx(1e-4 / np.abs(logits).max())
    assert failures == not_tested == []


def test_a_large_offset_that_all_inputs_share_hides_no_error(logits):
    golden = 1000 + logits
    wrong = 1000 + logits[::-1]
    assert np.abs(golden - wrong).max() < 0.03 * np.abs(golden).max()
    figures, failures, _ = judged(golden, wrong, ROUGH)
    assert figures["sqnr"] < 0 and failures == [f"y: SQNR {figures['sqnr']:.1f} dB, allowed 10"]


def test_a_scale_of_a_model_is_no_matter(logits):
    for factor in (1e-6, 1e6):
        assert judged(factor * logits, factor * logits * (1 + 1e-6))[1] == []
        assert judged(factor * logits, factor * logits * 1.01)[1] != []


def test_one_wrong_value_among_many_is_found_by_its_share_of_the_peak():
    golden = np.random.default_rng(0).normal(size=(INPUTS, 100000))
    found = golden.copy()
    found[3, 7] += 0.01
    assert judged(golden, found)[1] == [
        f"y: largest error {0.01 / np.abs(golden).max():.3g} of the peak, allowed 0.001"
    ]


def test_an_output_that_does_not_move_is_not_tested_and_says_what_would_help():
    golden = np.ones((INPUTS, 4)) + 1e-6 * np.arange(INPUTS)[:, None]
    _, failures, (phrase,) = judged(golden, golden)
    assert failures == []
    assert phrase.startswith("y: moves by 2.3e-06 at a peak of 1 over the golden inputs") and "golden" in phrase


def test_a_constant_is_named_where_the_source_moves(logits):
    assert judged(logits, np.tile(logits[:1], (INPUTS, 1, 1)))[1] == ["y: is constant, the source's is not"]


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_what_is_no_number_is_named(logits, number):
    found = logits.copy()
    found[2, 0, 3] = number
    assert judged(logits, found)[1] == ["y: is not finite"]


def test_an_output_that_depends_on_no_input_must_be_the_same_constant():
    anchors = np.tile(np.linspace(0, 1, 40), (INPUTS, 1))
    assert judged(anchors, anchors, activation="constant")[1:] == ([], [])
    assert judged(anchors, anchors + 1e-3, activation="constant")[1] == ["y: is constant, but off by 0.001"]


def test_another_number_of_values_is_named(logits):
    assert judged(logits, logits[..., :3])[1] == ["y: has 24 values, the source gives 80"]


def test_probabilities_are_compared_before_the_softmax_too():
    """Small probabilities say which class comes second; their error is nothing beside the peak."""
    logits = np.random.default_rng(1).normal(0, 3, (INPUTS, CLASSES))
    logits[:, 0] = 30
    wrong = logits[:, [0, *range(CLASSES - 1, 0, -1)]]
    _, failures, _ = judged(softmax(logits), softmax(wrong), ROUGH, activation="softmax")
    assert [phrase.split(" dB")[0].split(" -")[0] for phrase in failures if "SQNR" in phrase] == ["y: logits: SQNR"]


def test_logits_of_the_file_count_where_rounded_probabilities_have_none_left(logits):
    logits[:, 0, 0] += 12
    stored = np.rint(softmax(logits) * 256) / 256
    figures, failures, _ = judged(softmax(logits), stored, ROUGH, logits + 0.01, activation="softmax")
    assert failures == [] and figures["logits"]["sqnr"] > 40
    wrong = judged(softmax(logits), stored, ROUGH, logits[:, :, ::-1], activation="softmax")[1]
    assert any(phrase.startswith("y: logits: SQNR") for phrase in wrong)


def test_rounded_probabilities_alone_are_compared_as_they_are(logits):
    stored = np.rint(softmax(logits) * 256) / 256
    figures, failures, not_tested = judged(softmax(logits), stored, ROUGH, activation="softmax")
    assert failures == not_tested == [] and "logits" not in figures and figures["decisions"] == 1
    assert judged(softmax(logits), stored[::-1], ROUGH, activation="softmax")[1] != []


def test_rounded_probabilities_of_a_source_that_is_always_sure_are_not_tested(logits):
    logits[:, 0, 0] += 40
    stored = np.rint(softmax(logits) * 256) / 256
    _, failures, not_tested = judged(softmax(logits), stored, ROUGH, activation="softmax")
    assert failures == [] and len(not_tested) == 1


def test_decisions_of_another_class_count(logits):
    found = logits + 0
    found[:4, 0, 0] = 20
    figures, failures, _ = judged(softmax(logits), softmax(found), ROUGH, activation="softmax")
    assert figures["decisions"] < 0.8 and any("of decisions are the source's, allowed 80%" in f for f in failures)


def test_a_draw_is_no_decision():
    logits = np.tile(np.array([5.0, 5.0, 0, 0, 0]), (INPUTS, 1)) + np.random.default_rng(0).normal(0, 1, (INPUTS, 1))
    logits[:, 2:] *= np.random.default_rng(1).normal(0, 1, (INPUTS, 1))
    figures, *_ = judged(softmax(logits), softmax(logits[:, ::-1]), activation="softmax")
    assert figures["decisions"] is None


def test_an_output_with_one_value_for_each_label_decides_without_a_softmax(logits):
    assert "decisions" in judged(logits, logits, labels=list("abcdefghij"))[0]
    assert "decisions" in judged(logits, logits, labels=list("abcdefghi"))[0]
    assert "decisions" not in judged(logits, logits, labels=list("abc"))[0]
    assert "decisions" not in judged(logits, logits)[0]


def test_each_pixel_decides():
    golden = softmax(np.random.default_rng(0).normal(0, 5, (2, 1, 6, 6, 4)))
    found = golden.copy()
    found[0, 0, :3] = found[0, 0, :3, :, ::-1]
    figures, *_ = judged(golden, found, activation="softmax")
    assert 0.6 < figures["decisions"] < 0.9


def test_the_rounding_of_a_source_is_reported_and_may_cut_but_not_go_another_way(logits):
    contract = {"outputs": [{"name": "y", "tensor": "t"}]}
    golden = {"t": logits, "rounded/y": np.clip(np.rint(logits), -1, 1)}
    verdict = parity.rounding(contract, golden)
    assert verdict.figures["y"]["sqnr"] < 6 and verdict.figures["y"]["correlation"] > 0.7
    assert verdict.failures == []
    (phrase,) = parity.rounding(contract, {**golden, "rounded/y": logits[::-1]}).failures
    assert phrase.startswith("y: its integers and their real numbers correlate by ")
    assert parity.rounding(contract, {"t": logits}) == ({}, [], [])


def test_a_probability_of_eight_bits_may_be_off_by_a_step_if_what_stood_before_is_right(logits):
    """Those of a model that hardly tells its classes apart move by less than a step."""
    near = logits / 1000
    golden, found = softmax(near), np.rint(softmax(near) * 256) / 256
    found[0] = np.floor(golden[0] * 256) / 256  # or it is constant
    _, failures, _ = judged(golden, found, ROUGH, before=near, activation="softmax")
    assert failures == []
    _, failures, _ = judged(golden, found, ROUGH, before=near[::-1], activation="softmax")
    assert any("logits: SQNR" in line for line in failures)
    found[0] += 2 / 256
    _, failures, _ = judged(golden, found, ROUGH, before=near, activation="softmax")
    assert any(line.startswith("y: SQNR") for line in failures)
