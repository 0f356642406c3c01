"""Running artifacts that store integers: fed and read by real values."""

import numpy as np
import pytest
from small_models import Builder, dense, dense_contract, rounded, run

from zoomill.errors import UserError
from zoomill.tflite import runtime, tflite_file


@pytest.fixture
def loaded(tmp_path):
    """Return a function that writes a model with its contract's signature and loads it."""

    def load(model, contract):
        tflite_file.set_signature(model, contract)
        (tmp_path / "a.tflite").write_bytes(tflite_file.serialise(model))
        return runtime.Artifact(tmp_path / "a.tflite")

    return load


@pytest.mark.parametrize(
    ("dtype", "scale", "zero_point", "expected"),
    [
        (np.uint8, 1 / 128, 128, [-128, 0, 64, 127]),
        (np.int8, 1 / 128, 0, [-128, 0, 64, 127]),
        (np.uint8, 1 / 255, 0, [0, 0, 64, 255]),
        (np.int16, 1 / 1024, 0, [-3072, 0, 64, 7168]),
    ],
)
def test_integers_are_fed_and_read_by_the_files_own_scale_and_zero_point(loaded, dtype, scale, zero_point, expected):
    contract = dense_contract(4)
    feed = {"image": np.array([-3, 0.25 * scale, 64.2 * scale, 7], np.float32)}
    (found,) = loaded(rounded(dtype, scale, zero_point), contract)(contract, feed).values()
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [np.multiply(expected, scale)], rtol=1e-6)


def test_integers_without_a_scale_pass_as_they_are(loaded):
    contract = dense_contract(4)
    feed = {"image": np.array([3, -1, 70000, 0], np.int32)}
    (found,) = loaded(rounded(np.int32, 0, 0), contract)(contract, feed).values()
    assert found.dtype == np.int32 and found.tolist() == [feed["image"].tolist()]


def test_floats_are_fed_and_read_as_they_are(loaded):
    contract, feed = dense_contract(), np.array([[0.1, -2, 3, 4]], np.float32)
    (found,) = loaded(dense(), contract)(contract, {"image": feed}).values()
    np.testing.assert_allclose(found, run(dense(), feed)[0], atol=1e-5)


def test_a_file_without_a_signature_is_known_by_its_tensors(tmp_path):
    contract, feed = dense_contract(), np.array([[0.1, -2, 3, 4]], np.float32)
    contract["inputs"][0]["tensor"], contract["outputs"][0]["tensor"] = "input;left;over", "output"
    (tmp_path / "a.tflite").write_bytes(tflite_file.serialise(dense()))
    found = runtime.Artifact(tmp_path / "a.tflite")(contract, {"input;left;over": feed})
    assert list(found) == ["y"]
    np.testing.assert_allclose(found["y"], run(dense(), feed)[0], atol=1e-5)


def test_a_step_of_an_output_is_what_its_integers_are_worth_in_the_contracts_numbers(loaded):
    contract = dense_contract(4)
    assert loaded(rounded(np.int8, 0.25, 3), contract).steps(contract) == {"y": 0.25}
    assert loaded(dense(4), contract).steps(contract) == {"y": None}
    assert loaded(rounded(np.int32, 0, 0), contract).steps(contract) == {"y": None}
    stored = {**contract, "outputs": [{**contract["outputs"][0], "dtype": "int8"}]}
    assert loaded(rounded(np.int8, 0.25, 3), stored).steps(stored) == {"y": 1}


def test_a_step_of_a_float_output_is_that_of_what_is_dequantised_last(loaded):
    builder, contract = Builder(), dense_contract(4)
    start = builder.quantised("input", [1, 4], 0.5, 0)
    end = builder.tensor("output", [1, 4])
    builder.operator("DEQUANTIZE", [start], [end])
    assert loaded(builder.build([start], [end]), contract).steps(contract) == {"y": 0.5}


