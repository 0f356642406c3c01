"""Inspecting Darknet networks."""

import numpy as np
import pytest

from zoomill.errors import UserError
from zoomill.inspect import recognise

CFG = """
[net]
channels = 3
height = 8
width = 16
[convolutional]
batch_normalize=1
filters=4
size=3
stride=2
pad=1
[convolutional]
filters=4
groups=2
[shortcut]
from=-2
[maxpool]
size=2
stride=2
[upsample]
[route]
layers=-1,0
[convolutional]
filters=6
[yolo]
"""
# Bias, scales, means, variances and kernel; two convolutions with a bias and a kernel.
COUNT = (4 * 4 + 4 * 3 * 9) + (4 + 4 * 2) + (6 + 6 * 8)


@pytest.fixture
def save(tmp_path):
    """Return a function that writes the pair and returns the path of the .cfg."""

    def write(text=CFG, count=COUNT, version=(0, 2, 5), name="net.weights", extra=b""):
        path = tmp_path / "net.cfg"
        path.write_text(text)
        if count is not None:
            seen = np.array([640], np.uint64 if version[1] >= 2 else np.uint32).tobytes()
            header = np.array(version, np.int32).tobytes() + seen
            (tmp_path / name).write_bytes(header + np.zeros(count, np.float32).tobytes() + extra)
        return path

    return write


def test_a_network_has_its_input_its_heads_its_layers_and_its_parameters(save):
    report = recognise.inspect(save())
    (graph,) = report["graphs"]
    assert (report["kind"], report["producer"]) == ("darknet", {"weights": "0.2.5", "pictures_seen": 640})
    assert graph["signatures"] == [
        {
            "name": None,
            "inputs": [{"name": "net", "tensor": "net", "dtype": "float32", "shape": [-1, 3, 8, 16]}],
            "outputs": [{"name": "yolo_7", "tensor": "7", "dtype": "float32", "shape": [-1, 6, 4, 8]}],
        }
    ]
    kinds = {"convolutional": 3, "shortcut": 1, "maxpool": 1, "upsample": 1, "route": 1, "yolo": 1}
    assert graph["operators"] == kinds
    assert graph["parameters"] == {"float32": {"count": COUNT, "bytes": 4 * COUNT}}


def test_headers_of_old_weights_are_shorter(save):
    assert recognise.inspect(save(version=(0, 1, 0)))["producer"]["pictures_seen"] == 640


def test_without_weights_the_configuration_tells_the_parameters(save):
    report = recognise.inspect(save(count=None))
    assert report["notes"] == ["net.weights is not there"]
    assert report["graphs"][0]["parameters"]["float32"]["count"] == COUNT


@pytest.mark.parametrize("count", [COUNT - 1, COUNT + 1])
def test_missing_and_left_over_weights_are_refused(save, count):
    with pytest.raises(UserError, match=rf"net\.weights: holds {count} values where net\.cfg needs {COUNT}"):
        recognise.inspect(save(count=count))


@pytest.mark.parametrize("extra", [b"\0", b"\0\0\0"])
def test_weights_that_end_inside_a_value_are_refused(save, extra):
    with pytest.raises(UserError, match=r"net\.weights: is truncated"):
        recognise.inspect(save(extra=extra))


def test_weights_of_another_name_are_given(save, tmp_path):
    path = save(name="final.weights")
    assert recognise.inspect(path)["producer"] == {}
    assert recognise.inspect(path, tmp_path / "final.weights")["producer"]["weights"] == "0.2.5"
    with pytest.raises(UserError, match=r"none\.weights: there is no such file"):
        recognise.inspect(path, tmp_path / "none.weights")


def test_an_unknown_section_is_custom_and_nothing_after_it_is_known(save):
    report = recognise.inspect(save(CFG.replace("[maxpool]", "[teleport]")))
    (graph,) = report["graphs"]
    assert graph["custom_operators"] == {"teleport": 1}
    assert graph["signatures"][0]["outputs"][0]["shape"] is None
    assert report["notes"] == ["shapes and parameters from [teleport] on are not known"]


@pytest.mark.parametrize(
    "old, new",
    [
        ("[net]", "[layer]"),
        ("layers=-1,0", "layers=99"),
        ("channels = 3", "channels = three"),
        ("stride=2", "stride=0"),
        ("filters=4", f"filters={'9' * 5000}"),
        ("filters=4", f"filters={10**30}"),
    ],
)
def test_values_that_make_no_network_are_refused(save, old, new):
    with pytest.raises(UserError, match=r"net\.cfg: "):
        recognise.inspect(save(CFG.replace(old, new)))
