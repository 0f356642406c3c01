"""How much is scored, by the configuration."""

import types

import pytest

from zoomill.plan.scoring import Scoring

CATALOGUE = {"small": {"drop": {"int8": 0.02}}}


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
