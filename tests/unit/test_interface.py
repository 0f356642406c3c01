"""What a card says of the inputs and outputs of a model, as the report on its file tells them."""

from pathlib import Path

import pytest

from zoomill.plan import interface, model_files


def graph(name, **signatures):
    """Return the graph of a report of a SavedModel."""
    tensor = {"name": "x", "tensor": "x:0", "dtype": "float32", "shape": [-1, 2]}
    found = [{"name": key, "inputs": [tensor], "outputs": [tensor]} for key in signatures]
    return {"name": name, "signatures": found, "quantisation": [], "custom_operators": {}}


@pytest.mark.parametrize(
    "graphs, options, asked",
    [
        ([graph("serve", serving_default=1)], {}, set()),
        ([graph("", default=1)], {"tags": [], "signature": "default"}, set()),
        ([graph("train, x", a=1, b=1)], {"tags": ["train", "x"], "signature": "a"}, {"signature"}),
        ([graph("train", a=1), graph("serve", serving_default=1)], {}, {"tags"}),
        ([graph("serve")], {"signature": "__call__"}, set()),
    ],
)
def test_tags_and_signature_of_a_saved_model_are_chosen_and_others_named(graphs, options, asked):
    model = model_files.Model({"kind": "saved_model", "path": "."}, Path(), [], {"graphs": graphs})
    found, inputs, _, questions = interface.describe(model)
    assert found == options and set(questions) == asked
    assert [entry for entry, _ in inputs] == ([] if "__call__" in options.values() else [interface_entry()])


def interface_entry():
    return {"name": "x", "dtype": "float32", "shape": [1, 2]}


def test_torchscript_asks_for_its_inputs_before_it_is_built():
    model = model_files.Model({"kind": "pytorch", "path": "a.pt"}, Path(), [], {"graphs": [graph("")]})
    assert "before you build it" in interface.describe(model)[3]["inputs"]


def test_a_frozen_graph_ends_at_the_tensors_that_the_report_tells():
    sides = [{"name": name, "tensor": f"{name}:0", "dtype": "float32", "shape": None} for name in ("a/in", "b/out")]
    one = graph("") | {"signatures": [{"name": None, "inputs": sides[:1], "outputs": sides[1:]}]}
    model = model_files.Model({"kind": "frozen_graph", "path": "a.pb"}, Path(), [], {"graphs": [one]})
    options, ((entry, asked),), _, _ = interface.describe(model)
    assert options == {"input_tensors": {"in": "a/in"}, "output_tensors": {"out": "b/out"}}
    assert entry == {"name": "in", "dtype": "float32"} and asked == [
        "Its sizes are not told: add `shape: [1, …]` before you build it."
    ]


@pytest.mark.parametrize(
    "kind, customs, key, asked",
    [
        ("frozen_graph", {}, "output_tensors", "boxes after NMS, which TFLite cannot have: before you build it"),
        ("tflite", {"Mine": 1}, "files", "it needs Mine, which no TensorFlow graph has: before you build it"),
    ],
)
def test_ends_that_no_artifact_can_have_are_asked(kind, customs, key, asked):
    sides = [{"name": name, "tensor": name, "dtype": "float32", "shape": [1, 4]} for name in ("x", "detection_boxes")]
    signature = {"name": None, "inputs": sides[:1], "outputs": sides[1:]}
    one = graph("") | {"signatures": [signature], "custom_operators": customs}
    model = model_files.Model({"kind": kind, "path": "a"}, Path(), [], {"graphs": [one]})
    _, _, outputs, questions = interface.describe(model)
    assert questions[key].startswith(asked)
    assert bool(outputs) is not bool(customs)
