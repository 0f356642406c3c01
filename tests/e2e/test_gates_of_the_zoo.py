"""One file of each starter model at all gates: it passes, cannot run there for a reason, or has a known fault."""

import json

import pytest
from conftest import STARTERS, copied

from zoomill.plan import gates

pytestmark = pytest.mark.slow
# The variant of each model that asks most; yolo_shapes and edges_pix2pix lose too much as int8.
FILES = {
    "ssd_mobilenet_v1_shapes": "detect_cut.int8",
    "digits_autoencoder": "main.int8",
    "digits_dscnn_saved_model": "main.int8",
    "digits_onnx": "main.int8",
    "digits_pytorch": "main.torch_float32",
    "digits_resnet8": "main.int8",
    "digits_slim": "main.int8",
    "edges_pix2pix": "main.float32",
    "shapes_landmarks": "main.int8",
    "yolo_shapes": "main.float32",
}
# Accelerators that get 1x1 convolutions with a stride and int8 weights wrong.
AT_FAULT = ("gpu", "litertjs")


@pytest.fixture(scope="module")
def answers(starters, tmp_path_factory):
    """``{(model, gate): evidence}``."""
    run = copied(starters, tmp_path_factory.mktemp("gates") / "copy")
    paths = {
        (model, gate): f"results/{model}/{name}.{gate}.json" for model, name in FILES.items() for gate in gates.NAMES
    }
    process = run.run(*paths.values(), config=STARTERS, check=False)
    missing = [path for path in paths.values() if not run.file(path).exists()]
    assert not missing, process.stdout[-4000:]
    return {key: json.loads(run.file(path).read_text()) for key, path in paths.items()}


@pytest.mark.parametrize("gate", gates.NAMES)
def test_a_file_that_may_run_there_passes_unless_it_has_a_known_fault(answers, gate):
    for model in FILES:
        found = answers[model, gate]
        if gate in AT_FAULT and answers[model, "gpu"]["known_faults"]:
            assert found["verdict"] == "failed", (model, found)
        else:
            assert found["verdict"] in ("passed", "does not apply"), (model, found["failures"], found["not_tested"])
            assert (found["verdict"] == "passed") == (found["reason"] is None)


@pytest.mark.parametrize("gate", gates.NAMES)
def test_every_gate_has_something_to_say_of_the_zoo(answers, gate):
    assert any(answers[model, gate]["said"] for model in FILES) or gate == "tasks"


def test_the_operator_at_fault_is_named(answers):
    *_, line = answers["digits_resnet8", "gpu"]["failures"]
    assert "; CONV_2D 8 (" in line and "alone, is off by " in line
