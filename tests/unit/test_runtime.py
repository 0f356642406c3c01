"""Running artifacts that store integers: fed and read by real values."""

import numpy as np
import pytest
from small_models import dense, dense_contract, rounded, run

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
