"""The starter SSD in uint8 by TOCO, with the ranges that its card sets."""

import json

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from conftest import Workflow

MODEL = "ssd_mobilenet_v1_shapes"
pytestmark = pytest.mark.slow


@pytest.fixture
def with_ranges(repository_copy, tmp_path):
    """A run in which the card gives default ranges."""
    with open(repository_copy / f"models/{MODEL}.yaml", "a") as card:
        card.write("toco: {default_ranges: [-6, 6]}\n")
    return Workflow(tmp_path / "run", repository_copy)


def test_default_ranges_of_a_card_give_a_file_of_integers_that_says_how_far_it_is_off(with_ranges):
    target = f"results/{MODEL}/detect_regular.toco_uint8.tflite"
    with_ranges.run(f"{target}.json")
    evidence = json.loads(with_ranges.file(f"{target}.json").read_text())
    assert (evidence["variant"], evidence["converter"]) == ("toco_uint8", "TOCO Converted.")
    assert evidence["conversion"]["operators_after"] == sum(evidence["operators"].values())
    assert evidence["parity"]["expected"]["expected"] > 0
    interpreter = Interpreter(str(with_ranges.file(target)))
    interpreter.allocate_tensors()
    (start,), stops = interpreter.get_input_details(), interpreter.get_output_details()
    assert (start["dtype"], start["quantization"]) == (np.uint8, (0.0078125, 128))
    assert [stop["dtype"] for stop in stops] == [np.float32] * 4
