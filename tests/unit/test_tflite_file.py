"""Reading, editing and writing .tflite files."""

import itertools

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers
from small_models import OPTIONS, Builder, dense, dense_contract, heads, options, run

from zoomill.detection.postprocess import OP
from zoomill.errors import UserError
from zoomill.tflite import tflite_file


@pytest.fixture
def reread(tmp_path):
    """Return a function that writes a model and reads it again."""

    def again(model):
        path = tmp_path / "model.tflite"
        path.write_bytes(tflite_file.serialise(model))
        return tflite_file.read(path)

    return again


def names(model):
    return [tensor.name.decode() for tensor in model.subgraphs[0].tensors]


def named(*tensors):
    """Return a model with tensors of these names."""
    builder = Builder()
    for name in tensors:
        builder.tensor(name, [1])
    return builder.build([0], [0])


def test_a_file_that_is_read_and_written_computes_the_same_and_keeps_its_bytes(reread):
    model = dense()
    once = reread(model)
    assert tflite_file.serialise(reread(once)) == tflite_file.serialise(once)
    image = np.ones((1, 4), np.float32)
    np.testing.assert_array_equal(run(once, image)[0], run(model, image)[0])


@pytest.mark.parametrize(("data", "numbers"), [(b"\x21\x8f", [1, 2, -1, -8]), (b"\x70\x09", [0, 7, -7])])
def test_numbers_of_four_bits_lie_two_in_a_byte_the_lower_half_first(data, numbers):
    builder = Builder()
    index = builder.quantised("weights", np.frombuffer(data, np.int8), 0.5, 0)
    tensor = builder.graph.tensors[index]
    tensor.type, tensor.shape = schema.TensorType.INT4, [len(numbers)]
    stored = tflite_file.constant(builder.model, tensor)
    assert stored.tolist() == numbers
    assert tflite_file.real(tensor, stored).tolist() == [number / 2 for number in numbers]


@pytest.mark.parametrize("data", [b"", b"TFL3", b"<!DOCTYPE html>", b"\x08\x00\x00\x00TFL2" + bytes(100)])
def test_another_kind_of_file_is_refused_by_name(tmp_path, data):
    path = tmp_path / "page.tflite"
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"page\.tflite: is no TFLite file"):
        tflite_file.read(path)


def test_a_file_that_breaks_off_is_refused(tmp_path):
    path = tmp_path / "half.tflite"
    data = tflite_file.serialise(dense())
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(UserError, match=r"half\.tflite"):
        tflite_file.read(path)


def test_a_description_has_converter_operators_and_interface(reread):
    model = dense(units=3, description="TOCO Converted.")
    assert tflite_file.describe(reread(model)) == {
        "converter": "TOCO Converted.",
        "operators": {"FULLY_CONNECTED": 1},
        "inputs": [{"name": "input;left;over", "dtype": "float32", "shape": [1, 4]}],
        "outputs": [{"name": "output", "dtype": "float32", "shape": [1, 3]}],
    }


def test_operators_of_old_files_are_named_by_their_deprecated_code(reread):
    model = reread(dense())
    model.operatorCodes[0].builtinCode = 0
    assert tflite_file.operators(model) == {"FULLY_CONNECTED": 1}


def test_dtypes_of_large_weights_are_told_the_anchors_excepted(reread):
    builder = Builder()
    builder.tensor("large", np.zeros((2, 513), np.int8))
    builder.tensor("small", np.zeros((2, 512), np.float16))
    builder.tensor("anchors", np.zeros((300, 4), np.float32))
    builder.tensor("no weight", [2, 600])
    assert tflite_file.weight_dtypes(reread(builder.build([3], [3]))) == {"int8": ["nothing reads large"]}


def test_an_appended_op_has_its_options_and_computes(reread):
    anchors = np.array([[0.5, 0.5, 1, 1]], np.float32)
    asked = options(num_classes=1, max_detections=2)
    model = heads(1, 2)
    assert tflite_file.postprocess_options(model) is None
    tflite_file.append_postprocess(model, anchors, asked)
    model = reread(model)
    assert tflite_file.postprocess_options(model) == asked
    assert names(model)[-5:] == ["anchors", OP, f"{OP}:1", f"{OP}:2", f"{OP}:3"]
    scores = np.array([[[0.1, 0.9]]], np.float32)
    boxes, classes, found, count = run(model, np.zeros((1, 1, 4), np.float32), scores)
    assert count == 1 and classes[0, 0] == 0 and found[0, 0] == np.float32(0.9)
    assert boxes[0, 0].tolist() == [0, 0, 1, 1]


def test_canonical_options_are_the_same_bytes_for_any_order():
    written = set()
    keys = list(OPTIONS)
    for shift, turn in itertools.product(range(len(keys)), (1, -1)):
        order = (keys[shift:] + keys[:shift])[::turn]
        model = heads(1, 4)
        tflite_file.append_postprocess(model, np.zeros((1, 4), np.float32), options())
        stored = vars(options())
        model.subgraphs[0].operators[0].customOptions = list(flexbuffers.Dumps({key: stored[key] for key in order}))
        tflite_file.canonicalise(model)
        written.add(tflite_file.serialise(model))
        assert tflite_file.postprocess_options(model) == options()
    assert len(written) == 1


def test_canonical_options_keep_what_is_no_option_of_ours():
    model = heads(1, 4)
    tflite_file.append_postprocess(model, np.zeros((1, 4), np.float32), options())
    stored = {"_output_quantized": True, **vars(options())}
    model.subgraphs[0].operators[0].customOptions = list(flexbuffers.Dumps(stored))
    tflite_file.canonicalise(model)
    assert flexbuffers.Loads(bytes(model.subgraphs[0].operators[0].customOptions)) == stored


def test_names_joined_by_semicolons_become_the_first_and_stay_different():
    model = named("conv;bias;relu", "conv;other", "conv_1", "conv", "plain")
    tflite_file.simplify_names(model)
    assert names(model) == ["conv", "conv_1", "conv_1_1", "conv_2", "plain"]


def test_simplified_names_stay_as_they_are():
    model = named("a;b", "a;c", "d")
    tflite_file.simplify_names(model)
    first = names(model)
    tflite_file.simplify_names(model)
    assert names(model) == first


def test_the_signature_and_the_tensors_are_named_by_the_contract(reread):
    model = dense()
    model.signatureDefs = [schema.SignatureDefT()]
    tflite_file.set_signature(model, dense_contract())
    model = reread(model)
    (signature,) = model.signatureDefs
    assert signature.signatureKey == b"serving_default"
    assert [(entry.name, entry.tensorIndex) for entry in signature.inputs] == [(b"x", 0)]
    assert [(entry.name, entry.tensorIndex) for entry in signature.outputs] == [(b"y", 3)]
    assert names(model) == ["image", "weights;also;fused", "bias", "scores"]


@pytest.mark.parametrize("side", ["inputs", "outputs"])
def test_a_contract_with_another_number_of_tensors_is_refused(side):
    contract = dense_contract()
    contract[side] = contract[side] * 2
    with pytest.raises(UserError, match="has 1 .* where the contract has 2"):
        tflite_file.set_signature(dense(), contract)


def test_numbers_of_one_dimension_are_quantised_along_it_whatever_the_file_says():
    builder = Builder()
    index = builder.quantised("bias", np.int32([10, 20, 30]), [0.5, 0.25, 2], 0, dimension=3)
    tensor = builder.graph.tensors[index]
    np.testing.assert_array_equal(tflite_file.real(tensor, np.int32([10, 20, 30])), [5, 5, 60])
