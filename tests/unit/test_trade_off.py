"""Which artifacts none beats for less."""

from zoomill.pages import trade_off


def row(name, size, value, latency=None, state="passed", more_is_better=True):
    metric = {"value": value, "more_is_better": more_is_better}
    return {"artifact": name, "bytes": size, "latency": latency, "metric": metric, "state": state}


def names(rows, *cost):
    return [found["artifact"] for found in trade_off.front(rows, *cost)]


def test_what_is_larger_and_no_better_is_left_out():
    rows = [row("big", 9, 0.9), row("same", 8, 0.5), row("small", 2, 0.5), row("worse", 3, 0.4), row("twin", 9, 0.8)]
    assert names(rows) == ["small", "big"]


def test_of_some_metrics_less_is_better():
    rows = [row("big", 9, 0.1, more_is_better=False), row("small", 2, 0.5, more_is_better=False)]
    assert names([*rows, row("worse", 3, 0.6, more_is_better=False)]) == ["small", "big"]


def test_what_did_not_pass_is_no_best():
    assert names([row("failed", 1, 1, state="failed"), row("untested", 1, 1, state="untested"), row("ok", 2, 0.5)]) == [
        "ok"
    ]


def test_what_was_not_timed_is_left_out_where_time_counts():
    assert names([row("untimed", 1, 1), row("slow", 2, 0.9, 3.0), row("quick", 3, 0.8, 1.0)], "latency") == [
        "quick",
        "slow",
    ]
