"""What inspection tells about PyTorch's files, where PyTorch is not installed."""

import importlib.util

import pytest
from conftest import REPOSITORY

from zoomill.errors import UserError
from zoomill.inspect import recognise, report

STARTER = REPOSITORY / "starter/digits_pytorch"


def test_pytorch_is_not_needed():
    assert importlib.util.find_spec("torch") is None


def test_a_program_tells_interface_operators_and_weights():
    document = recognise.inspect(STARTER / "digits.pt2")
    assert (document["kind"], document["notes"]) == ("pytorch_program", [])
    assert set(document["producer"]) == {"schema", "torch"}
    (graph,) = document["graphs"]
    (signature,) = graph["signatures"]
    assert [(item["name"], item["dtype"], item["shape"]) for item in signature["inputs"]] == [
        ("picture", "float32", [1, 1, 16, 16])
    ]
    assert [item["shape"] for item in signature["outputs"]] == [[1, 10]]
    assert graph["operators"]["aten.conv2d.default"] == 3
    assert graph["custom_operators"] == graph["control_flow"] == {}
    # 4446 parameters, and mean and variance of three normalisations of 8, 16 and 20 features.
    assert graph["parameters"] == {
        "float32": {"count": 4446 + 2 * 44, "bytes": 4 * (4446 + 2 * 44)},
        "int64": {"count": 3, "bytes": 24},
    }


def test_torchscript_tells_its_operators_and_says_what_is_pickled():
    document = recognise.inspect(STARTER / "digits.pt")
    assert document["kind"] == "torchscript"
    (graph,) = document["graphs"]
    assert (graph["operators"]["_convolution"], graph["custom_operators"]) == (3, {})
    assert "23 tensors (18,160 bytes) are pickled, and pickle is not read" in document["notes"][0]


@pytest.mark.parametrize("name", ["digits.pt2", "digits.pt"])
def test_a_truncated_file_is_refused(tmp_path, name):
    path = tmp_path / name
    path.write_bytes((STARTER / name).read_bytes()[:-100])
    with pytest.raises(UserError, match="is truncated"):
        recognise.inspect(path)


@pytest.mark.parametrize("name", ["digits.pt2", "digits.pt"])
def test_the_table_can_be_printed(name):
    assert report.KINDS["pytorch_program" if name == "digits.pt2" else "torchscript"] in report.table(
        recognise.inspect(STARTER / name)
    )
