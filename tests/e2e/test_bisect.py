"""Where the error of a quantised file comes from: the error of every tensor, and the operators to leave in float."""

import json
import re

import numpy as np
import pytest
from conftest import copied
from rows import flag

from zoomill import files
from zoomill.tflite import metadata, tflite_file

MODEL = "digits_resnet8"
SAMPLES = ["--folder", "sources/digits", "--form", '{"reader": "npy", "label": "class"}']
CONTRACT = ["--contract", f"build/{MODEL}/main/contract.json"]
# What the damage is done to: a convolution and the one that alone reads what it makes.
GUILTY = ["digits_resnet8/re_lu_3/Relu_1", "digits_resnet8/batch_normalization_4/FusedBatchNormV3_1"]


@pytest.fixture(scope="session")
def run(starters, tmp_path_factory):
    """A finished run with an int8_mixed file and the errors of two other variants."""
    run = copied(starters, tmp_path_factory.mktemp("bisect") / "copy", MODEL)
    run.run(
        f"results/{MODEL}/main.int8_mixed.tflite",
        *(f"results/{MODEL}/main.{variant}.tensors.json" for variant in ("int8", "float16", "int8_mixed")),
    )
    return run


def read(run, name):
    return json.loads(run.file(f"results/{MODEL}/main.{name}.json").read_text())


def scale(model, tensor, channel, axis, factor):
    """Multiply one channel of a constant."""
    tensor = model.subgraphs[0].tensors[tensor]
    values = model.buffers[tensor.buffer].data.view(np.float32).reshape(tensor.shape).copy()
    values[(slice(None),) * axis + (channel,)] *= np.float32(factor)
    model.buffers[tensor.buffer].data = values.ravel().view(np.uint8)


@pytest.fixture(scope="session")
def damaged(run):
    """A float file with a channel whose values are 1024 times those of its neighbours, and the same outputs as before.

    A convolution makes them large and the next one makes them small again, as training sometimes does too. The other
    channels then have a handful of the 256 steps that int8 gives to the tensor.
    """
    model = tflite_file.read(run.file(f"results/{MODEL}/main.float32.tflite"))
    graph = model.subgraphs[0]
    made = {graph.tensors[operator.outputs[0]].name.decode(): operator for operator in graph.operators}
    first, second = (made[name] for name in GUILTY)
    assert first.outputs[0] == second.inputs[0]
    scale(model, first.inputs[1], channel=0, axis=0, factor=1024)
    scale(model, first.inputs[2], channel=0, axis=0, factor=1024)
    scale(model, second.inputs[1], channel=0, axis=3, factor=1 / 1024)
    contract = files.read_json(run.file(CONTRACT[1]))
    run.file("damaged.tflite").write_bytes(metadata.added(model, contract))


@pytest.fixture(scope="session")
def bisect(run, damaged, environment_python, command):
    """Return a function that bisects the damaged file, and returns record and bytes of both outputs."""
    python = environment_python("evaluate")
    given = ["--float", "damaged.tflite", *CONTRACT, *SAMPLES]

    def call(name, *arguments):
        process = command(python, name, *given, *arguments, cwd=run.folder)
        assert process.returncode == 0, process.stderr

    samples = ["--samples", f"build/{MODEL}/calibration.csv"]
    call("calibrate", *samples, "--output", "damaged.calibration.json")

    def once():
        outputs = {"--output": run.file("mixed.tflite"), "--output-record": run.file("mixed.json")}
        flags = ["--calibration", "damaged.calibration.json", "--samples", f"build/{MODEL}/evaluation.csv"]
        flags += ["--metric", '{"name": "top_k"}', "--drop", "0.01", "--variant", flag("int8_mixed")]
        call("bisect_quantisation", *flags, *(part for pair in outputs.items() for part in pair))
        contents = [path.read_bytes() for path in outputs.values()]
        return json.loads(contents[1]), contents

    return once


@pytest.fixture(scope="session")
def found(bisect):
    """What the bisection of the damaged file gave."""
    return bisect()


def test_the_damage_breaks_int8_and_nothing_else(run, found):
    figures, healthy = found[0]["figures"], read(run, "int8_mixed")["figures"]
    assert figures["float32"] == healthy["float32"]
    assert figures["int8"]["all"] < 0.5 < 0.95 < healthy["int8"]["all"]


def test_the_guilty_operators_and_no_others_are_left_in_float(found):
    record = found[0]
    assert sorted(operator["tensor"] for operator in record["in_float"]) == sorted(GUILTY)
    assert {operator["operator"] for operator in record["in_float"]} == {"CONV_2D"}
    assert sorted(noisy["tensor"] for noisy in record["noise"][:2]) == sorted(GUILTY)


def test_the_mixed_file_keeps_to_the_drop_on_samples_that_did_not_decide(found):
    record = found[0]
    figures = record["figures"]
    assert record["passed"] and record["loss"] == figures["float32"]["rest"] - figures["int8_mixed"]["rest"] <= 0.01
    assert figures["int8"]["bytes"] < figures["int8_mixed"]["bytes"] < figures["float32"]["bytes"]


