"""What LiteRT's GPU accelerator says of a file, and the process that it runs in."""

import faulthandler
import os
import signal

import numpy as np
import pytest
import small_models
from ai_edge_litert import schema_py_generated as schema

from zoomill.errors import UserError
from zoomill.tflite import gpu, swiftshader

REFUSAL = """INFO: Created a WebGPU environment.
I0000 00:00:1795978830.053544   22034 environment.cc:532] Selected adapter: SwiftShader Device (Subzero), type=CPU
ERROR: Following operations are not supported by GPU delegate:
DEQUANTIZE: 
GATHER: Only support 1D indices
SOFTMAX: is not here
{} operations will run on the GPU, and the remaining 2 operations will run on the CPU.
W0000 00:00:1795978703.358381   12751 builder.cc:3901] Shape mismatch in Update. Requested {{1}} vs {{2}}
W0000 00:00:1795978703.358381   12751 builder.cc:3901] Shape mismatch in Update. Requested {{1}} vs {{2}}
"""


def network():
    """Return a model of RELU and GATHER, whose indices a DEQUANTIZE of a constant stands for in the logs."""
    builder = small_models.Builder()
    index = {name: builder.tensor(name, [1, 4]) for name in ("x", "inner", "y", "real")}
    half = builder.tensor("half", np.float16([[1, 2, 3, 4]]))
    places = builder.tensor("places", np.int32([0]))
    builder.operator("DEQUANTIZE", [half], [index["real"]])
    builder.operator("ADD", [index["x"], index["real"]], [index["inner"]], schema.AddOptionsT())
    builder.operator("GATHER", [index["inner"], places], [index["y"]], schema.GatherOptionsT())
    return builder.build([index["x"]], [index["y"]])


def test_where_operators_run_is_told_without_those_of_constants():
    model = network()
    refused = ["GATHER: Only support 1D indices"]
    assert gpu.residency(REFUSAL.format(1), False, model) == {"operators": 2, "on_gpu": 1, "refused": refused}
    assert gpu.residency("", True, model) == {"operators": 2, "on_gpu": 2, "refused": []}
    custom = (
        f"{gpu._REFUSED}\nCUSTOM Odd: Odd\n1 operations will run on the GPU, and the remaining 1 operations will run"
    )
    assert gpu.residency(custom, False, model)["refused"] == ["CUSTOM Odd: Odd"]
    none = "Following operations are not supported by GPU delegate:\nADD: no\nNo operations will run on the GPU, and"
    assert gpu.residency(none, False, model) == {"operators": 2, "on_gpu": 0, "refused": ["ADD: no"]}


def test_device_and_warnings_are_read_from_what_it_prints():
    assert gpu.adapter(REFUSAL) == "SwiftShader Device (Subzero), type=CPU" and gpu.adapter("") is None
    assert gpu.warnings(REFUSAL.format(1)) == ["Shape mismatch in Update. Requested {1} vs {2}"]


@pytest.fixture
def no_vulkan(monkeypatch):
    monkeypatch.setattr(swiftshader, "load", lambda folder: None)


def test_a_child_answers_with_what_it_made_and_what_was_printed(no_vulkan):
    def work():
        os.write(1, b"one ")
        os.write(2, b"two")
        return {"y": np.arange(3)}

    value, log = gpu.in_child("", work)
    assert log == "one two" and value["y"].tolist() == [0, 1, 2]


def crash():
    faulthandler.disable()  # that of pytest
    os.kill(os.getpid(), signal.SIGSEGV)


def refuse():
    for line in ("[somewhere.h:1]", gpu._REFUSED, "Tensor 44 has invalid quantization parameters."):
        os.write(2, f"ERROR: {line}\n".encode())
    raise RuntimeError("ERROR: [somewhere.h:1]")


def fail():
    raise ValueError("of ours")


@pytest.mark.parametrize(
    ("work", "reason"),
    [
        (crash, "the accelerator crashed in native code (signal 11, SIGSEGV)"),
        (refuse, "Tensor 44 has invalid quantization parameters."),
        (fail, "ValueError: of ours"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_child_that_ends_otherwise_is_one_line(no_vulkan, work, reason):
    with pytest.raises(gpu.CannotRun) as refused:
        gpu.in_child("", work)
    assert str(refused.value) == reason


def test_what_a_user_has_to_be_told_of_an_input_is_told(no_vulkan):
    def work():
        raise UserError("the input x has no `value_range`")

    with pytest.raises(UserError, match="^the input x has no `value_range`$"):
        gpu.in_child("", work)


def test_a_machine_without_swiftshader_is_told_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(swiftshader, "_FOLDERS", (str(tmp_path),))
    with pytest.raises(UserError, match="no-chromium: has no SwiftShader beside it.*install Debian's chromium"):
        swiftshader.find("no-chromium")


def test_swiftshader_lies_beside_the_program_that_a_link_leads_to(monkeypatch, tmp_path):
    monkeypatch.setattr(swiftshader, "_FOLDERS", ())
    (tmp_path / "real").mkdir()
    for name in (*swiftshader._PARTS, "chromium"):
        (tmp_path / "real" / name).write_text("")
    (tmp_path / "real/chromium").chmod(0o755)
    (tmp_path / "chromium").symlink_to("real/chromium")
    assert swiftshader.find(str(tmp_path / "chromium")) == str(tmp_path / "real")
