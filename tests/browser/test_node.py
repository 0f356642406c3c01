"""TensorFlow.js models in Node: what they give, what they leave behind, and what is said of those that do not run."""

import json
import sys

import numpy as np
import pytest
import small_graph_models as models

from zoomill import files
from zoomill.errors import UserError
from zoomill.inputs import samples
from zoomill.tfjs import tfjs_runtime

LIMITS = {"sqnr": 60, "share": 1e-3, "decisions": 1}
each_backend = pytest.mark.parametrize("backend", tfjs_runtime.BACKENDS)


@pytest.fixture
def run(javascript):
    """Return a function that runs a model three times on each of three inputs."""

    def run(folder, backend="cpu", outputs=None, inputs=models.INPUTS, dtype="float32"):
        contract = models.contract(outputs or {"y": [1, 3]}, dtype)
        return tfjs_runtime.run_golden(folder, contract, {"x": inputs}, backend, javascript, 9)

    return run


@each_backend
def test_a_model_gives_its_outputs_and_leaves_nothing_behind(run, tmp_path, backend):
    measured = run(models.product(tmp_path / "m"), backend)
    for found, given in zip(measured["outputs"], models.INPUTS, strict=True):
        np.testing.assert_allclose(found["y"], given @ models.WEIGHT, rtol=1e-5)
    assert measured["tensors"] == {"before": 0, "loaded": 1, "after_runs": 1, "after_dispose": 0}
    assert measured["runs"] == 9 and measured["execution"] == "sync"


@each_backend
def test_an_output_that_is_a_weight_survives_the_runs(run, tmp_path, backend):
    measured = run(models.constant(tmp_path / "m"), backend, {"y": [1, 3], "w": [4, 3]})
    assert all(np.array_equal(found["w"], models.WEIGHT) for found in measured["outputs"])
    assert tfjs_runtime.leaks(measured["tensors"]) == []


@each_backend
def test_a_graph_with_shapes_that_depend_on_values_is_run_asynchronously(run, tmp_path, backend):
    measured = run(models.chosen(tmp_path / "m"), backend)
    assert measured["execution"] == "async" and tfjs_runtime.leaks(measured["tensors"]) == []
    for found, given in zip(measured["outputs"], models.INPUTS, strict=True):
        assert np.array_equal(found["y"], np.argwhere(given > 0))


@each_backend
def test_floats_arrive_as_floats_where_the_backend_keeps_integers(run, tmp_path, backend):
    integers = np.array([[[1, -2, 300, 40000]]], np.int32)
    measured = run(models.cast(tmp_path / "m"), backend, {"y": models.SHAPE}, integers, "int32")
    assert measured["outputs"][0]["y"].dtype == np.float32
    assert measured["outputs"][0]["y"].tolist() == integers[0].tolist()


@each_backend
def test_operators_that_a_folder_brings_along_are_registered(run, tmp_path, backend):
    measured = run(models.twice(tmp_path / "m"), backend, {"y": models.SHAPE})
    np.testing.assert_array_equal(measured["outputs"][1]["y"], models.INPUTS[1] * 2)


def test_a_model_that_does_not_run_says_why(run, tmp_path):
    with pytest.raises(tfjs_runtime.CannotRun, match="m/model.json: TensorFlow.js cannot run it: .*Twice"):
        run(models.twice(tmp_path / "m", operators=None), outputs={"y": models.SHAPE})


def test_an_output_that_the_signature_lacks_is_named(run, tmp_path):
    with pytest.raises(UserError, match="m: the signature of its model.json has no output scores"):
        run(models.product(tmp_path / "m"), outputs={"scores": [1, 3]})


def test_a_backend_that_cannot_be_had_is_an_error(run, tmp_path):
    with pytest.raises(tfjs_runtime.CannotRun, match="'webgl' not found"):
        run(models.product(tmp_path / "m"), "webgl")


def test_node_that_is_not_there_is_said_in_one_line():
    with pytest.raises(
        UserError, match="^nowhere/node: is not there .*; restore it by `snakemake -j1 --force nowhere/node`$"
    ):
        tfjs_runtime.run_in_node({"library": "nowhere"})