def test_whether_it_differs_from_float32_is_told_of_the_samples_that_did_not_decide(found):
    figures, compared = found[0]["figures"], found[0]["against_float32"]
    rest = figures["int8_mixed"]["rest"] - figures["float32"]["rest"]
    assert compared["difference"] == pytest.approx(rest, abs=1e-12) and compared["verdict"] == "not told apart"
    assert re.fullmatch("top_1 of int8_mixed against float32: .+, not told apart", compared["told"])


def test_every_step_of_the_search_is_recorded(found):
    record = found[0]
    steps = record["steps"]
    assert steps[0]["in_float"] == [] and steps[0]["loss"] > record["drop"]
    (last,) = [step for step in steps if step["loss"] <= record["drop"]]
    assert sorted(last["in_float"]) == sorted(GUILTY)
    assert last["bytes"] == record["figures"]["int8_mixed"]["bytes"]


def test_the_same_search_gives_the_same_bytes(bisect, found):
    assert bisect()[1] == found[1]


def test_where_int8_is_good_enough_nothing_is_left_in_float(run):
    record = read(run, "int8_mixed")
    assert record["in_float"] == [] and record["passed"] and len(record["steps"]) == 1
    files = [run.file(f"results/{MODEL}/main.{variant}.tflite").read_bytes() for variant in ("int8", "int8_mixed")]
    assert files[0] == files[1]


def test_a_search_needs_samples_for_both_halves(run, bisect, environment_python, command):
    lines = run.file(f"build/{MODEL}/evaluation.csv").read_text().splitlines(keepends=True)
    run.file("one.csv").write_text("".join(lines[:2]))
    flags = ["--calibration", "damaged.calibration.json", "--samples", "one.csv", "--metric", '{"name": "top_k"}']
    flags += [
        "--drop",
        "0.01",
        "--variant",
        flag("int8_mixed"),
        "--output",
        "one.tflite",
        "--output-record",
        "one.json",
    ]
    arguments = ["--float", "damaged.tflite", *CONTRACT, *SAMPLES, *flags]
    process = command(environment_python("evaluate"), "bisect_quantisation", *arguments, cwd=run.folder)
    assert process.returncode == 1 and not run.file("one.tflite").exists()
    assert process.stderr.splitlines()[-1] == (
        f"error: {MODEL}: main.int8_mixed: needs at least two evaluation samples, one half to decide and one to report"
    )


def test_every_float_tensor_is_compared_worst_first(run):
    document = read(run, "int8.tensors")
    ratios = [row["sqnr"] for row in document["tensors"]]
    assert document["samples"] == 16 and document["unmatched"] == []
    assert ratios == sorted(ratios) and ratios[0] > 15
    assert {row["dtype"] for row in document["tensors"]} == {"int8"}
    assert all(0.3 < row["range_used"] <= 1 for row in document["tensors"])
    # A softmax always has steps of 1/256, so 1 itself is out of range.
    assert [row["tensor"] for row in document["tensors"] if row["clipped"] > 0.01] == ["probabilities"]


def test_float16_has_hardly_any_error_and_no_integers(run):
    document = read(run, "float16.tensors")
    assert document["tensors"][0]["sqnr"] > 55 and document["unmatched"] == []
    assert all("range_used" not in row for row in document["tensors"])


def test_the_plot_is_small_and_the_same_every_time(run, environment_python, command):
    plot = run.file(f"results/{MODEL}/main.int8.tensors.png")
    results = f"results/{MODEL}/main"
    flags = ["--quantised", f"{results}.int8.tflite", *CONTRACT, *SAMPLES, "--golden", f"build/{MODEL}/main/golden.npz"]
    flags += [
        "--samples",
        f"build/{MODEL}/evaluation.csv",
        "--limit",
        "16",
        "--output",
        "a.json",
        "--output-plot",
        "a.png",
    ]
    process = command(
        environment_python("evaluate"),
        "compare_tensors",
        "--float",
        f"{results}.float32.tflite",
        *flags,
        cwd=run.folder,
    )
    assert process.returncode == 0, process.stderr
    assert run.file("a.png").read_bytes() == plot.read_bytes()
    assert len(plot.read_bytes()) < 60_000 and b"tEXt" not in plot.read_bytes()


def test_a_model_without_evaluation_samples_is_compared_on_its_golden_inputs(run, environment_python, command):
    golden = f"build/{MODEL}/main/golden.npz"
    results = f"results/{MODEL}/main"
    files = ["--float", f"{results}.float32.tflite", "--quantised", f"{results}.int8.tflite", *CONTRACT]
    flags = ["--samples", "--folder", "--form", "{}", "--golden", golden, "--limit", "16"]
    outputs = ["--output", "golden.json", "--output-plot", "golden.png"]
    process = command(environment_python("evaluate"), "compare_tensors", *files, *flags, *outputs, cwd=run.folder)
    assert process.returncode == 0, process.stderr
    with np.load(run.file(golden)) as arrays:
        inputs = json.loads(run.file(f"build/{MODEL}/main/contract.json").read_text())["inputs"]
        count = len(arrays[inputs[0]["tensor"]])
    assert json.loads(run.file("golden.json").read_text())["samples"] == count
