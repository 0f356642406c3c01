"""A detector's file is scored by its last operator alone where its network is the one that was run, and else whole."""

import argparse

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from small_models import Builder, heads_contract, options

from evaluate_tflite import running
from zoomill.detection import nms
from zoomill.errors import UserError
from zoomill.tflite import kept_heads, last_operator, runtime, tflite_file

BOXES, INPUTS = 20, [{"name": "image", "tensor": "image", "dtype": "float32", "shape": [1, 4]}]
ANCHORS = np.random.default_rng(1).uniform(0.2, 0.8, (BOXES, 4)).astype(np.float32)
CUT = {
    "inputs": INPUTS,
    "outputs": [{"name": f"raw_{name}", "tensor": name, "dtype": "float32"} for name in ("boxes", "scores")],
}
FEEDS = [{"image": row[None]} for row in np.random.default_rng(2).normal(size=(5, 4)).astype(np.float32)]


def network(integers=False, last="LOGISTIC"):
    """Return a network with raw heads of 20 boxes, which are rounded to integers on their way."""
    random, builder = np.random.default_rng(0), Builder()
    start, ends = builder.tensor("image", [1, 4]), []
    for name in ("boxes", "scores"):
        weights = builder.tensor(f"{name}/weights", random.normal(size=(4 * BOXES, 4)).astype(np.float32))
        flat = builder.tensor(f"{name}/flat", [1, 4 * BOXES])
        builder.operator("FULLY_CONNECTED", [start, weights, -1], [flat], schema.FullyConnectedOptionsT())
        if integers:
            rounded = builder.quantised(f"{name}/rounded", [1, 4 * BOXES], 0.1, 0)
            real = builder.tensor(f"{name}/real", [1, 4 * BOXES])
            builder.operator("QUANTIZE", [flat], [rounded], schema.QuantizeOptionsT())
            builder.operator("DEQUANTIZE", [rounded], [real], schema.DequantizeOptionsT())
            flat = real
        shaped = builder.tensor(f"{name}/shaped" if name == "scores" else name, [1, BOXES, 4])
        shape = builder.tensor(f"{name}/shape", np.array([1, BOXES, 4], np.int32))
        builder.operator("RESHAPE", [flat, shape], [shaped], schema.ReshapeOptionsT())
        ends.append(shaped)
    ends.append(builder.tensor("scores", [1, BOXES, 4]))
    builder.operator(last, [ends[1]], [ends[2]])
    return builder.build([start], [ends[0], ends[2]])


def grafted(model, anchors=ANCHORS, **changes):
    """Return the bytes of a model with the op behind it, and its contract."""
    tflite_file.append_postprocess(model, anchors, options(**changes))
    return tflite_file.serialise(model), {**heads_contract(options(**changes), BOXES), "inputs": INPUTS}


def parsed(data):
    return tflite_file.parse(data, "a.tflite")


def told(data):
    """Return the network of a file without its last operator."""
    return last_operator.Behind(parsed(data), None).network


@pytest.fixture
def scored(tmp_path):
    """Return a function that runs a file on what a network gave: rows, those of the whole file, and its runs."""

    def run(cut, data, contract, **other):
        flags = {"kernels": "builtin", "threads": 1, "artifact": "a.tflite", "until_clear": None}
        flags = {**flags, "heads": None, "output_heads": None}
        path, first = tmp_path / "heads.zip", runtime.Artifact(tflite_file.serialise(cut), contract=CUT)
        keep = argparse.Namespace(**{**flags, "output_heads": path, **other})
        with running(keep, lambda feed: first(CUT, feed), tflite_file.serialise(cut), CUT) as keeping:
            [keeping(feed) for feed in FEEDS]
        whole, runs = runtime.Artifact(data, contract=contract), []
        with running(
            argparse.Namespace(**{**flags, "heads": path}),
            lambda feed: runs.append(feed) or whole(contract, feed),
            data,
            contract,
        ) as behind:
            found = [behind(feed) for feed in FEEDS]
        return found, [whole(contract, feed) for feed in FEEDS], runs

    return run


def same(found, expected):
    rows, known = ([vars(nms.of_outputs(row, options())) for row in rows] for rows in (found, expected))
    pairs = zip(rows, known, strict=True)
    return all(row[name].tobytes() == other[name].tobytes() for row, other in pairs for name in other)


@pytest.mark.parametrize("integers", [False, True])
@pytest.mark.parametrize("regular", [False, True])
@pytest.mark.parametrize("threshold", [0.0, 0.9])
def test_the_last_operator_gives_what_the_file_gives_which_runs_twice(scored, integers, regular, threshold):
    data, contract = grafted(network(integers), use_regular_nms=regular, nms_score_threshold=threshold)
    found, expected, runs = scored(network(integers), data, contract)
    assert same(found, expected) and len(runs) == 2 and runs[0] is FEEDS[0] and runs[1] is FEEDS[-1]
    assert expected[0]["num_detections"] > 0 and not same(found[:1], expected[1:2])


