"""Integer sources: golden outputs are the float evaluation of their own numbers, and their rounding stands apart."""

import subprocess

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from conftest import REPOSITORY, source_flags
from small_models import Builder, integer_convolution

from zoomill import files
from zoomill.proof import parity
from zoomill.tflite import runtime, tflite_file


@pytest.fixture
def export(command, environment_python, tmp_path):
    """Return a function that exports a model: contract, golden arrays, and the folder of the graph."""

    def run(path, **options):
        folder, kind = tmp_path / "graph", path.suffix[1:]
        flags = (*source_flags("tested", path, **options), "--output-dir", folder)
        process = command(environment_python("onnx"), f"export_{kind}", *flags)
        assert process.returncode == 0, process.stderr
        with np.load(folder / "golden.npz") as golden:
            return files.read_json(folder / "contract.json"), dict(golden), folder

    return run


@pytest.fixture
def converted(command, environment_python):
    """Return a function from an exported graph to what its float32 TFLite makes of the golden inputs."""

    def run(contract, golden, folder):
        flags = ("--graph", folder / "graph.pb", "--contract", folder / "contract.json")
        output = folder / "main.float32.tflite"
        process = command(environment_python("tf2"), "convert_tflite", *flags, "--output", output)
        assert process.returncode == 0, process.stderr
        artifact = runtime.Artifact(output)
        rows = [artifact(contract, feed) for feed in parity.feeds(contract, golden)]
        return {name: np.stack([row[name] for row in rows]) for name in rows[0]}

    return run


@pytest.fixture(scope="module")
def onnx_models(tmp_path_factory, environment_python):
    """The folder of the models that onnx_models.py writes, and its arrays."""
    folder = tmp_path_factory.mktemp("onnx_models")
    script = REPOSITORY / "tests/e2e/onnx_models.py"
    subprocess.run([environment_python("onnx"), script, folder], check=True, capture_output=True)
    with np.load(folder / "arrays.npz") as arrays:
        return folder, {name: array.astype(np.float64) for name, array in arrays.items()}


def sqnr(golden, other):
    """Return how far ``other`` is below the spread of golden rows, in decibels."""
    golden, other = golden.astype(np.float64), other.astype(np.float64).reshape(golden.shape)
    return 10 * np.log10(np.mean((golden - golden.mean(0)) ** 2) / max(np.mean((golden - other) ** 2), 1e-30))


def convolved(arrays, x):
    """Return what the convolution of onnx_models.py is of real numbers, x and result channels-last."""
    weights = arrays["weights"].reshape(4, 3) * arrays["w_scale"][:, None]
    return x.astype(np.float64) @ weights.T + arrays["bias"] * arrays["b_scale"]


EXPECTED = {
    "qlinear": convolved,
    "qdq": lambda arrays, x: convolved(arrays, x).clip(0),
    "contrib": lambda arrays, x: 2 * convolved(arrays, x),
    "dynamic": lambda arrays, x: x @ (arrays["flat"] - arrays["one_point"]) * arrays["one_scale"],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPECTED)
def test_golden_outputs_of_an_integer_onnx_model_are_those_of_floats(export, onnx_models, name):
    folder, arrays = onnx_models
    contract, golden, _ = export(folder / f"{name}.onnx")
    expected = EXPECTED[name](arrays, golden["x"])
    assert sqnr(expected, golden["y"]) > 110
    assert 20 < sqnr(golden["y"], golden["rounded/y"]) < 60
    assert "without its own rounding" in contract["notes"][0]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["qdq", "dynamic"])
def test_the_graph_of_an_integer_onnx_model_is_strictly_its_golden_outputs(export, converted, onnx_models, name):
    contract, golden, folder = export(onnx_models[0] / f"{name}.onnx")
    assert sqnr(golden["y"], converted(contract, golden, folder)["y"]) > 100


