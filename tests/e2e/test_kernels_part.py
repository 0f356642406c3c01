"""Where kernels part on MLPerf Tiny's own int8 file, whose answers they disagree on."""

import numpy as np
import pytest

from zoomill.tflite import kernel_fault, tflite_file

PICTURES = 20


@pytest.fixture(scope="module")
def file(zoo):
    """The bytes of the file, its contract, and the first pictures that are evaluated."""
    data = (zoo / "mlperf_tiny_ic01_resnet/pretrainedResnet_quant.tflite").read_bytes()
    described = tflite_file.describe(tflite_file.parse(data, None))
    contract = {side: [{**end, "tensor": end["name"]} for end in described[side]] for side in ("inputs", "outputs")}
    names = sorted((zoo / "evaldata_mlperf_tiny/ic01").glob("*.bin"))[:PICTURES]
    pictures = [np.fromfile(name, np.uint8).astype(np.int16) - 128 for name in names]
    name, shape = described["inputs"][0]["name"], described["inputs"][0]["shape"]
    return data, contract, [{name: picture.astype(np.int8).reshape(shape)} for picture in pictures]


def test_rounding_begins_with_a_step_of_a_convolution_and_grows_with_depth(file):
    places = {}
    for kernels in ("builtin", "xnnpack"):
        found = kernel_fault.first(*file, kernels, 1)
        assert (found["differs"]["operator"], found["differs"]["steps"]) == ("CONV_2D", 1)
        places[kernels] = [found[name]["place"] for name in ("differs", "beyond", "far")]
        assert places[kernels] == sorted({*places[kernels]})
    assert all(xnnpack < builtin for xnnpack, builtin in zip(places["xnnpack"], places["builtin"], strict=True))


def test_tflite_micro_gives_every_tensor_as_the_reference_does(file):
    assert kernel_fault.first(*file, "micro", 1) == dict.fromkeys(("differs", "beyond", "far"))
