"""Reading .weights files."""

import struct

import numpy as np
import pytest

from zoomill.errors import UserError
from zoomill.inspect.darknet_cfg import Section
from zoomill.sources.darknet.weights import Weights

NEW = struct.pack("<iiiQ", 0, 2, 5, 64)
OLD = struct.pack("<iiiI", 0, 1, 0, 64)


def section(**options):
    """Return a section with options."""
    return Section("model.cfg", 7, "convolutional", {key: str(value) for key, value in options.items()})


def weights(tmp_path, values, header=NEW):
    """Write and open a .weights file."""
    path = tmp_path / "model.weights"
    path.write_bytes(header + np.asarray(values, "<f4").tobytes())
    return Weights(path)


@pytest.mark.parametrize("header", [NEW, OLD], ids=["uint64", "uint32"])
def test_the_header_is_as_long_as_its_version_says(tmp_path, header):
    found = weights(tmp_path, [1, 2], header)
    kernel, bias = found.convolution(section(), 1, 1, 1)
    found.finish("model.cfg")
    assert (bias.tolist(), kernel.ravel().tolist()) == ([1], [2])


def test_a_kernel_is_stored_by_filter_channel_row_and_column(tmp_path):
    stored = np.arange(2 * 3 * 2 * 2).reshape(2, 3, 2, 2)
    kernel, bias = weights(tmp_path, [100, 200, *stored.ravel()]).convolution(section(), 2, 3, 2)
    assert kernel.shape == (2, 2, 3, 2) and kernel.dtype == bias.dtype == np.float32
    assert kernel[1, 0, 2, 1] == stored[1, 2, 1, 0] and bias.tolist() == [100, 200]


def test_normalisation_is_folded_as_darknet_computes_it(tmp_path):
    bias, scale, mean, variance, kernel = 0.5, 3.0, 2.0, 1e-8, 4.0
    found = weights(tmp_path, [bias, scale, mean, variance, kernel]).convolution(section(batch_normalize=1), 1, 1, 1)
    x = 10.0
    expected = (kernel * x - mean) / (np.sqrt(np.float32(variance)) + 1e-6) * scale + bias
    assert found[0].item() * x + found[1].item() == pytest.approx(expected, rel=1e-6)


def test_a_matrix_is_stored_by_output_channel_row_and_column_and_before_its_normalisation(tmp_path):
    stored = np.arange(2 * 12).reshape(2, 3, 2, 2)
    values = [1, 2, *stored.ravel(), 1, 10, 0, 0, 1, 1]
    kernel, bias = weights(tmp_path, values).connection(section(batch_normalize=1), 2, (2, 2, 3))
    assert kernel.shape == (2, 2, 3, 2)
    assert kernel[1, 0, 2].tolist() == pytest.approx([stored[0, 2, 1, 0], 10 * stored[1, 2, 1, 0]], rel=1e-5)
    assert bias.tolist() == [1, 2]


def test_a_file_that_ends_early_is_refused_with_the_counts(tmp_path):
    with pytest.raises(UserError) as caught:
        weights(tmp_path, [1, 2, 3]).convolution(section(), 1, 1, 3)
    assert str(caught.value) == (
        "model.cfg: line 7: [convolutional] needs 40 bytes of parameters so far, "
        f"{tmp_path}/model.weights has 12; is it cut off, or do the two files not belong together?"
    )


@pytest.mark.parametrize("tail", [b"\0", b"\0\0\0\0"])
def test_a_file_with_bytes_left_over_is_refused_with_the_counts(tmp_path, tail):
    (tmp_path / "model.weights").write_bytes(NEW + bytes(8) + tail)
    found = Weights(tmp_path / "model.weights")
    found.convolution(section(), 1, 1, 1)
    with pytest.raises(UserError) as caught:
        found.finish("model.cfg")
    assert str(caught.value) == (
        f"{tmp_path}/model.weights: has {8 + len(tail)} bytes of parameters, model.cfg uses 8: "
        f"{len(tail)} bytes are left over; do the two files belong together?"
    )


def test_parameters_that_make_no_numbers_are_refused(tmp_path):
    found = weights(tmp_path, [0, 1, 0, -1, 1])
    with pytest.raises(UserError, match="gives values that are no numbers"):
        found.convolution(section(batch_normalize=1), 1, 1, 1)


@pytest.mark.parametrize(
    "data, message",
    [(b"", "has 0 bytes, too few"), (b"\x89PNG\r\n\x1a\n" * 3, "has version"), (None, "cannot be read: No such file")],
)
def test_a_file_of_another_kind_is_refused(tmp_path, data, message):
    path = tmp_path / "model.weights"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(UserError, match=message):
        Weights(path)
