"""How much is scored, by the configuration."""

import types

import pytest

from zoomill.plan.scoring import Scoring

CATALOGUE = {"small": {"drop": {"int8": 0.02}}}
CARD = {"source": {"kind": "tf1_detection"}, "toco": {}, "tfjs": {}}


@pytest.mark.parametrize(
    "evaluate, variant, flags",
    [
        (True, "int8", []),
        ("until_clear", "int8", ["--until-clear", '{"drop": 0.02}']),
        ("until_clear", "dynamic", ["--until-clear", "{}"]),
    ],
)
def test_scoring_stops_where_it_is_asked_by_the_loss_that_the_card_allows(evaluate, variant, flags):
    scoring = Scoring({"evaluate": evaluate}, CATALOGUE, {}, None)
    assert scoring.until_clear(types.SimpleNamespace(model="small", variant=variant)) == flags


@pytest.mark.parametrize(
    "changes, found",
    [
        ({}, "build/one/detect_cut/int8.heads.zip"),
        ({"variant": "toco_float32"}, "build/one/detect_cut/toco_float32.heads.zip"),
        ({"graph": "detect_own"}, "build/one/detect_cut/int8.heads.zip"),
        ({"graph": "detect_cut"}, []),
        ({"graph": "main"}, []),
        ({"graph": "source", "variant": "given"}, []),
        ({"kernels": ".micro"}, []),
        ({"evaluate": "until_clear"}, []),
        ({"variant": "int16x8"}, []),
    ],
)
def test_graphs_behind_a_network_are_scored_on_what_it_gave_where_all_samples_are_run_by_the_usual_kernels(
    changes, found
):
    card = {**CARD, "calibration": "random", "tflite": ["int8", "toco_float32"]}
    scoring = Scoring({"evaluate": changes.pop("evaluate", True)}, {"one": card}, {}, None)
    asked = {"model": "one", "graph": "detect_fast", "variant": "int8", "kernels": "", **changes}
    assert scoring.heads(types.SimpleNamespace(**asked)) == found
