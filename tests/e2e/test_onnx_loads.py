"""ONNX models of the kinds that onnx2tf fails at: the graph is right, or one line names the node and what to do."""

import subprocess

import pytest
from conftest import REPOSITORY

from zoomill import files

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def loads(tmp_path_factory, environment_python):
    """What onnx_loads.py writes."""
    folder = tmp_path_factory.mktemp("loads")
    script = REPOSITORY / "tests/e2e/onnx_loads.py"
    process = subprocess.run([environment_python("onnx"), script, folder], text=True, capture_output=True)
    assert process.returncode == 0, process.stderr
    return files.read_json(folder / "loads.json")


@pytest.mark.parametrize(
    "name",
    [
        *("float16", "if of the shape", "pad of axes", "LSTM", "GRU", "RNN", "full lengths", "channels-last"),
        *("channels-last by its size", "channels-first with a width of 3", "softmax of a matrix", "same lower"),
        *("same lower pool", "kernel without a size", "upsample", "nearest upsample", "align corners"),
    ],
)
def test_the_graph_of_an_onnx_model_agrees_with_onnx_runtime(loads, name):
    assert loads[name].get("share", loads[name]) < 1e-5


REFUSED = {
    "if of the input": "If tested cannot be converted: its condition depends on the input; export one branch",
    "loop": "Loop tested cannot be converted: loops cannot be converted; export the model with a fixed number of steps",
    "sequence": "SplitToSequence tested cannot be converted: lists of tensors cannot be converted; end the model",
    "random": "RandomNormalLike tested cannot be converted: it draws random numbers; export the model for inference",
    "open size": "NonZero tested cannot be converted: the size of its output depends on the values of the input; end",
    "unknown": "FastGelu tested cannot be converted: onnx2tf does not know it; export it as simpler operators",
    "lengths": "LSTM tested cannot be converted: its sequences are of different lengths; export it without",
    "resize of the input": "Resize tested cannot be converted: s depends on the values of the input; export",
    "failing": "onnx2tf cannot convert Pad tested: ",
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_operator_that_cannot_be_converted_is_named_in_one_line(loads, name):
    line = loads[name]["refused"]
    assert f"model.onnx: {REFUSED[name]}" in line
    assert "\n" not in line


def test_a_miss_names_the_first_node_that_goes_apart_and_not_the_one_after(loads):
    line = loads["apart"]["refused"]
    assert "onnx2tf makes an output y of it that is off by" in line
    assert "of the peak, from the CumSum tested on (off by " in line
    line = loads["another shape"]["refused"]
    assert "an output of [1, 6] into [1, 4], from the GatherND tested on (of another shape); export" in line


def test_a_source_of_float16_says_so_and_keeps_its_own_rounding(loads):
    assert loads["float16"]["notes"][0].startswith("the source computes with float16; here these numbers are floats")
    assert 1e-4 < loads["float16"]["rounded"] < 0.1


@pytest.mark.parametrize("name", ["channels-last", "channels-last by its size"])
def test_a_channels_last_source_keeps_its_layout_and_is_noted_rightly(loads, name):
    assert loads[name]["shapes"][0] == [1, 8, 6, 3]
    assert loads[name]["notes"] == ["x has the order of dimensions that it has in the source"]


def test_a_picture_that_a_convolution_takes_for_channels_first_is_so_whatever_its_width(loads):
    assert loads["channels-first with a width of 3"]["shapes"][0] == [1, 8, 3, 5]


def test_a_resize_that_tensorflow_has_stays_one_operator(loads):
    assert "ResizeBilinear" in loads["align corners"]["operators"]
    assert "MatMul" not in " ".join(loads["align corners"]["operators"])


def test_no_resize_that_onnx_runtime_runs_is_silently_wrong(environment_python):
    script = REPOSITORY / "tests/bench/resize.py"
    process = subprocess.run([environment_python("onnx"), script, "--every", "61"], text=True, capture_output=True)
    assert process.returncode == 0, process.stderr
    *_, right, refused, wrong = process.stdout.splitlines()[-1].strip("| ").replace(" ", "").split("|")
    assert int(right) > 30
    assert int(refused) < int(right) / 4
    assert wrong == "0"
