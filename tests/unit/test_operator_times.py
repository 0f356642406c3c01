"""Which operators take longest."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from small_models import Builder

from zoomill.tflite import operator_times, small_weights, tflite_file


@pytest.fixture
def longest(tmp_path):
    """Return a function from a model to its operators that take longest."""

    def look(model, count=5):
        (tmp_path / "a.tflite").write_bytes(tflite_file.serialise(model))
        return operator_times.longest(tmp_path / "a.tflite", count)

    return look


def layers(*sizes):
    """Return fully connected layers one behind the other, named by their units."""
    builder = Builder()
    start = last = builder.tensor("x", [1, sizes[0]])
    for before, units in zip(sizes, sizes[1:], strict=False):
        weights = builder.tensor(f"weights {units}", np.ones((units, before), np.float32))
        end = builder.tensor(f"layer {units}", [1, units])
        builder.operator("FULLY_CONNECTED", [last, weights], [end], schema.FullyConnectedOptionsT())
        last = end
    return builder.build([start], [last])


def test_the_operator_with_the_most_work_comes_first_and_shares_add_up(longest):
    found = longest(layers(64, 50, 3000, 20))
    assert [entry["operator"] for entry in found] == ["FULLY_CONNECTED"] * 3
    assert found[-1]["tensor"] == "layer 50" and found[0]["share"] > 0.3
    assert sum(entry["share"] for entry in found) == pytest.approx(1, abs=0.01)
    shares = [entry["share"] for entry in found]
    assert shares == sorted(shares, reverse=True)


def test_no_more_are_told_than_asked_for(longest):
    assert len(longest(layers(8, 9, 10, 11, 12), count=2)) == 2


def test_what_widens_weights_once_belongs_to_who_reads_them(longest):
    model = layers(64, 50)
    small_weights.store(model, "float16")
    assert tflite_file.operators(model) == {"DEQUANTIZE": 1, "FULLY_CONNECTED": 1}
    assert longest(model) == [{"operator": "FULLY_CONNECTED", "tensor": "layer 50", "share": 1.0}]


def test_an_operator_that_cannot_be_run_alone_has_no_share(longest):
    model = layers(64, 50)
    index = len(model.subgraphs[0].tensors)
    builder = Builder()
    builder.graph, builder.model = model.subgraphs[0], model
    end = builder.tensor("strange", [1, 50])
    builder.operator("Strange", [index - 1], [end])
    found = longest(builder.build([0], [end]))
    assert [(entry["tensor"], entry["share"]) for entry in found] == [("layer 50", 1.0), ("strange", 0.0)]
