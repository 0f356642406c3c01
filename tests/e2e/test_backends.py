"""The matrix of what runs a file, of the starter whose int8 file the GPU gets wrong."""

import json
import shutil

import pytest
from conftest import copied, missing

pytestmark = pytest.mark.slow
MODEL = "digits_resnet8"
# The 1x1 convolution with a stride that LiteRT's GPU accelerator makes as if it had none.
GUILTY = "digits_resnet8/conv2d_5/BiasAdd_1"
ONE_FILE = ["tflite=[int8]", "tfjs=[]"]


@pytest.fixture(scope="module")
def run(digits, tmp_path_factory):
    """A finished run with the matrix."""
    if not shutil.which("chromium"):
        missing("Chromium, whose SwiftShader stands for a GPU, is not installed")
    run = copied(digits, tmp_path_factory.mktemp("backends") / "copy")
    run.run(f"results/{MODEL}/main.backends.md", config=ONE_FILE, check=False)  # it says what the gates found
    return run


@pytest.fixture(scope="module")
def cells(run):
    (row,) = json.loads(run.file(f"results/{MODEL}/main.backends.json").read_text())["rows"]
    assert (row["variant"], row["format"]) == ("int8", "tflite")
    return row["backends"]


def test_tflite_micro_gives_what_the_reference_kernels_give_and_xnnpack_does_not(cells):
    assert cells["kernels micro"]["differ"] == 0 < cells["kernels xnnpack"]["differ"]
    assert cells["kernels xnnpack"]["inputs"] == 368 and cells["kernels xnnpack"]["flips"] == 0


def test_where_xnnpack_parts_it_is_rounding_until_the_softmax(cells):
    first = cells["kernels xnnpack"]["first"]
    assert first["differs"]["steps"] == 1 and first["differs"]["operator"] == "CONV_2D"
    assert first["differs"]["place"] < first["beyond"]["place"]
    assert first["beyond"]["operator"] == first["far"]["operator"] == "SOFTMAX"


def test_the_operator_that_the_gpu_gets_wrong_is_named_by_both_runtimes(cells):
    gpu, page = cells["gpu gpu"], cells["litertjs webgpu"]
    assert gpu["beyond"] and page["beyond"] and gpu["flips"] == page["flips"] > 10
    assert gpu["first"].startswith(f"CONV_2D 8 ({GUILTY}), alone, is off by")
    assert page["first"]["far"]["tensor"] == GUILTY and page["first"]["far"]["place"] == 8


def test_the_table_has_all_of_it(run):
    text = run.file(f"results/{MODEL}/main.backends.md").read_text()
    assert "| int8 " in text and f"(`{GUILTY}`)" in text and "tfjs" not in text


@pytest.mark.parametrize(
    ("target", "config", "reason"),
    [
        ("main.backends.json", ["tflite=[]", "tfjs=[]"], "config.yaml names no variant of the graph that can be had"),
        ("detect_cut.backends.md", ONE_FILE, "detect_cut"),
    ],
)
def test_a_matrix_of_nothing_is_refused(run, target, config, reason):
    process = run.run(f"results/{MODEL}/{target}", "-n", config=config, check=False)
    assert process.returncode and reason in process.stdout.splitlines()[-1]