def test_its_anchors_and_its_threshold_are_those_of_the_file(scored):
    usual, contract = grafted(network())
    for data in (grafted(network(), ANCHORS[::-1])[0], grafted(network(), nms_score_threshold=0.97)[0]):
        found, expected, runs = scored(network(), data, contract)
        assert same(found, expected) and len(runs) == 2
        assert not same(found, scored(network(), usual, contract)[0])


def change_constant(model):
    buffer = model.buffers[1]
    buffer.data = buffer.data.copy()
    buffer.data[2] ^= 1


def change_option(model):
    model.subgraphs[0].operators[0].builtinOptions.fusedActivationFunction = 1


def change_version(model):
    model.operatorCodes[0].version = 2


def change_shape(model):
    model.subgraphs[0].tensors[0].shape = [1, 4, 1]


def change_scale(model):
    next(one for one in model.subgraphs[0].tensors if one.name == b"boxes/rounded").quantization.scale[0] = 0.2


def swap_heads(model):
    model.subgraphs[0].outputs = model.subgraphs[0].outputs[::-1]


@pytest.mark.parametrize(
    "change", [change_constant, change_option, change_version, change_shape, change_scale, swap_heads]
)
def test_another_network_is_told_apart_and_the_file_runs_itself(change):
    data, _ = grafted(network(integers=True))
    other = network(integers=True)
    assert last_operator.network(other) == told(data)
    change(other)
    assert last_operator.network(other) not in (told(data), None)


def test_the_file_itself_runs_where_another_network_was_run_or_nothing_kept(scored):
    data, contract = grafted(network())
    for cut, other in ((network(last="RELU"), {}), (network(), {"until_clear": {}}), (network(), {"threads": 2})):
        found, expected, runs = scored(cut, data, contract, **other)
        assert same(found, expected) and len(runs) == len(FEEDS)


@pytest.mark.parametrize("other", [{"kernels": "micro"}, {"until_clear": {}}])
def test_nothing_is_kept_that_nobody_asks_for(scored, tmp_path, other):
    scored(network(), *grafted(network()), **other)
    kept = kept_heads.Kept(tmp_path / "heads.zip")
    assert (kept.of, kept.rows) == (None, 0)


def test_names_metadata_and_the_order_of_tensors_and_buffers_do_not_count():
    model = network()
    model.buffers[1], model.buffers[3] = model.buffers[3], model.buffers[1]
    for tensor in model.subgraphs[0].tensors:
        tensor.buffer = {1: 3, 3: 1}.get(tensor.buffer, tensor.buffer)
    first, second = model.subgraphs[0].tensors[1:3]
    model.subgraphs[0].tensors[1:3] = second, first
    operators = model.subgraphs[0].operators
    operators[0].inputs, operators[0].outputs, operators[1].inputs = [0, 2, -1], [1], [1, *operators[1].inputs[1:]]
    model.description, first.name = b"another", b"renamed"
    assert last_operator.network(parsed(tflite_file.serialise(model))) == told(grafted(network())[0])


def test_what_has_no_network_before_its_last_operator_has_none():
    several, more = network(), parsed(grafted(network())[0])
    other = parsed(grafted(network())[0])
    several.subgraphs.append(several.subgraphs[0])
    other.operatorCodes[-1].customCode = b"Other_PostProcess"
    more.subgraphs[0].outputs = [*more.subgraphs[0].outputs, 0]
    whole = parsed(grafted(network(integers=True))[0])
    graph = whole.subgraphs[0]
    graph.tensors[int(graph.operators[-1].inputs[0])].type = schema.TensorType.UINT8
    assert last_operator.network(several) is None
    assert [last_operator.Behind(one, None).network for one in (more, whole, other)] == [None] * 3


@pytest.mark.parametrize("place", [0, -1])
def test_a_row_that_is_not_what_the_file_gives_is_an_error(tmp_path, place):
    data, contract = grafted(network())
    cut = runtime.Artifact(tflite_file.serialise(network()), contract=CUT)
    with kept_heads.keeping(tmp_path / "heads.zip", lambda feed: cut(CUT, feed), {"network": "x"}) as keeping:
        for feed in FEEDS:
            keeping(feed)
    whole, last = runtime.Artifact(data, contract=contract), FEEDS[place]
    run = last_operator.Behind(parsed(data), contract).runner(
        kept_heads.Kept(tmp_path / "heads.zip"),
        lambda feed: whole(contract, {"image": feed["image"] + (feed is last)}),
    )
    with pytest.raises(UserError, match="its last operator alone does not find what the whole file finds"):
        for feed in FEEDS:
            run(feed)