@pytest.mark.slow
def test_sums_of_integers_do_not_saturate_whatever_the_cpu(export, onnx_models):
    folder, arrays = onnx_models
    _, golden, _ = export(folder / "qlinear.onnx")
    x = (golden["x"] / arrays["x_scale"]).round().clip(-128, 127)
    sums = x @ arrays["weights"].reshape(4, 3).T + arrays["bias"]
    steps = (sums * arrays["b_scale"] / arrays["y_scale"]).round().clip(-128, 127)
    assert np.abs(golden["rounded/y"] / arrays["y_scale"] - steps).max() < 1.01


def test_an_unknown_way_to_compute_with_integers_is_refused(command, environment_python, onnx_models, tmp_path):
    path = onnx_models[0] / "unknown.onnx"
    flags = (*source_flags("tested", path), "--output-dir", tmp_path / "g")
    process = command(environment_python("onnx"), "export_onnx", *flags)
    assert process.returncode == 1
    assert process.stderr.splitlines()[-1] == (
        f"error: tested: {path}: QLinearReduceMean mq computes with integers in an unknown way"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "options, real",
    [
        ({"output": (0.2, 10)}, lambda y: y),
        ({"output": (0.1, -128)}, lambda y: y.clip(0)),
        ({"output": (6 / 255, -128)}, lambda y: y.clip(0, 6)),
        ({"dtype": np.uint8, "points": 131, "output": (0.12, 128)}, lambda y: y),
    ],
    ids=["int8 by channel", "implied ReLU", "implied ReLU6", "uint8"],
)
def test_an_integer_tflite_file_is_strictly_its_own_floats(export, converted, tmp_path, options, real):
    model, weights, bias = integer_convolution(**options)
    (tmp_path / "m.tflite").write_bytes(tflite_file.serialise(model))
    contract, golden, folder = export(tmp_path / "m.tflite")
    assert sqnr(real(golden["input"] @ weights.T + bias), golden["output"]) > 110
    assert 20 < sqnr(golden["output"], golden["rounded/output"]) < 60
    assert sqnr(golden["output"], converted(contract, golden, folder)["output"]) > 100
    assert "without its own rounding" in contract["notes"][0]


def test_a_leaky_relu_with_a_slope_for_each_channel_is_no_mistake(export, tmp_path):
    builder = Builder()
    tensors = [builder.tensor(name, [1, 5, 5, 3]) for name in ("input", "sloped", "output")]
    slopes = builder.tensor("slopes", np.array([0.1, 0.2, 0.3], np.float32))
    builder.operator("MUL", [tensors[0], slopes], tensors[1:2], schema.MulOptionsT())
    builder.operator("MAXIMUM", tensors[:2], tensors[2:], schema.MaximumMinimumOptionsT())
    (tmp_path / "m.tflite").write_bytes(tflite_file.serialise(builder.build(tensors[:1], tensors[2:])))
    contract, golden, _ = export(tmp_path / "m.tflite")
    np.testing.assert_allclose(golden["output"], np.maximum(golden["input"], golden["input"] * [0.1, 0.2, 0.3]), 1e-6)
    assert contract["notes"] == []
    assert set(golden) == {"input", "output"}


@pytest.mark.slow
def test_integers_that_litert_refuses_are_run_by_tflite_micro(export, tmp_path):
    model, weights, bias = integer_convolution(output=(0.2, 10))
    (stored,) = (tensor for tensor in model.subgraphs[0].tensors if tensor.name == b"bias")
    stored.quantization.quantizedDimension = 3  # as converters once wrote it, that of the weights
    (tmp_path / "a.tflite").write_bytes(tflite_file.serialise(model))
    with pytest.raises((RuntimeError, ValueError), match="quantized_dimension"):
        runtime.Artifact(tmp_path / "a.tflite")
    contract, golden, _ = export(tmp_path / "a.tflite")
    expected = golden["input"].astype(np.float64) @ weights.T + bias
    assert sqnr(expected, golden["output"]) > 110
    assert 20 < sqnr(golden["output"], golden["rounded/output"]) < 60
    assert "TFLite Micro runs its integers, as LiteRT refuses the file" in contract["notes"]
