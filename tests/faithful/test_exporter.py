"""zoomill's export against the original exporter of the Object Detection API, in TensorFlow 1."""

import numpy as np
import pytest

from faithful.models import GRAPHS
from zoomill.tflite import detection_parity, tflite_file

pytestmark = pytest.mark.slow

HEADS = ("raw_outputs/box_encodings", "raw_outputs/class_predictions")


@pytest.fixture(scope="session")
def session_outputs(model, original_python):
    """Outputs of the original's graph and of ours in one session of TensorFlow 1.15.5."""
    return model.run_originally(original_python("tf115"))


@pytest.mark.parametrize("head", HEADS)
def test_graph_computes_in_tensorflow_1_what_the_original_computes(model, session_outputs, head):
    original, ours = session_outputs
    # The 2018 meta graph multiplies batch norm out, where the exporter builds a fused one: 1.2e-5 was seen.
    unfused = model.source.name == "coco"
    np.testing.assert_allclose(ours[head], original[head], rtol=0, atol=5e-5 if unfused else 0)


def test_anchors_are_the_originals_bit_by_bit(model, session_outputs):
    np.testing.assert_array_equal(model.anchors, session_outputs[0]["anchors"], strict=True)


@pytest.mark.parametrize("graph", GRAPHS)
def test_converted_graph_has_the_outputs_of_the_converted_original_bit_by_bit(model, graph):
    original, ours = model.converted("original", graph), model.converted("ours", graph)
    for expected, found in zip(model.outputs(original, graph), model.outputs(ours, graph), strict=True):
        for name in expected:
            np.testing.assert_array_equal(found[name], expected[name], name, strict=True)
    assert tflite_file.operators(tflite_file.read(ours)) == tflite_file.operators(tflite_file.read(original))


@pytest.mark.parametrize("name", ["shapes", "traffic_signs"])
def test_converted_graph_finds_all_that_the_source_itself_finds_above_its_threshold(request, name):
    model = request.getfixturevalue(name)
    contract, converted = model.contract("detect_regular"), model.converted("ours", "detect_regular")
    assert contract["postprocess"]["nms_score_threshold"] == np.float32(0.3)
    strict = {"score": 1e-5, "unmatched": 0}
    verdict, _ = detection_parity.of_file(converted, contract, model.golden, model.anchors, strict)
    assert verdict.failures == []
    found = verdict.figures["source"]
    assert found["matched"] == found["expected"] == found["found"] >= 10
    assert found["score_difference"] < 1e-5
    assert found["lowest_iou"] > 0.9999