# Registers an operator that doubles 32 times and then changes the sign, as long as its process lives.
FICKLE = 'let calls = 0; tf.registerOp("Twice", (node) => tf.mul(node.inputs[0], (calls += 1) > 32 ? -1 : 2));\n'
# Registers one that fails when it is called again.
SPENT = 'let left = 1; tf.registerOp("Twice", ({ inputs }) => inputs[(left -= 1) ? 9 : 0].clone());\n'


def test_one_process_runs_all_backends_and_goes_on_after_one_that_fails(javascript, tmp_path):
    folder, contract = models.product(tmp_path / "m"), models.contract({"y": [1, 3]})
    with tfjs_runtime.node(javascript) as ask:

        def run(backend):
            return tfjs_runtime.run_golden(folder, contract, {"x": models.INPUTS}, backend, javascript, 1, ask)

        first = run("wasm")
        with pytest.raises(tfjs_runtime.CannotRun, match="'webgl' not found"):
            run("webgl")
        last = run("cpu")
    for measured in (first, last):
        assert measured["tensors"] == {"before": 0, "loaded": 1, "after_runs": 1, "after_dispose": 0}
        np.testing.assert_allclose(measured["outputs"][0]["y"], models.INPUTS[0] @ models.WEIGHT, rtol=1e-5)


def test_node_does_not_load_its_client_of_the_network(opened, tmp_path):
    with opened(models.twice(tmp_path / "m", ONLINE)) as counted:
        assert counted({"x": np.ones((1, 4), np.float32)})["y"][0, 0] == 0


# Registers one that multiplies by how many parts of Node's client of the network were loaded.
ONLINE = """
const loaded = process.moduleLoadList.filter((name) => name.includes("undici")).length;
tf.registerOp("Twice", ({ inputs }) => tf.mul(inputs[0], loaded));
"""


@pytest.fixture
def opened(javascript):
    """Return a function that opens a model whose output is like its input, of some number of values."""

    def opened(folder, values=4, backend="cpu"):
        contract = models.contract({"y": [1, values]})
        contract["inputs"][0]["shape"] = [1, values]
        return tfjs_runtime.opened(folder, contract, backend, javascript)

    return opened


def test_one_process_runs_one_input_after_another_to_the_same_bits(run, opened, tmp_path):
    folder = models.product(tmp_path / "m")
    expected = run(folder)["outputs"]
    with opened(folder) as product:
        assert [product({"x": given})["y"].tobytes() for given in models.INPUTS] == [
            found["y"].tobytes() for found in expected
        ]
    with opened(models.twice(tmp_path / "fickle", FICKLE)) as fickle:
        factors = [fickle({"x": np.ones((1, 4), np.float32)})["y"][0, 0] for _ in range(34)]
    assert factors == [2] * 32 + [-1] * 2


def test_a_model_that_fails_midway_says_why_from_then_on(opened, tmp_path):
    with opened(models.twice(tmp_path / "m", SPENT)) as spent:
        spent({"x": models.INPUTS[0]})
        for given in models.INPUTS[1:]:
            with pytest.raises(tfjs_runtime.CannotRun, match="m/model.json: TensorFlow.js cannot run it: .*undefined"):
                spent({"x": given})


def test_an_input_that_is_not_read_any_more_says_why_too(opened, tmp_path):
    many = 1_000_000
    with (
        opened(models.product(tmp_path / "m"), many, "webgl") as product,
        pytest.raises(tfjs_runtime.CannotRun, match="'webgl' not found"),
    ):
        product({"x": np.zeros((1, many), np.float32)})


def test_figures_of_many_samples_come_of_one_process(javascript, command, environment_python, tmp_path):
    given = np.arange(4, dtype=np.float32)
    chosen = []
    for number in range(40):
        path = tmp_path / f"{number}.npy"
        np.save(path, given)
        label = 3 if number < 32 else 0
        chosen.append(samples.Sample(path.name, path.stat().st_size, files.digest(path), str(label)))
    (tmp_path / "samples.csv").write_text(samples.index_text(chosen), newline="")
    contract = models.contract({"y": models.SHAPE})
    contract["inputs"][0] |= {"layout": None, "value_range": None}
    files.write_json(tmp_path / "contract.json", contract | {"labels": list("abcd"), "label_offset": 0})
    folder = models.twice(tmp_path / "main.float32.tfjs", FICKLE)
    flags = ["--artifact", folder, "--variant", "float32", "--library", javascript]
    flags += ["--contract", tmp_path / "contract.json", "--samples", tmp_path / "samples.csv", "--folder", tmp_path]
    flags += ["--form", '{"reader": "npy", "label": "class"}', "--metric", '{"name": "top_k"}']
    flags += ["--output", tmp_path / "metric.json", "--output-samples", tmp_path / "rows.jsonl"]
    process = command(environment_python("evaluate"), "evaluate_tfjs", *flags)
    assert process.returncode == 0, process.stderr
    assert files.read_json(tmp_path / "metric.json")["values"]["top_1"] == 1


