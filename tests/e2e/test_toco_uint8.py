"""The starter SSD in uint8 by TOCO, with the ranges that its card sets."""

import json

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

MODEL = "ssd_mobilenet_v1_shapes"
pytestmark = pytest.mark.slow


@pytest.fixture
def with_toco(starter_copy):
    """Return a function that gives a run in which the card has a setting of ``toco``."""

    def edited(setting):
        with open(starter_copy.repository / f"models/{MODEL}.yaml", "a") as card:
            card.write(f"toco: {setting}\n")
        return starter_copy

    return edited


def test_default_ranges_of_a_card_give_a_file_of_integers_that_says_how_far_it_is_off(with_toco):
    run = with_toco("{default_ranges: [-6, 6]}")
    target = f"results/{MODEL}/detect_regular.toco_uint8.tflite"
    run.run(f"{target}.json")
    evidence = json.loads(run.file(f"{target}.json").read_text())
    assert (evidence["variant"], evidence["converter"]) == ("toco_uint8", "TOCO Converted.")
    assert evidence["conversion"]["operators_after"] == sum(evidence["operators"].values())
    assert evidence["parity"]["decision"]["expected"] > 0
    interpreter = Interpreter(str(run.file(target)))
    interpreter.allocate_tensors()
    (start,), stops = interpreter.get_input_details(), interpreter.get_output_details()
    assert (start["dtype"], start["quantization"]) == (np.uint8, (0.0078125, 128))
    assert [stop["dtype"] for stop in stops] == [np.float32] * 4


def test_a_graph_without_the_fake_quant_nodes_that_its_card_promises_is_refused(with_toco):
    run, target = with_toco("{fake_quant: true}"), f"build/{MODEL}/detect_cut/toco_uint8.tflite"
    process = run.run(target, check=False)
    (error,) = {line for line in process.stdout.splitlines() if line.startswith("error: ")}
    assert error.startswith(f"error: {MODEL}: build/{MODEL}/detect_cut/graph.pb: FeatureExtractor/")
    assert error.endswith(" has no fake-quant node; give `toco: default_ranges` in the card")
    assert process.returncode != 0 and not run.file(target).exists()
