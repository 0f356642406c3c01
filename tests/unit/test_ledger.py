"""A ledger adds up, names the step that loses, and tells what could not be measured."""

import numpy as np
import pytest

from zoomill.errors import UserError
from zoomill.evaluation import harness, ledger, metrics, resampling
from zoomill.evaluation.told import told

CONTRACT = {"inputs": [{"tensor": "x"}], "outputs": [{"name": "y"}], "labels": [], "label_offset": 0}
SETTING = metrics.Setting(CONTRACT, None, "")
TOP = metrics.metric(SETTING, "top_k")
ERROR = metrics.metric(SETTING, "landmarks")
RIGHT = np.arange(100) < 90


def point(title, rows, reason=None, end="npy"):
    return ledger.Point(title, [{"name": f"{place}.{end}", **row} for place, row in enumerate(rows)], reason, title)


def top(title, flags, **more):
    return point(title, [{"rank": int(not flag)} for flag in flags], **more)


def refused(title, reason):
    return point(title, [], reason)


STEPS = [
    top("source", RIGHT),
    top("conversion", RIGHT & (np.arange(100) % 9 > 0)),
    refused("max detections 3", "cannot be had"),
    top("int8", RIGHT & (np.arange(100) % 9 > 0) & (np.arange(100) != 4)),
]
OTHERS = [top("XNNPACK", RIGHT), refused("TFLite Micro", "refuses it"), refused("fast NMS", harness.SO_ALREADY)]


@pytest.fixture(scope="module")
def found():
    return ledger.of(TOP, STEPS, OTHERS, [("webgl", "is not run")])


def test_the_steps_add_up_to_the_whole(found):
    assert [row["title"] for row in found["steps"]] == ["conversion", "int8"]
    assert sum(row["difference"] for row in found["steps"]) == pytest.approx(found["whole"]["difference"], abs=1e-12)
    assert found["whole"]["difference"] == pytest.approx(found["whole"]["value"] - found["first"]["value"]) != 0


def test_the_step_that_loses_is_told_from_one_that_may_not(found):
    assert [row["verdict"] for row in found["steps"]] == ["loss", "not told apart"]
    assert found["whole"]["verdict"] == "loss"


def test_what_is_otherwise_is_compared_with_the_artifact(found):
    (other,) = found["others"]
    assert other["verdict"] == "gain" and other["difference"] == pytest.approx(0.11)


def test_what_is_not_measured_has_a_reason_and_what_is_so_already_is_left_out(found):
    titles = [(row["title"], row["reason"]) for row in found["unmeasured"]]
    assert titles == [("max detections 3", "cannot be had"), ("TFLite Micro", "refuses it"), ("webgl", "is not run")]


def test_of_an_error_less_is_better():
    steps = [point(name, [{"error": value} for _ in range(9)]) for name, value in (("source", 1.0), ("int8", 1.5))]
    found = ledger.of(ERROR, steps, [], [])
    assert found["whole"]["difference"] == -0.5 and found["whole"]["value"] == 1.5
    assert found["whole"]["verdict"] == "loss"


def test_an_artifact_without_a_source_has_no_whole():
    found = ledger.of(TOP, STEPS[:1], OTHERS, [])
    assert found["steps"] == [] and found["whole"] is None and len(found["others"]) == 1


@pytest.mark.parametrize("end, titles", [("JPG", ["JPEG decoded by TensorFlow", "XNNPACK"]), ("png", ["XNNPACK"])])
def test_where_nothing_is_jpeg_no_other_decoder_of_it_is_a_row(end, titles):
    others = [top(title, RIGHT, end=end) for title in ("JPEG decoded by TensorFlow", "XNNPACK")]
    found = ledger.of(TOP, [top("source", RIGHT, end=end)], others, [])
    assert [row["title"] for row in found["others"]] == titles


@pytest.mark.parametrize("side", ["steps", "others"])
def test_rows_of_other_samples_are_refused(side):
    rows = {"steps": [STEPS[0]], "others": []}
    rows[side] = [*rows[side], top("int8", RIGHT[1:])]
    with pytest.raises(UserError, match="^int8: is of other samples than source$"):
        ledger.of(TOP, rows["steps"], rows["others"], [])


def test_the_table_marks_what_is_not_told_apart(found):
    text = ledger.text({**found, "model": "m", "graph": "main", "variant": "int8", "figure": "top_1", "samples": 100})
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")]
    rows = {cells[0]: cells[1:] for cells in lines}
    assert rows["source"][0] == "0.9000" and rows["whole"][1] == "-0.1100"
    assert rows["conversion"][1::3] == ["-0.1000", "loss"] and rows["int8"][1::3] == ["~-0.0100", ""]
    assert rows["TFLite Micro"] == ["refuses it"]
    assert "\ntop_1 of main.int8 against source: -0.1100, between " in text


@pytest.mark.parametrize(
    "compared, said",
    [
        ((0.02, (-0.01, 0.05), 0.3, "not told apart"), "+0.0200, between -0.0100 and +0.0500; p 0.300, not told apart"),
        ((-0.02, (-0.05, -0.01), 0.002, "loss"), "-0.0200, between -0.0500 and -0.0100; p 0.002, a loss"),
        ((0.0, None, 1.0, "not told apart"), "+0.0000; p 1.000, not told apart"),
        ((-1e-9, (-1e-9, 0.0), 0.9, "not told apart"), "+0.0000, between +0.0000 and +0.0000; p 0.900, not told apart"),
    ],
)
def test_a_comparison_is_told_in_a_sentence(compared, said):
    found = resampling.Comparison(*compared)
    assert told("map", "float32", "int8", found) == told("map", "float32", "int8", found._asdict())
    assert told("map", "float32", "int8", found) == f"map of int8 against float32: {said}"
