"""What fewer calibration samples are worth, and which of them widen ranges, on numbers that can be checked by hand."""

import numpy as np
import pytest

from zoomill.evaluation import calibration_sweep
from zoomill.tflite import calibration, sample_ranges
from zoomill.tflite.inner_tensors import Operator


class Mean:
    """A metric whose figure is the mean of its rows."""

    figure, more_is_better = "mean", True

    def values(self, rows):
        return {"mean": float(np.mean(rows))}

    def weighed(self, rows):
        return lambda weights: weights @ np.asarray(rows, float) / weights.sum(axis=1)

    def strata(self, rows):
        return [0] * len(rows)


def test_subsets_are_1_2_5_10_of_each_seed_and_all_samples_once():
    found = calibration_sweep.subsets(24)
    assert [count for count, *_ in found] == [*np.repeat([1, 2, 5, 10, 20], 5), 24]
    assert [seed for _, seed, _ in found] == [*5 * [0, 1, 2, 3, 4], None]
    assert all(len({*places}) == len(places) == count for count, _, places in found)
    assert [count for count, *_ in calibration_sweep.subsets(5)] == [*np.repeat([1, 2], 5), 5]


def test_more_samples_of_a_seed_hold_the_fewer_and_seeds_differ():
    found = {(count, seed): {*places} for count, seed, places in calibration_sweep.subsets(24)}
    assert all(found[5, seed] < found[10, seed] < found[20, seed] for seed in range(5))
    assert len({frozenset(found[5, seed]) for seed in range(5)}) > 1


@pytest.fixture(scope="module")
def swept():
    """The sweep of ten samples of which the fourth alone has ranges that are worth something, and what it scored."""
    by_sample = [{"x": (0.0, 1.0 if place == 3 else 0.5)} for place in range(10)]
    scored = []

    def score(ranges):
        scored.append(ranges)
        return [1.0 if ranges["x"][1] == 1 else index % 2 for index in range(40)]

    return calibration_sweep.sweep(Mean(), [1.0] * 40, by_sample, score), scored


def test_files_of_the_same_ranges_are_scored_once_but_for_that_of_all(swept):
    assert sorted(ranges["x"][1] for ranges in swept[1]) == [0.5, 1, 1]


def test_a_file_without_the_sample_that_matters_is_a_loss_against_float32_and_against_all(swept):
    with_it = {(count, seed): 3 in places for count, seed, places in calibration_sweep.subsets(10)}
    for run in swept[0]:
        told = {one["of"]: one["verdict"] for one in run["against"]}
        good = with_it[run["count"], run["seed"]]
        assert run["value"] == (1 if good else 0.5)
        assert told == dict.fromkeys(("float32", "all"), "not told apart" if good else "loss")
    assert {*with_it.values()} == {True, False}


def test_enough_is_the_first_number_from_which_on_no_file_is_worse(swept):
    lost = [run["count"] for run in swept[0] if run["value"] < 1]
    assert calibration_sweep.enough(swept[0]) == min(n for n in (1, 2, 5, 10) if n > max(lost))
    assert calibration_sweep.enough([run for run in swept[0] if run["value"] == 1]) == 1


def by_tensor(**ranges):
    """Return rows of tensors, the ends of their ranges on samples called a, b, c …"""
    count = len(next(iter(ranges.values())))
    by_sample = {"abcdef"[place]: {name: ends[place] for name, ends in ranges.items()} for place in range(count)}
    makers = {name: (place, Operator("RELU", [], [name])) for place, name in enumerate(ranges, 1)}
    return sample_ranges.by_tensor(by_sample, makers)


def test_the_widest_sample_and_what_the_others_fill_without_it():
    (row,) = by_tensor(x=[(0, 4), (-1, 2), (0, 10)])
    assert row == {
        "tensor": "x",
        "operator": "RELU",
        "place": 1,
        "low": [0, -1, 0],
        "high": [4, 2, 10],
        "widest": "c",
        "others": pytest.approx(5 / 11, rel=1e-3),
    }


def test_both_ends_may_be_of_one_sample_and_either_may_be_widened():
    assert [row["widest"] for row in by_tensor(x=[(-5, 5), (-1, 1)], y=[(-9, 0), (0, 1)])] == ["a", "a"]
    assert [row["others"] for row in by_tensor(x=[(-5, 5), (-1, 1)], y=[(-9, 0), (0, 1)])] == [0.2, 0.1]


def test_samples_that_are_as_wide_leave_each_other_nothing_to_widen():
    rows = by_tensor(same=[(0, 6), (0, 6)], dead=[(0, 0), (0, 0)])
    assert [row["others"] for row in rows] == [1, 1] and sample_ranges.outliers(rows) == []


def test_outliers_are_named_worst_first_and_once_for_tensors_that_carry_the_same_range():
    rows = by_tensor(
        first=[(0, 10), (0, 7), (0, 6)],
        carried=[(0, 10), (0, 7), (0, 6)],
        worse=[(0, 1), (-8, 0), (0, 1)],
        fine=[(0, 10), (0, 8.1), (0, 8)],
    )
    found = [(one["sample"], one["tensor"], one["range"], one["others"]) for one in sample_ranges.outliers(rows)]
    assert found == [("b", "worse", [-8, 1], pytest.approx(1 / 9, rel=1e-3)), ("a", "first", [0, 10], 0.7)]


def test_ranges_of_samples_join_to_those_of_all():
    several = [{"x": (0.0, 0.123441)}, {"x": (-2.0, 0.1)}]
    assert calibration.rounded(calibration.joined(several)) == {"x": [-2, 0.1235]}
