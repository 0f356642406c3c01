"""The gate of LiteRT.js: .tflite files in Chromium on wasm and WebGPU, against LiteRT's own kernels."""

import shutil

import pytest
from conftest import missing

from zoomill import files

pytestmark = pytest.mark.slow
MODEL = "digits_resnet8"


@pytest.fixture(scope="session")
def asked(environment_python, command, javascript, digits, tmp_path_factory):
    """Return a function from a variant of the digits, and flags of its inputs, to the evidence."""
    if not shutil.which("chromium"):
        missing("Chromium is not installed")
    python, out = environment_python("web"), tmp_path_factory.mktemp("litertjs") / "litertjs.json"

    def ask(variant, *inputs):
        flags = ["--artifact", digits.file(f"results/{MODEL}/main.{variant}.tflite"), "--library", javascript]
        flags += ["--contract", digits.file(f"build/{MODEL}/main/contract.json"), "--variant", variant, *inputs]
        process = command(python, "validate_litertjs", *flags, "--output", out)
        assert process.returncode == 0, process.stderr
        return files.read_json(out)

    return ask


@pytest.fixture(scope="session")
def inputs(digits):
    """Flags of golden inputs and samples."""
    build = digits.file(f"build/{MODEL}")
    form = ["--form", '{"reader": "npy", "label": "class"}', "--folder", digits.file("sources/digits")]
    return ["--golden", build / "main/golden.npz", "--samples", build / "evaluation.csv", *form]


def test_a_file_runs_on_wasm_and_webgpu_with_litert_s_answers_and_leaves_nothing_behind(asked, inputs):
    found = asked("int8_gpu", *inputs)
    assert (found["verdict"], found["said"], sorted(found["backends"])) == (
        "passed",
        "wasm, webgpu",
        ["wasm", "webgpu"],
    )
    for name in ("wasm", "webgpu"):
        assert (found["parity"][name]["inputs"], found["parity"][name]["flips"]) == (368, 0)
    assert found["webgpu_adapter"] and found["chromium"]


def test_what_webgpu_gets_wrong_fails_and_wasm_does_not(asked, inputs):
    found = asked("int8", *inputs)
    assert found["verdict"] == "failed" and all(phrase.startswith("webgpu: ") for phrase in found["failures"])
    assert found["failures"][0].startswith("webgpu: 18 of 368 decisions")
    assert found["parity"]["wasm"]["flips"] == 0


def test_integers_that_it_cannot_have_are_a_reason_and_no_failure(asked, inputs):
    found = asked("int8_io", *inputs)
    assert (found["verdict"], found["passed"]) == ("does not apply", True)
    assert found["reason"] == "picture is int8, and LiteRT.js reads and writes float32, int32, uint8"


def test_without_inputs_it_is_loaded_and_run_all_the_same(asked):
    found = asked("float32")
    assert (found["verdict"], found["failures"], found["said"]) == ("not tested", [], "wasm, webgpu")
    assert found["not_tested"][0].startswith("it was run on no evaluation samples")
