"""What a .tflite must be before it is delivered: every promise, broken once."""

import copy

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from rows import variant
from small_models import Builder, dense, dense_contract, heads, heads_contract, options, rounded

from zoomill.errors import UserError
from zoomill.tflite import artifact, tflite_file


def problems(model, contract, name="float32"):
    """Finish a model as `deliver` does, and return what is wrong with it."""
    tflite_file.simplify_names(model)
    tflite_file.set_signature(model, contract)
    return artifact.find_problems(model, tflite_file.serialise(model), contract, variant(name))


def detector(asked):
    """Return raw heads of 5 anchors with post-processing behind them."""
    model = heads(5, asked.num_classes + 1)
    tflite_file.append_postprocess(model, np.full((5, 4), 0.5, np.float32), asked)
    return model


def hybrid(units, inputs):
    """Return a fully connected layer with int8 weights and a float32 bias, as the variant `dynamic` has."""
    builder = Builder()
    start, end = builder.tensor("input", [1, inputs]), builder.tensor("output", [1, units])
    weights = builder.tensor("weights", np.ones((units, inputs), np.int8))
    scale = schema.QuantizationParametersT()
    scale.scale, scale.zeroPoint = np.array([0.5], np.float32), np.array([0], np.int64)
    builder.graph.tensors[weights].quantization = scale
    bias = builder.tensor("bias", np.zeros(units, np.float32))
    builder.operator("FULLY_CONNECTED", [start, weights, bias], [end], schema.FullyConnectedOptionsT())
    contract = dense_contract(units)
    contract["inputs"][0]["shape"] = [1, inputs]
    return builder.build([start], [end]), contract


def test_a_file_as_promised_has_no_problems():
    assert problems(dense(), dense_contract()) == []
    asked = options()
    assert problems(detector(asked), heads_contract(asked, 5)) == []
    assert problems(*hybrid(40, 40), "dynamic") == []


def test_the_wrong_converter_is_found():
    assert problems(dense(description="TOCO Converted."), dense_contract()) == [
        "made by 'TOCO Converted.' instead of 'MLIR Converted.'"
    ]
    assert problems(dense(description="TOCO Converted."), dense_contract(), "toco_float32") == []
    assert "made by ''" in problems(dense(description=""), dense_contract())[0]


def stored(scale, zero_point, dtype=np.uint8):
    """Return a model of one input and output as TOCO quantises it, and its contract of -1 to 1."""
    model, contract = rounded(dtype, scale, zero_point), dense_contract(4)
    model.description = b"TOCO Converted."
    contract["inputs"][0]["value_range"] = [-1, 1]
    return model, contract


def test_a_uint8_file_of_toco_has_the_scale_and_zero_point_that_its_value_range_gives():
    assert problems(*stored(1 / 128, 128), "toco_uint8") == []
    for scale, zero_point in ((1 / 127.5, 128), (1 / 128, 127)):
        (found,) = problems(*stored(scale, zero_point), "toco_uint8")
        assert found == f"x has scale {scale:g} and zero point {zero_point} instead of 0.0078125 and 128"


def test_a_float_or_int8_file_is_no_uint8_file():
    """TOCO that is asked for int8 reports success and writes floats."""
    model, contract = dense(description="TOCO Converted."), dense_contract()
    contract["inputs"][0]["value_range"] = [-1, 1]
    found = problems(model, contract, "toco_uint8")
    assert (
        "weights are float32: FULLY_CONNECTED reads weights" in found
        and "x is float32 [1, 4] instead of uint8 [1, 4]" in found
    )
    assert "x is int8 [1, 4] instead of uint8 [1, 4]" in problems(*stored(1 / 128, 0, np.int8), "toco_uint8")


def test_outputs_of_the_post_processing_op_are_floats_in_a_file_of_integers():
    asked = options()
    found = problems(detector(asked), heads_contract(asked, 5), "int8_io")
    assert not any("detection_" in problem for problem in found)
    assert "scores is float32 [1, 5, 4] instead of int8 [1, 5, 4]" in found


def test_an_operator_that_no_runtime_knows_is_found():
    builder = Builder()
    ends = [builder.tensor(name, [1, 4]) for name in ("input", "output")]
    builder.operator("FusedBatchNormV3", ends[:1], ends[1:])
    found = problems(builder.build(ends[:1], ends[1:]), dense_contract(4))
    assert "has operators that no runtime knows: FusedBatchNormV3" in found


@pytest.mark.parametrize("variant", ["float16", "dynamic"])
def test_weights_of_another_dtype_than_the_variants_are_found(variant):
    assert problems(dense(), dense_contract(), variant) == ["weights are float32: FULLY_CONNECTED reads weights"]
    assert problems(*hybrid(40, 40), "float32") == ["weights are int8: FULLY_CONNECTED reads weights"]


def test_a_long_bias_is_no_weight():
    """The last convolution of MobileNet v2 has 1280 channels; weight quantisation leaves biases in float32."""
    assert problems(*hybrid(1280, 1), "dynamic") == []


def test_options_that_are_not_those_of_the_contract_are_found():
    contract = heads_contract(options(), 5)
    assert problems(detector(options(use_regular_nms=False, detections_per_class=7)), contract) == [
        "detections_per_class is 7, asked for 100",
        "use_regular_nms is False, asked for True",
    ]


def test_another_number_of_outputs_than_the_contracts_is_refused(tmp_path):
    asked = options()
    with pytest.raises(UserError, match="small: .*has 2 .* where the contract has 4"):
        artifact.deliver(heads(5, 4), heads_contract(asked, 5), variant("float32"), tmp_path / "a.tflite")


def test_another_dtype_or_shape_than_the_contracts_is_found():
    for side, key, value in (("inputs", "shape", [1, 5]), ("outputs", "shape", [1, 30]), ("inputs", "dtype", "uint8")):
        contract = dense_contract()
        contract[side][0][key] = value
        (found,) = problems(dense(), contract)
        name = {"inputs": "x", "outputs": "y"}[side]
        assert found.startswith(f"{name} is float32") and str(value) in found


def test_a_file_that_litert_cannot_load_is_found():
    model = dense()
    model.subgraphs[0].operators[0].inputs = [0, 1, 99]
    (found,) = problems(model, dense_contract())
    assert found.startswith("LiteRT cannot load it: ") and "\n" not in found


def test_all_problems_are_said_in_one_line_and_nothing_is_written(tmp_path):
    contract = dense_contract()
    contract["outputs"][0]["shape"] = [1, 30]
    path = tmp_path / "results/small.float16.tflite"
    with pytest.raises(UserError) as caught:
        artifact.deliver(dense(description="TOCO Converted."), contract, variant("float16"), path)
    message = str(caught.value)
    assert message.startswith(f"small: {path}: made by")
    assert "weights are float32" in message and "[1, 30]" in message and "\n" not in message
    assert not path.parent.exists()


def test_what_is_delivered_depends_on_the_model_only(tmp_path):
    model, asked = detector(options()), heads_contract(options(), 5)
    again = copy.deepcopy(model)
    for number, one in enumerate((model, again)):
        artifact.deliver(one, asked, variant("float32"), tmp_path / f"{number}.tflite")
    assert (tmp_path / "0.tflite").read_bytes() == (tmp_path / "1.tflite").read_bytes()
    artifact.finish(tmp_path / "0.tflite", asked, variant("float32"), tmp_path / "2.tflite")
    assert (tmp_path / "2.tflite").read_bytes() == (tmp_path / "0.tflite").read_bytes()