def picture(**changes):
    """Return a contract of :func:`rounded` with four values, whose input has some entries changed."""
    contract = dense_contract(4)
    contract["inputs"][0] |= changes
    return contract


@pytest.mark.parametrize(
    ("dtype", "scale", "zero_point", "changes"),
    [
        (np.uint8, 1 / 128, 128, {}),
        (np.uint8, 1 / 128, 128, {"value_range": [-1, 1]}),
        (np.uint8, 1 / 128, 128, {"dtype": "uint8"}),
        (np.int8, 1 / 100, -128, {"value_range": [[0, 0, 0], [2, 2, 2]]}),
        (np.int32, 0, 0, {"dtype": "int32"}),
        (np.float32, 0, 0, {"value_range": [0, 255]}),
    ],
)
def test_a_contract_of_the_file_is_taken(loaded, dtype, scale, zero_point, changes):
    contract = picture(**changes)
    contract["outputs"][0]["dtype"] = np.dtype(dtype).name if not scale else "float32"
    loaded(rounded(dtype, scale, zero_point), contract).check(contract)


@pytest.mark.parametrize(
    ("dtype", "scale", "zero_point", "changes", "said"),
    [
        (np.uint8, 1 / 128, 128, {"dtype": "int8"}, "x is int8 in the contract; the file takes uint8, or float32"),
        (np.uint8, 0, 0, {}, "x is float32 in the contract; the file takes uint8"),
        (np.float32, 0, 0, {"dtype": "uint8"}, "x is uint8 in the contract; the file takes float32"),
        (np.float32, 0, 0, {"shape": [1, 5]}, r"x has the shape \[1, 4\], in the contract \[1, 5\]"),
        (np.uint8, 1 / 128, 128, {"value_range": [0, 255]}, "value_range of x is 0 to 255; .* stand for -1 to 0.9922"),
        (np.uint8, 1 / 128, 128, {"value_range": [0, 1]}, "value_range of x is 0 to 1;"),
        (np.uint8, 1, 0, {"value_range": [0, 1]}, "value_range of x is 0 to 1; .* stand for 0 to 255"),
    ],
)
def test_a_contract_of_another_file_is_refused(loaded, dtype, scale, zero_point, changes, said):
    artifact = loaded(rounded(dtype, scale, zero_point), dense_contract(4))
    with pytest.raises(UserError, match=said):
        artifact.check(picture(**changes))


@pytest.mark.parametrize("side", ["inputs", "outputs"])
def test_other_names_or_numbers_of_inputs_and_outputs_are_refused(loaded, side):
    contract = dense_contract()
    artifact = loaded(dense(), contract)
    for entries in ([], contract[side] * 2, [{**contract[side][0], "name": "z"}]):
        with pytest.raises(UserError, match=f"its {side} are ., those of the contract"):
            artifact.check({**contract, side: entries})


def test_integers_of_the_files_own_dtype_are_fed_and_read_as_they_are(loaded):
    contract = picture(dtype="uint8")
    contract["outputs"][0]["dtype"] = "uint8"
    feed = {"image": np.array([0, 1, 128, 255], np.uint8)}
    (found,) = loaded(rounded(np.uint8, 1 / 128, 128), contract)(contract, feed).values()
    assert found.dtype == np.uint8 and found.tolist() == [[0, 1, 128, 255]]


def test_a_contract_with_other_names_than_the_signature_knows_the_tensors(tmp_path):
    model, signed = dense(), dense_contract()
    tflite_file.set_signature(model, signed)
    contract = dense_contract()
    contract["outputs"][0]["name"] = "classes"
    artifact = runtime.Artifact(tflite_file.serialise(model), contract=contract)
    artifact.check(contract)
    feed = np.array([[0.1, -2, 3, 4]], np.float32)
    np.testing.assert_allclose(artifact(contract, {"image": feed})["classes"], run(dense(), feed)[0], atol=1e-5)
