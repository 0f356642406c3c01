"""How far backends of TensorFlow.js are apart, and the first node in which they part."""

import shutil

import numpy as np
import pytest
import small_graph_models as models
from conftest import missing

import measure_tfjs
from zoomill import files
from zoomill.tfjs import tfjs_runtime, tfjs_spread

FEEDS = [{"x": values} for values in models.INPUTS]
CONTRACT = models.contract({"y": [1, 3]})


def chain(folder, weight=models.WEIGHT):
    """Write a model that adds x to itself, multiplies by a weight and negates."""
    nodes = [
        models.placeholder(),
        models.node("double", "AddV2", "x", "x"),
        models.node("product", "MatMul", "double", "w"),
        models.node("y", "Neg", "product"),
    ]
    return models.write(folder, nodes, ["y"], {"w": weight})


@pytest.fixture
def asks(javascript):
    """Two ways to run a model in Node: as it is, and another model under its name."""

    def two(folder, other):
        def run(model, backend):
            where = {"library": str(javascript), "model": str(model / "model.json"), "backend": backend}
            return lambda request: tfjs_runtime.run_in_node({**request, **where})

        return {"cpu": run(folder, "cpu"), "wasm": run(other, "wasm")}

    return two


def test_backends_that_agree_have_figures_and_no_place_where_they_part(asks, tmp_path):
    folder = chain(tmp_path / "m")
    figures, backends = measure_tfjs.measure(folder, CONTRACT, FEEDS, asks(folder, folder))
    assert figures["wasm"]["inputs"] == 3 and figures["wasm"]["share"] < 1e-6 and backends == {}


def test_the_first_node_that_is_off_is_named(asks, tmp_path):
    other = models.WEIGHT.copy()
    other[0, 0] *= 2
    folder, wrong = chain(tmp_path / "m"), chain(tmp_path / "wrong", other)
    figures, backends = measure_tfjs.measure(folder, CONTRACT, FEEDS, asks(folder, wrong))
    assert figures["wasm"]["share"] > 0.05
    first = backends["wasm"]["first"]
    assert first["differs"] == first["beyond"] == first["far"]
    told = {key: first["far"][key] for key in ("tensor", "operator", "place", "operators")}
    assert told == {"tensor": "product", "operator": "MatMul", "place": 2, "operators": 3}


def test_a_backend_that_does_not_run_it_says_why_and_the_others_are_compared(asks, tmp_path):
    folder = chain(tmp_path / "m")
    ways = asks(folder, folder)
    ways["webgl"] = asks(folder, tmp_path / "nothing")["wasm"]
    figures, backends = measure_tfjs.measure(folder, CONTRACT, FEEDS, ways)
    assert list(figures) == ["wasm"] and "cannot run it" in backends["webgl"]["error"]


def test_nodes_are_all_that_compute_in_the_order_they_are_run(tmp_path):
    assert tfjs_spread.nodes(chain(tmp_path / "m")) == {"double": "AddV2", "product": "MatMul", "y": "Neg"}


@pytest.mark.slow
def test_webgl_and_webgpu_are_compared_with_plain_javascript(javascript, command, environment_python, tmp_path):
    if not shutil.which("chromium"):
        missing("Chromium is not installed")
    chain(tmp_path / "main.float32.tfjs")
    files.write_json(tmp_path / "contract.json", CONTRACT, recorded=False)
    np.savez(tmp_path / "golden.npz", x=models.INPUTS)
    flags = ["--artifact", "main.float32.tfjs", "--contract", "contract.json", "--variant", "float32"]
    flags += ["--golden", "golden.npz", "--limit", "9", "--library", javascript, "--output", "spread.json"]
    process = command(environment_python("web"), "measure_tfjs", *flags, cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    found = files.read_json(tmp_path / "spread.json")
    assert sorted(found["parity"]) == ["wasm", "webgl", "webgpu"] and found["backends"] == {}
    assert all(figures["inputs"] == 3 and figures["share"] < 1e-5 for figures in found["parity"].values())
