"""Comparing an artifact with the golden outputs; the artifact here is the op itself, run by LiteRT on raw heads."""

import dataclasses

import numpy as np
import pytest
from small_models import heads, options, run

from zoomill import parity, ssd_graph, tflite_file

OUTPUTS = ("detection_boxes", "detection_classes", "detection_scores", "num_detections")
ANCHORS, CLASSES, IMAGES = 30, 3, 4


@pytest.fixture
def golden():
    """Golden arrays of made-up heads; the image is a number that only says which row it is."""
    random = np.random.default_rng(0)
    scores = random.permutation(IMAGES * ANCHORS * (CLASSES + 1)).reshape(IMAGES, ANCHORS, CLASSES + 1)
    return {
        ssd_graph.INPUT: np.arange(IMAGES),
        ssd_graph.BOXES: random.normal(0, 2, (IMAGES, ANCHORS, 4)).astype(np.float32),
        ssd_graph.SCORES: (scores / scores.size).astype(np.float32),
    }


@pytest.fixture
def anchors():
    random = np.random.default_rng(1)
    return np.concatenate([random.uniform(0, 1, (ANCHORS, 2)), random.uniform(0.05, 0.5, (ANCHORS, 2))], 1).astype("f4")


def contract(asked, **source):
    """Return the parts of a contract that parity reads."""
    return {
        "postprocess": dataclasses.asdict(asked),
        "source_postprocess": dataclasses.asdict(options(**source)),
        "inputs": [{"name": "image", "tensor": ssd_graph.INPUT}],
        "outputs": [
            {"name": "box_encodings", "tensor": ssd_graph.BOXES},
            {"name": "class_predictions", "tensor": ssd_graph.SCORES},
        ],
    }


def detector(golden, anchors, asked, scores=None):
    """Return an artifact that runs the op on the golden heads, or on other scores."""
    model = heads(ANCHORS, CLASSES + 1)
    tflite_file.append_postprocess(model, anchors, asked)
    scores = golden[ssd_graph.SCORES] if scores is None else scores

    def artifact(contract, feed):
        row = feed[ssd_graph.INPUT]
        return dict(zip(OUTPUTS, run(model, golden[ssd_graph.BOXES][[row]], scores[[row]]), strict=True))

    return artifact


@pytest.mark.parametrize("regular", [True, False], ids=["regular", "fast"])
def test_an_op_with_the_options_of_its_contract_gives_what_is_expected(golden, anchors, regular):
    asked = options(use_regular_nms=regular)
    found = parity.of_detections(detector(golden, anchors, asked), contract(asked), golden, anchors, 1e-4)
    expected = found["expected"]
    assert expected["matched"] == expected["expected"] == expected["found"] > 0
    assert expected["score_difference"] == 0
    assert found["images"] == IMAGES and "source" not in found


def test_an_op_with_the_other_kind_of_nms_is_noticed(golden, anchors):
    asked, made = options(use_regular_nms=True), options(use_regular_nms=False)
    found = parity.of_detections(detector(golden, anchors, made), contract(asked), golden, anchors, 1e-4)
    assert found["nms_kinds_differ_on"] > 0
    assert found["expected"]["missing"] + found["expected"]["surplus"] > 0
    assert found["other_nms"]["matched"] == found["other_nms"]["expected"] == found["other_nms"]["found"]


def test_fast_nms_with_several_classes_can_be_compared(golden, anchors):
    asked = options(use_regular_nms=False, max_classes_per_detection=2)
    found = parity.of_detections(detector(golden, anchors, asked), contract(asked), golden, anchors, 1e-4)
    assert found["expected"]["matched"] == found["expected"]["expected"] > 0


def test_another_score_is_measured(golden, anchors):
    asked = options()
    scores = golden[ssd_graph.SCORES] * np.float32(0.99)
    found = parity.of_detections(detector(golden, anchors, asked, scores), contract(asked), golden, anchors, 0.02)
    assert 0.005 < found["expected"]["score_difference"] < 0.01


def with_source(golden, anchors, asked):
    """Add the detections of a source whose own post-processing is the op with these options."""
    artifact = detector(golden, anchors, asked)
    runs = [artifact(None, {ssd_graph.INPUT: row}) for row in range(IMAGES)]
    stored = {name: np.concatenate([one[name] for one in runs]) for name in OUTPUTS}
    stored["detection_boxes"] = np.clip(stored["detection_boxes"], 0, 1)
    stored["detection_classes"] = stored["detection_classes"] + 1
    return {**golden, **stored}


def test_the_sources_own_detections_are_compared_where_the_options_allow(golden, anchors):
    lower = {"nms_score_threshold": 0.2, "max_detections": 50}
    golden = with_source(golden, anchors, options(**lower))
    for asked, compared in (
        (options(), True),
        (options(use_regular_nms=False), False),
        (options(nms_iou_threshold=0.5), False),
        (options(nms_score_threshold=0.1), False),
        (options(max_detections=51), False),
        (options(detections_per_class=7), False),
    ):
        artifact = detector(golden, anchors, asked)
        found = parity.of_detections(artifact, contract(asked, **lower), golden, anchors, 1e-4)
        assert ("source" in found) is compared
        if compared:
            source = found["source"]
            assert source["matched"] == source["expected"] == source["found"] > 0


def test_outputs_are_measured_by_their_largest_and_mean_error(golden):
    def artifact(contract, feed):
        row = feed[ssd_graph.INPUT]
        boxes = golden[ssd_graph.BOXES][[row]].copy()
        boxes[0, 0, 0] += np.float32(0.5) if row == 2 else 0
        return {"box_encodings": boxes, "class_predictions": golden[ssd_graph.SCORES][[row]]}

    found = parity.of_outputs(artifact, contract(options()), golden)
    assert found["box_encodings"]["max_abs"] == pytest.approx(0.5)
    assert found["box_encodings"]["mean_abs"] == pytest.approx(0.5 / (IMAGES * ANCHORS * 4))
    scores = found["class_predictions"]
    assert (scores["max_abs"], scores["mean_abs"]) == (0, 0)