@pytest.fixture
def validated(javascript, tmp_path, command):
    """Return a function that runs validate_tfjs on a model and returns its evidence."""

    def run(folder, golden, variant="float32", *more, **limits):
        files.write_json(tmp_path / "contract.json", models.contract({"y": golden["y"].shape[1:]}))
        np.savez(tmp_path / "golden.npz", **golden)
        flags = ["--artifact", folder, "--contract", tmp_path / "contract.json", "--golden", tmp_path / "golden.npz"]
        flags += ["--limits", json.dumps({**LIMITS, **limits}), "--variant", variant, "--library", javascript]
        process = command(
            sys.executable, "validate_tfjs", *flags, *more, "--runs", 2, "--output", tmp_path / "evidence.json"
        )
        assert process.returncode == 0, process.stderr
        return files.read_json(tmp_path / "evidence.json")

    return run


def test_evidence_says_of_both_backends_how_near_how_fast_and_how_many_tensors(validated, tmp_path):
    golden = {"x": models.INPUTS, "y": models.INPUTS @ models.WEIGHT}
    found = validated(models.product(tmp_path / "main.float32.tfjs"), golden, "float32", "--timed")
    assert found["passed"] and found["failures"] == [] and found["model"] == "tested" and found["shards"] == 1
    assert found["bytes"] == sum(path.stat().st_size for path in (tmp_path / "main.float32.tfjs").iterdir())
    for backend in ("wasm", "cpu"):
        figures = found["backends"][backend]
        assert min(figures["load_ms"], figures["first_ms"], figures["median_ms"]) >= 0
        assert figures["tensors"]["after_dispose"] == 0 and figures["runs"] == 3
        assert 0 <= figures["parity"]["y"]["rms"] <= figures["parity"]["y"]["max_abs"] < 1e-5
    assert found["parity"]["y"]["peak"] == pytest.approx(np.abs(golden["y"]).max())


def test_evidence_has_no_times_where_others_may_have_run_beside(validated, tmp_path):
    golden = {"x": models.INPUTS, "y": models.INPUTS @ models.WEIGHT}
    found = validated(models.product(tmp_path / "main.float32.tfjs"), golden)
    assert [key for figures in found["backends"].values() for key in figures if key.endswith("_ms")] == []


def test_an_output_too_far_from_the_source_fails_on_each_backend(validated, tmp_path):
    golden = {"x": models.INPUTS, "y": models.INPUTS @ models.WEIGHT * 1.01}
    model = models.product(tmp_path / "main.float32.tfjs")
    assert [line.split(" dB")[0][:-5] for line in validated(model, golden)["failures"] if "SQNR" in line] == [
        "wasm: y: SQNR",
        "cpu: y: SQNR",
    ]
    assert validated(model, golden, sqnr=30, share=0.02)["passed"]


def test_a_model_that_runs_on_no_backend_is_evidence_too(validated, tmp_path):
    golden = {"x": models.INPUTS, "y": models.INPUTS * 2}
    found = validated(models.twice(tmp_path / "main.float32.tfjs", operators=None), golden)
    assert not found["passed"] and found["parity"] == {}
    assert all("Twice" in line for line in found["failures"]) and len(found["failures"]) == 2


def test_tensors_that_are_left_or_lost_are_counted():
    clean = {"before": 4, "loaded": 9, "after_runs": 9, "after_dispose": 4}
    assert tfjs_runtime.leaks(clean) == []
    assert tfjs_runtime.leaks({**clean, "after_runs": 12, "after_dispose": 7}) == [
        "+3 tensors after the runs",
        "+3 tensors after dispose",
    ]
    assert tfjs_runtime.leaks({**clean, "after_runs": 8}) == ["-1 tensors after the runs"]
