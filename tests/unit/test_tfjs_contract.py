"""A contract is held against the signature of a TensorFlow.js model before anything is run."""

import pytest

from zoomill import files
from zoomill.errors import UserError
from zoomill.tfjs import tfjs_runtime

X = {"name": "x", "tensor": "x", "dtype": "float32", "shape": [1, 4]}
Y = {"name": "y", "tensor": "y"}


@pytest.fixture
def check(tmp_path):
    """Return a function that holds a contract against a model with one input and one output."""
    sizes = [{"size": "-1"}, {"size": "4"}]
    ends = {"inputs": {"x": {"name": "x:0", "dtype": "DT_FLOAT", "tensorShape": {"dim": sizes}}}}
    ends["outputs"] = {"y": {"name": "y:0", "dtype": "DT_INT32"}}
    files.write_json(tmp_path / "model.json", {"signature": ends}, recorded=False)
    return lambda inputs, outputs: tfjs_runtime.check(tmp_path, {"inputs": inputs, "outputs": outputs})


def test_a_contract_of_the_model_is_taken_whatever_its_batch(check):
    for shape in ([1, 4], [7, 4]):
        check([{**X, "shape": shape}], [{**Y, "dtype": "int32", "shape": [3]}])


@pytest.mark.parametrize(
    "inputs, outputs, said",
    [
        ([{**X, "name": "z"}], [{**Y, "dtype": "int32"}], "its inputs are x, those of the contract z"),
        ([X, X], [{**Y, "dtype": "int32"}], "its inputs are x, those of the contract x, x"),
        ([X], [], "its outputs are y, those of the contract $"),
        ([{**X, "dtype": "uint8"}], [{**Y, "dtype": "int32"}], "x is float32, in the contract uint8"),
        ([{**X, "shape": [1, 5]}], [{**Y, "dtype": "int32"}], r"x has the shape \[-1, 4\], in the contract \[1, 5\]"),
        ([X], [Y], "y is int32, in the contract float32"),
    ],
)
def test_a_contract_of_another_model_is_refused(check, inputs, outputs, said):
    with pytest.raises(UserError, match=said):
        check(inputs, outputs)
