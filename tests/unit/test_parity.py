"""Comparing an artifact with the golden outputs."""

import numpy as np
import pytest

from zoomill import parity, ssd_graph

ANCHORS, CLASSES, IMAGES = 30, 3, 4
CONTRACT = {
    "inputs": [{"name": "image", "tensor": ssd_graph.INPUT}],
    "outputs": [
        {"name": "box_encodings", "tensor": ssd_graph.BOXES},
        {"name": "class_predictions", "tensor": ssd_graph.SCORES},
    ],
}


@pytest.fixture
def golden():
    """Golden arrays of made-up heads; the image is a number that only says which row it is."""
    random = np.random.default_rng(0)
    return {
        ssd_graph.INPUT: np.arange(IMAGES),
        ssd_graph.BOXES: random.normal(0, 2, (IMAGES, ANCHORS, 4)).astype(np.float32),
        ssd_graph.SCORES: random.uniform(0, 1, (IMAGES, ANCHORS, CLASSES + 1)).astype(np.float32),
    }


def test_outputs_are_measured_by_their_largest_and_mean_error(golden):
    def artifact(contract, feed):
        row = feed[ssd_graph.INPUT]
        boxes = golden[ssd_graph.BOXES][[row]].copy()
        boxes[0, 0, 0] += np.float32(0.5) if row == 2 else 0
        return {"box_encodings": boxes, "class_predictions": golden[ssd_graph.SCORES][[row]]}

    found = parity.of_outputs(artifact, CONTRACT, golden)
    assert found["box_encodings"]["max_abs"] == pytest.approx(0.5)
    assert found["box_encodings"]["mean_abs"] == pytest.approx(0.5 / (IMAGES * ANCHORS * 4))
    scores = found["class_predictions"]
    assert (scores["max_abs"], scores["mean_abs"]) == (0, 0)
