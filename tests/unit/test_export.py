"""What exporters of single graphs share."""

import pytest

from zoomill.errors import UserError
from zoomill.graph import export, predictions
from zoomill.graph.source import Source, Tensor, promises

NOTHING_EXPECTED = {"inputs": [], "outputs": []}
QUANTISED = Tensor("x", "x:0", "float32", (1, 4), {"value_range": [-1, 1], "meaning": "what the source says"})


def test_samples_are_given_to_the_integers_themselves(monkeypatch):
    given = []
    monkeypatch.setattr(predictions, "write", lambda path, samples, promises, run, batched: given.append(run))
    for source in (Source(None, [], [], "floats", rounded="integers"), Source(None, [], [], "floats")):
        export.predict(source, NOTHING_EXPECTED, None, "predictions.npz")
    assert given == ["integers", "floats"]


def test_what_a_source_knows_of_itself_holds_where_the_card_says_nothing():
    (entry,) = promises("input", [QUANTISED], [])
    assert entry["value_range"] == [-1, 1]
    (entry,) = promises("input", [QUANTISED], [{"value_range": [0, 255]}])
    assert entry["value_range"] == [0, 255]
    (entry,) = promises("output", [QUANTISED], [{}])
    assert entry["meaning"] == "what the source says" and "value_range" not in entry
    (entry,) = promises("output", [QUANTISED], [{"value_range": [0, 1]}])
    assert entry["value_range"] == [0, 1]


@pytest.mark.parametrize("count", [1, 3])
def test_a_card_with_another_number_of_inputs_is_refused_whatever_the_source_knows(count):
    with pytest.raises(UserError, match=f"the card has {count} inputs, the source 2"):
        promises("input", [QUANTISED, QUANTISED], [{}] * count)


def test_an_input_of_unknown_rank_may_be_a_scalar():
    scalar = Tensor("ratio", "ratio:0", "float32", None)
    assert promises("input", [scalar], [{"shape": []}])[0]["shape"] == []
    with pytest.raises(UserError, match="leaves its shape open"):
        promises("input", [scalar], [])


def test_an_input_of_texts_is_refused_with_what_to_export():
    with pytest.raises(UserError, match="input names: is of string; .* export a function without it"):
        promises("input", [Tensor("names", "names:0", "string", (1, 3))], [])
