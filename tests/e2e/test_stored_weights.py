"""How variants store the weights of the starter detector, which has depthwise convolutions and others."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from rows import flag

from zoomill.tflite import tflite_descent, tflite_file

pytestmark = pytest.mark.slow
CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
TYPES = {schema.TensorType.INT8: "int8", schema.TensorType.INT4: "int4", schema.TensorType.FLOAT32: "float32"}
FOLDER = "results/ssd_mobilenet_v1_shapes/detect_cut"


@pytest.fixture(scope="session")
def quantised(starter_run, environment_python, command, tmp_path_factory):
    """Return a function from a variant to the models of the float file and of the variant made of it."""
    folder = tmp_path_factory.mktemp("quantised")

    def make(variant, calibrated=False):
        flags = ["--float", starter_run.file(f"{FOLDER}.float32.tflite"), "--variant", flag(variant)]
        flags += ["--contract", starter_run.file("build/ssd_mobilenet_v1_shapes/detect_cut/contract.json")]
        flags += ["--calibration", starter_run.file(f"{FOLDER}.calibration.json")] if calibrated else []
        output = folder / f"{variant}.tflite"
        process = command(environment_python("litert"), "quantise_tflite", *flags, "--output", output)
        assert process.returncode == 0, process.stderr
        return [tflite_file.read(path) for path in (starter_run.file(f"{FOLDER}.float32.tflite"), output)]

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
