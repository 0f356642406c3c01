"""The error of tensors, on numbers that can be checked by hand."""

import math

import numpy as np
import pytest
import small_models

from zoomill.errors import UserError
from zoomill.tflite import tensor_error, tflite_file

STEP = 0.5


def error(*pairs, scale=STEP, zero_point=0):
    """Return the error of an int8 tensor on pairs of float and dequantised values."""
    result = tensor_error.Error(scale, zero_point, np.int8)
    for exact, found in pairs:
        result.add(np.array(exact, np.float32), np.array(found, np.float32))
    return result


def test_sqnr_is_ten_times_the_logarithm_of_signal_by_noise():
    assert error(([3, 4], [3, 3.5])).sqnr == pytest.approx(10 * math.log10(25 / 0.25))


def test_samples_are_summed_up_before_they_are_divided():
    assert error(([3], [3]), ([4], [3.5])).figures() == error(([3, 4], [3, 3.5])).figures()


@pytest.mark.parametrize(
    ("exact", "found", "sqnr"), [([1, 2], [1, 2], 120), ([0, 0], [0, 0], 120), ([0, 0], [1, 0], -120)]
)
def test_exact_and_all_wrong_tensors_have_a_ratio_too(exact, found, sqnr):
    assert error((exact, found)).figures()["sqnr"] == sqnr


def test_figures_of_an_integer_tensor():
    # -128 to 127 steps of 0.5 are -64 to 63.5; 80 does not fit.
    figures = error(([0, 10, 20.25, 80], [0, 10, 20, 63.5])).figures()
    assert figures["float_range"] == [0, 80] and figures["range"] == [-64, 63.5]
    assert figures["range_used"] == pytest.approx(63.5 / 127.5, rel=1e-3)
    assert figures["clipped"] == 0.25
    assert figures["rmse_by_scale"] == pytest.approx(math.sqrt((0.25**2 + 16.5**2) / 4) / STEP, rel=1e-3)


def test_a_value_within_half_a_step_of_the_end_is_rounded_not_clipped():
    assert error(([63.7, 63.8], [63.5, 63.5])).figures()["clipped"] == 0.5


def test_the_zero_point_moves_the_range():
    assert error(([1], [1]), zero_point=-128).figures()["range"] == [0, 127.5]


def test_rounding_alone_has_an_error_of_one_by_the_root_of_twelve():
    values = np.random.RandomState(0).uniform(-50, 50, 20000)
    assert error((values, np.round(values / STEP) * STEP)).figures()["rmse_by_scale"] == pytest.approx(0.289, abs=2e-3)


def test_a_tensor_that_stays_in_float_has_no_integer_figures():
    assert set(error(([3, 4], [3, 3.5]), scale=0).figures()) == {"sqnr", "float_range"}


def details(scale=0, shape=(1, 4)):
    return {"quantization": (scale, 0), "shape": shape}


def test_tensors_are_matched_by_name_and_integers_are_preferred():
    exact = {name: details() for name in ("both", "float", "gone", "reshaped")}
    quantised = {
        "both": details(),
        "both_quantized": details(0.1),
        "float": details(),
        "reshaped": details(0.1, (1, 2)),
        "new": details(0.1),
    }
    assert tensor_error.match(exact, quantised) == {"both": "both_quantized", "float": "float"}


def test_a_number_that_only_one_file_has_at_the_end_of_a_name_does_not_matter():
    assert tensor_error.match({"Relu_1": details()}, {"Relu": details()}) == {"Relu_1": "Relu"}


def test_a_number_that_tells_two_tensors_apart_does_matter():
    exact = {"Relu": details(), "Relu_1": details()}
    assert tensor_error.match(exact, {"Relu": details()}) == {"Relu": "Relu"}


def small_contract(model):
    name = model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]].name.decode()
    return {"inputs": [{"name": "x", "tensor": name, "shape": [1, 4]}]}


def written(folder, name, model):
    path = folder / f"{name}.tflite"
    path.write_bytes(tflite_file.serialise(model))
    return path


def feeds(name, *values):
    return [{name: np.array([value], np.float32)} for value in values]


def test_two_files_are_compared_worst_tensor_first(tmp_path):
    exact, other = small_models.dense(units=3), small_models.dense(units=3)
    bias = other.buffers[other.subgraphs[0].tensors[2].buffer]
    bias.data = (bias.data.view(np.float32) + np.float32(1)).view(np.uint8)
    contract = small_contract(exact)
    inputs = feeds("input;left;over", [1, 2, 3, 4], [0, 1, 0, 1])
    found = tensor_error.compare(written(tmp_path, "exact", exact), written(tmp_path, "other", other), contract, inputs)
    worst, given = found["tensors"]
    assert found["samples"] == 2 and found["unmatched"] == []
    assert (worst["tensor"], worst["operator"], worst["place"]) == ("output", "FULLY_CONNECTED", 1)
    assert (given["operator"], given["place"], given["sqnr"], given["sqnr_lost"]) == ("input", 0, 120, None)
    outputs = [small_models.run(exact, feed["input;left;over"])[0] for feed in inputs]
    expected = 10 * math.log10(np.square(outputs).sum() / 6)  # each of the 3 units is 1 off, twice
    assert worst["sqnr"] == pytest.approx(expected, abs=0.01)
    assert worst["sqnr_lost"] == pytest.approx(120 - expected, abs=0.01)


def test_tensors_without_a_twin_are_named(tmp_path):
    exact, other = small_models.dense(units=3), small_models.dense(units=3)
    other.subgraphs[0].tensors[3].name = b"renamed"
    found = tensor_error.compare(
        written(tmp_path, "exact", exact),
        written(tmp_path, "other", other),
        small_contract(exact),
        feeds("input;left;over", [1, 2, 3, 4]),
    )
    assert found["unmatched"] == ["output"]


@pytest.mark.parametrize(("same", "inputs", "message"), [(True, [], "no samples"), (False, [1], "no tensor in common")])
def test_nothing_to_compare_is_an_error(tmp_path, same, inputs, message):
    exact = small_models.dense(units=3)
    contract = small_contract(exact)
    path = written(tmp_path, "exact", exact)
    if not same:
        for tensor in exact.subgraphs[0].tensors:
            tensor.name += b"_else"
    with pytest.raises(UserError, match=message):
        tensor_error.compare(path, written(tmp_path, "other", exact), contract, inputs)
