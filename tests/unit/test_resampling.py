"""Intervals of figures and the comparison of two files, on samples whose truth is known."""

import types

import numpy as np
import pytest

from zoomill.evaluation import metrics, resampling

INPUT = {"name": "x", "tensor": "x", "shape": [1, 2], "dtype": "float32", "layout": None, "value_range": [-1, 1]}
SETTING = metrics.Setting({"inputs": [INPUT], "outputs": [{"name": "y"}], "labels": [], "label_offset": 0}, None, "")
RANDOM = np.random.RandomState(3)
ROWS = {
    "top_k": [{"rank": int(rank)} for rank in RANDOM.randint(0, 7, 40)],
    "auc": [
        {"machine": "ab"[place % 2], "label": int(place > 20), "score": float(RANDOM.randint(9))} for place in range(40)
    ],
    "landmarks": [{"error": float(error)} for error in RANDOM.rand(40)],
    "psnr": [{"mse": float(error)} for error in RANDOM.rand(40) / 9],
}
FIGURES = [
    ("top_k", "top_1"),
    ("top_k", "top_5"),
    ("auc", "auc"),
    ("auc", "auc_pooled"),
    ("landmarks", "error"),
    ("psnr", "psnr"),
    ("psnr", "psnr_pooled"),
]


@pytest.mark.parametrize("name, figure", FIGURES)
def test_a_weight_counts_as_so_many_rows(name, figure):
    metric, rows = metrics.metric(SETTING, name, figure), ROWS[name]
    weights = np.random.RandomState(1).randint(0, 4, (5, len(rows)))
    found = metric.weighed(rows)(weights)
    for draw, value in zip(weights, found, strict=True):
        drawn = [row for row, count in zip(rows, draw, strict=True) for _ in range(count)]
        assert value == pytest.approx(metric.values(drawn)[figure], abs=1e-12)


def test_the_area_is_the_share_of_pairs_in_which_the_anomaly_is_ahead():
    metric, rows = metrics.metric(SETTING, "auc", "auc_pooled"), ROWS["auc"]
    good, bad = ([row["score"] for row in rows if row["label"] == label] for label in (0, 1))
    pairs = [(one > other) + (one == other) / 2 for one in bad for other in good]
    assert metric.values(rows)["auc_pooled"] == pytest.approx(np.mean(pairs))


def right(flags):
    """Return rows of samples that are right or not."""
    return [{"rank": int(not flag)} for flag in flags]


def test_an_interval_holds_the_truth_about_as_often_as_it_says():
    metric, random, truth = metrics.metric(SETTING, "top_k"), np.random.RandomState(0), 0.8
    ends = [resampling.interval(metric, right(random.rand(150) < truth)) for _ in range(300)]
    assert 0.92 <= np.mean([low <= truth <= high for low, high in ends]) <= 0.98


def test_files_that_are_alike_are_hardly_ever_told_apart():
    metric, random, alarms = metrics.metric(SETTING, "top_k"), np.random.RandomState(0), 0
    for _ in range(200):
        shared, of_one = random.rand(120) < 0.8, random.rand(120) < 0.3
        first, second = (right(np.where(of_one, random.rand(120) < 0.8, shared)) for _ in range(2))
        alarms += resampling.compare(metric, first, second).verdict != "not told apart"
    assert 0 < alarms <= 0.06 * 200


@pytest.mark.parametrize("more_is_better, verdict", [(True, "loss"), (False, "gain")])
def test_a_file_that_is_worse_on_the_same_samples_is_told_with_an_interval(monkeypatch, more_is_better, verdict):
    metric = metrics.metric(SETTING, "top_k")
    monkeypatch.setattr(metric, "more_is_better", more_is_better)
    flags = np.arange(100) < 90
    found = resampling.compare(metric, right(flags), right(flags & (np.arange(100) % 9 > 0)))
    assert found.verdict == verdict and abs(found.difference) == pytest.approx(0.1)
    assert min(map(abs, found.interval)) < 0.1 < max(map(abs, found.interval)) and found.p < 0.01


@pytest.mark.parametrize(
    "verdict, ends, agreeing",
    [
        ("not told apart", (-0.03, -0.01), (-0.03, 0)),
        ("not told apart", (0.01, 0.03), (0, 0.03)),
        ("not told apart", (-0.01, 0.02), (-0.01, 0.02)),
        ("loss", (-0.03, 0.01), (-0.03, 0)),
        ("gain", (-0.01, 0.03), (0, 0.03)),
        ("gain", (0.01, 0.03), (0.01, 0.03)),
    ],
)
def test_an_interval_says_what_the_verdict_says(monkeypatch, verdict, ends, agreeing):
    monkeypatch.setattr(resampling, "_interval", lambda figure, strata, level: ends)
    lost = {"not told apart": 4, "loss": 20, "gain": -20}[verdict]
    rows = right(np.ones(100, bool)), right(np.arange(100) >= abs(lost))
    found = resampling.compare(metrics.metric(SETTING, "top_k"), *(rows if lost > 0 else rows[::-1]))
    assert (found.verdict, found.interval) == (verdict, agreeing)


def test_categories_that_nine_pictures_show_are_rare_and_those_that_ten_show_are_not():
    metric = types.SimpleNamespace(shown=lambda rows: {"cat": 10, "dog": 9})
    assert resampling.rare(metric, []) == {"dog": 9}
    assert resampling.rare(metrics.metric(SETTING, "top_k"), ROWS["top_k"]) == {}


def test_four_samples_that_are_lost_are_no_proof_of_a_loss():
    flags = np.ones(100, bool)
    found = resampling.compare(metrics.metric(SETTING, "top_k"), right(flags), right(np.arange(100) >= 4))
    assert found.difference == pytest.approx(-0.04) and found.p > 0.05 and found.verdict == "not told apart"


def test_the_same_rows_have_no_difference_and_every_call_gives_the_same():
    metric, rows = metrics.metric(SETTING, "auc"), ROWS["auc"]
    assert resampling.compare(metric, rows, rows) == (0, (0, 0), 1, "not told apart")
    assert resampling.interval(metric, rows) == resampling.interval(metric, rows)


def test_of_each_machine_and_label_as_many_files_are_drawn_as_there_are():
    metric, rows = metrics.metric(SETTING, "auc"), ROWS["auc"]
    strata = metric.strata(rows)
    drawn = resampling._draws(np.unique(strata, return_inverse=True)[1])
    for name in set(strata):
        members = np.array([name == other for other in strata])
        assert (drawn[:, members].sum(axis=1) == members.sum()).all()


def test_one_sample_has_no_interval_and_the_only_anomaly_of_a_machine_may_not_be_missing():
    metric = metrics.metric(SETTING, "top_k")
    assert resampling.interval(metric, right([True])) is None
    assert resampling.compare(metric, right([True]), right([False])) == (-1, None, 1, "not told apart")
    rows = [{"machine": "", "label": int(place == 3), "score": float(place)} for place in range(8)]
    low, high = resampling.interval(metrics.metric(SETTING, "auc"), rows)
    assert 0 <= low < high <= 1
