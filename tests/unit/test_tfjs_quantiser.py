"""Weights of TensorFlow.js models: reading, writing, and quantising them."""

import numpy as np
import pytest

from zoomill.errors import UserError
from zoomill.tfjs import tfjs_model, tfjs_quantiser
from zoomill.tfjs.tfjs_model import Weight

VALUES = np.linspace(-1, 3, 9, dtype=np.float32)


def weight(name="a", values=VALUES):
    return Weight({"name": name, "shape": list(values.shape), "dtype": values.dtype.name}, values.tobytes())


def expanded(changed):
    note = changed.entry["quantization"]
    stored = np.frombuffer(changed.data, note["dtype"])
    return stored * note.get("scale", 1) + note.get("min", 0)


@pytest.mark.parametrize(
    ("dtype", "bytes_each", "error"), [("float16", 2, 1e-3), ("uint16", 2, 4e-5), ("uint8", 1, 0.01)]
)
def test_a_quantised_weight_is_smaller_and_near(dtype, bytes_each, error):
    changed = tfjs_quantiser.quantise_weight(weight(), dtype)
    assert len(changed.data) == bytes_each * VALUES.size
    assert np.abs(expanded(changed) - VALUES).max() <= error
    assert changed.entry["dtype"] == changed.entry["quantization"]["original_dtype"] == "float32"


def test_zero_is_kept_exactly_where_it_lies_between_the_ends():
    values = np.array([-0.37, 0, 1.91], np.float32)
    assert expanded(tfjs_quantiser.quantise_weight(weight(values=values), "uint8"))[1] == 0


def test_a_weight_of_one_value_is_stored_as_zeros():
    changed = tfjs_quantiser.quantise_weight(weight(values=np.full(4, 0.25, np.float32)), "uint8")
    assert changed.data == bytes(4) and changed.entry["quantization"]["min"] == 0.25


def test_integers_and_empty_weights_stay_as_they_are():
    for values in (np.arange(3, dtype=np.int32), np.zeros((0, 4), np.float32)):
        assert tfjs_quantiser.quantise_weight(weight(values=values), "uint8") == weight(values=values)


def test_patterns_say_which_weights_are_quantised():
    weights = [weight("one/kernel"), weight("two/kernel"), weight("two/bias")]
    changed = tfjs_quantiser.quantise(weights, {"uint8": ["two/*s"], "uint16": ["*/kernel"]})
    assert [entry.entry["quantization"]["dtype"] for entry in changed] == ["uint16", "uint16", "uint8"]


def test_a_pattern_that_matches_nothing_and_two_that_match_one_weight_are_refused():
    with pytest.raises(UserError, match="the pattern True for float16 matches no weight"):
        tfjs_quantiser.quantise([weight()], {"float16": ["True"]})
    with pytest.raises(UserError, match="the weight a matches a pattern for uint8 and one for uint16"):
        tfjs_quantiser.quantise([weight()], {"uint8": ["*"], "uint16": ["a"]})


def test_weights_survive_being_written_in_shards(tmp_path):
    text = Weight({"name": "s", "shape": [2], "dtype": "string"}, b"\x02\x00\x00\x00hi\x00\x00\x00\x00")
    weights = [weight("a"), text, weight("b", np.arange(5, dtype=np.int32))]
    document = {}
    tfjs_model.write_weights(tmp_path, document, weights, 20)
    (group,) = document["weightsManifest"]
    assert group["paths"][0] == "group1-shard1of4.bin" and len(group["paths"]) == 4
    assert all((tmp_path / name).stat().st_size <= 20 for name in group["paths"])
    assert tfjs_model.read_weights(tmp_path, document) == weights
