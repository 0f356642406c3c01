"""A quantised TensorFlow.js model beside the float32 model it was derived from."""

import json

import numpy as np
import pytest

from zoomill.tfjs import tfjs_descent, tfjs_model, tfjs_quantiser
from zoomill.tfjs.tfjs_model import Weight

KERNEL = np.random.default_rng(0).normal(size=(8, 8)).astype(np.float32)


def weight(name, values):
    return Weight({"name": name, "shape": list(values.shape), "dtype": values.dtype.name}, values.tobytes())


@pytest.fixture
def models(tmp_path):
    """Return the folder of a float32 model, and a function that derives one of a dtype and returns its folder."""
    document = {"format": "graph-model", "modelTopology": {"node": [{"name": "y", "op": "Relu"}]}}
    weights = [weight("kernel", KERNEL), weight("count", np.arange(3, dtype=np.int32))]
    (tmp_path / "float32").mkdir()
    tfjs_model.write_weights(tmp_path / "float32", document, weights, 1 << 20)
    tfjs_model.write_document(tmp_path / "float32", document)

    def derive(dtype):
        tfjs_quantiser.write_variant(tmp_path / "float32", {dtype: ["*"]}, 1 << 20, tmp_path / dtype)
        return tmp_path / dtype

    return tmp_path / "float32", derive


def change(folder, edit):
    """Edit the bytes of a model's only shard, and its document."""
    document = tfjs_model.read_document(folder)
    (name,) = document["weightsManifest"][0]["paths"]
    data = bytearray((folder / name).read_bytes())
    edit(data, document)
    (folder / name).write_bytes(data)
    (folder / "model.json").write_text(json.dumps(document))
    return folder


@pytest.mark.parametrize("dtype", tfjs_quantiser.DTYPES)
def test_rounding_is_no_difference(models, dtype):
    exact, derive = models
    found, figures = tfjs_descent.differences(exact, derive(dtype))
    assert found == [] and figures["weights"] == 2
    assert (0.4 < figures["largest_step"] <= 1) == (dtype != "float16")


@pytest.mark.parametrize("dtype", tfjs_quantiser.DTYPES)
def test_one_changed_weight_is_named(models, dtype):
    exact, derive = models

    def edit(data, _):
        width = 1 if dtype == "uint8" else 2
        at = 20 * width + width - 1
        data[at] = (data[at] + 3) % 256

    (phrase,) = tfjs_descent.differences(exact, change(derive(dtype), edit))[0]
    assert "kernel" in phrase


def test_another_scale_is_named(models):
    exact, derive = models

    def edit(_, document):
        document["weightsManifest"][0]["weights"][0]["quantization"]["scale"] *= 2

    assert "steps of its scale off" in tfjs_descent.differences(exact, change(derive("uint8"), edit))[0][0]


def test_another_operator_is_named(models):
    exact, derive = models

    def edit(_, document):
        document["modelTopology"]["node"][0]["op"] = "Identity"

    found = tfjs_descent.differences(exact, change(derive("uint8"), edit))[0]
    assert found == ["modelTopology is not that of the float32 model"]


def test_integers_must_be_the_same(models):
    exact, derive = models

    def edit(data, _):
        data[-4] = 9

    assert tfjs_descent.differences(exact, change(derive("uint8"), edit))[0] == ["count differs"]


def test_a_weight_beyond_float16_is_named(tmp_path):
    large = np.full((2, 2), 1e6, np.float32)
    for folder, weights in (("float32", [weight("k", large)]), ("float16", None)):
        (tmp_path / folder).mkdir()
        document = {"modelTopology": {}}
        given = weights or [tfjs_quantiser.quantise_weight(weight("k", large), "float16")]
        tfjs_model.write_weights(tmp_path / folder, document, given, 1 << 20)
        tfjs_model.write_document(tmp_path / folder, document)
    assert tfjs_descent.differences(tmp_path / "float32", tmp_path / "float16")[0] == ["4 of 4 values of k differ"]
