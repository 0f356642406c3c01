"""How variants store the weights of the starter detector, which has depthwise convolutions and others."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from rows import flag

from zoomill import files
from zoomill.tflite import tflite_descent, tflite_file

pytestmark = pytest.mark.slow
CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
TYPES = {schema.TensorType.INT8: "int8", schema.TensorType.INT4: "int4", schema.TensorType.FLOAT32: "float32"}
FOLDER = "results/ssd_mobilenet_v1_shapes/detect_cut"


@pytest.fixture(scope="session")
def quantised(starter_run, environment_python, command, tmp_path_factory):
    """Return a function from a variant to the models of a float file, the starter's, and of the variant made of it."""
    folder, given = tmp_path_factory.mktemp("quantised"), starter_run.file(f"{FOLDER}.float32.tflite")

    def make(variant, calibrated=False, exact=given):
        flags = ["--float", exact, "--variant", flag(variant)]
        flags += ["--contract", starter_run.file("build/ssd_mobilenet_v1_shapes/detect_cut/contract.json")]
        ranges = files.read_json(starter_run.file(f"{FOLDER}.calibration.json"))
        ranges["float_sha256"] = files.digest(exact)
        files.write_json(folder / "calibration.json", ranges, recorded=False)
        flags += ["--calibration", folder / "calibration.json"] if calibrated else []
        output = folder / f"{variant}.tflite"
        process = command(environment_python("litert"), "quantise_tflite", *flags, "--output", output)
        assert process.returncode == 0, process.stderr
        return [tflite_file.read(path) for path in (exact, output)]

    return make


def stored(model):
    """Return ``(operator, dtype of its weights, whether channels have scales of their own)`` of all convolutions."""
    (graph,) = model.subgraphs
    named = [(tflite_file.operator_name(model, operator), operator) for operator in graph.operators]
    casts = {int(one.outputs[0]): int(one.inputs[0]) for name, one in named if name == "DEQUANTIZE"}
    places = [(name, int(one.inputs[1])) for name, one in named if name in CONVOLUTIONS]
    weights = [(name, graph.tensors[casts.get(place, place)]) for name, place in places]
    return {(name, TYPES[one.type], len(np.atleast_1d(one.quantization.scale)) > 1) for name, one in weights}


@pytest.mark.parametrize(
    ("variant", "calibrated", "expected"),
    [
        ("weight_int8", False, {("CONV_2D", "int8", True), ("DEPTHWISE_CONV_2D", "int8", True)}),
        ("weight_int4", False, {("CONV_2D", "int4", True), ("DEPTHWISE_CONV_2D", "int8", True)}),
        ("int8_tensor", True, {("CONV_2D", "int8", False), ("DEPTHWISE_CONV_2D", "int8", False)}),
        ("int8", True, {("CONV_2D", "int8", True), ("DEPTHWISE_CONV_2D", "int8", True)}),
    ],
)
def test_weights_are_stored_as_the_variant_says_and_are_the_float_ones_but_for_rounding(
    quantised, variant, calibrated, expected
):
    exact, model = quantised(variant, calibrated)
    assert stored(model) == expected
    phrases, figures = tflite_descent.differences(exact, model)
    assert phrases == [] and 0.4 < figures["largest_step"] <= 0.51
    ends = {tflite_file.describe(model)[side][0]["dtype"] for side in ("inputs", "outputs")}
    assert ends == {"float32"}
    if not calibrated:  # else the weights are computed with as integers
        assert tflite_file.operators(model)["DEQUANTIZE"] >= tflite_file.operators(model)["CONV_2D"]
    activations = tflite_file.float_operators(model).keys() if calibrated else ()
    assert not {*CONVOLUTIONS} & {*activations}


@pytest.mark.parametrize("variant", ["int8", "int8_io", "int16x8"])
def test_a_dead_channel_keeps_its_bias(quantised, starter_run, tmp_path, variant):
    model = tflite_file.read(starter_run.file(f"{FOLDER}.float32.tflite"))
    (graph,) = model.subgraphs
    operator = next(one for one in graph.operators if tflite_file.operator_name(model, one) == "CONV_2D")
    for index, value in zip(operator.inputs[1:], (1e-15, -1.0), strict=True):
        tensor = graph.tensors[int(index)]
        numbers = tflite_file.constant(model, tensor).copy()
        numbers[3] = value
        model.buffers[tensor.buffer].data = np.frombuffer(numbers.tobytes(), np.uint8)
    path = tmp_path / "dead.tflite"
    path.write_bytes(tflite_file.serialise(model))
    phrases, figures = tflite_descent.differences(*quantised(variant, calibrated=True, exact=path))
    assert phrases == [] and figures["largest_step"] <= 0.51
