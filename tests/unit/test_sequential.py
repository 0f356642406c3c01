"""Scoring until the answer is clear: its looks, its order, and how often it is wrong."""

import numpy as np
import pytest
from small_models import dense_contract

from zoomill.evaluation import metrics, resampling, sequential

SETTING = metrics.Setting({**dense_contract(3), "label_offset": 0}, None, "")
METRIC = metrics.metric(SETTING, "top_k")


def right(flags):
    """Return rows of samples that are right or not."""
    return [{"rank": int(not flag)} for flag in flags]


def scored(first, second, allowed=None):
    rows = right(second)
    return sequential.score(METRIC, right(first), lambda places: [rows[place] for place in places], allowed)


def test_it_stops_at_the_look_that_tells_a_loss_and_has_scored_no_more():
    asked, first, second = [], np.ones(200, bool), np.arange(200) % 10 > 0

    def some(places):
        asked.extend(places)
        return right(second[places])

    found = sequential.score(METRIC, right(first), some)
    assert (found.look, found.why, len(found.rows)) == (3, "loss", 120)
    assert sorted(asked) == found.places and found.rows == right(second[found.places])


def test_files_that_are_alike_are_scored_to_the_end():
    flags = np.random.RandomState(0).rand(50) < 0.8
    found = scored(flags, flags)
    assert (found.look, found.why, found.places) == (5, sequential.ALL, list(range(50)))


def test_the_order_is_random_and_the_same_every_time_and_spreads_strata_evenly():
    strata = np.repeat([0, 1], [80, 20])
    places = sequential.order(strata)
    assert places == sequential.order(strata) and sorted(places) == list(range(100)) != places
    assert [sum(strata[places[start : start + 20]]) for start in range(0, 100, 20)] == [4] * 5


def test_no_look_is_taken_before_each_stratum_is_there(monkeypatch):
    rows = [{"machine": "", "label": int(place == 40), "score": float(place)} for place in range(41)]
    looked = []

    def compare(metric, first, second, level):
        looked.append([row["label"] for row in second])
        return resampling.Comparison(0, (-1, 1), 1, "not told apart")

    monkeypatch.setattr(resampling, "compare", compare)
    found = sequential.score(metrics.metric(SETTING, "auc"), rows, lambda places: [rows[place] for place in places])
    assert found.why == sequential.ALL and 0 < len(looked) < 4 and all(map(any, looked))


@pytest.mark.parametrize(
    "interval, verdict, count, allowed, why",
    [
        ((-0.01, 0.03), "not told apart", 400, 0.02, sequential.WITHIN),
        ((-0.03, 0.03), "not told apart", 400, 0.02, None),
        ((-0.09, -0.03), "loss", 400, 0.02, sequential.BEYOND),
        ((-0.09, -0.01), "loss", 400, 0.02, None),
        ((-0.09, -0.01), "loss", 400, None, "loss"),
        ((0.01, 0.09), "gain", 400, None, "gain"),
        ((-0.01, 0.03), "not told apart", 400, None, None),
        # No sample differs, and one loss in fifty would hardly show among forty.
        ((0, 0), "not told apart", 40, 0.02, None),
        ((0, 0), "not told apart", 400, 0.0, None),
        # Of so few an interval is too short, whatever is allowed.
        ((0, 0), "not told apart", 29, 0.5, None),
        ((0, 0), "not told apart", 30, 0.5, sequential.WITHIN),
    ],
)
def test_an_answer_is_clear_when_the_whole_interval_is_on_one_side(interval, verdict, count, allowed, why):
    found = resampling.Comparison(np.mean(interval), interval, 0.01, verdict)
    assert sequential.clear(found, allowed, count) == why


def test_a_loss_is_not_clear_as_long_as_few_pictures_show_a_category(monkeypatch):
    monkeypatch.setattr(METRIC, "shown", lambda rows: {"dog": len(rows) // 10}, raising=False)
    flags = np.arange(200) % 10 > 0
    found = scored(flags, flags, allowed=0.5)
    assert (found.look, found.why) == (3, sequential.WITHIN)
    monkeypatch.setattr(METRIC, "shown", lambda rows: {"dog": 1}, raising=False)
    assert scored(flags, flags, allowed=0.5).why == sequential.ALL
    assert scored(np.ones(200, bool), flags).look == 3  # whether there is one at all, p says for any number


def test_files_that_are_alike_are_hardly_ever_told_apart_at_any_of_the_looks():
    random, alarms = np.random.RandomState(1), 0
    for _ in range(60):
        shared, of_one = random.rand(100) < 0.8, random.rand(100) < 0.4
        first, second = (np.where(of_one, random.rand(100) < 0.8, shared) for _ in range(2))
        alarms += scored(first, second).why in ("gain", "loss")
    assert alarms <= 4
