"""The NumPy post-processing against TFLite_Detection_PostProcess itself, run by LiteRT."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from flatbuffers import flexbuffers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_models import heads, options, run

from zoomill.detection import nms
from zoomill.tflite import tflite_file

OUTPUTS = ("detection_boxes", "detection_classes", "detection_scores", "num_detections")


def op(encodings, scores, anchors, asked):
    """Return the detections of the op."""
    model = heads(len(anchors), scores.shape[1])
    tflite_file.append_postprocess(model, anchors, asked)
    outputs = run(model, encodings[None], scores[None])
    return nms.of_outputs(dict(zip(OUTPUTS, outputs, strict=True)), asked)


def assert_same(encodings, scores, anchors, asked):
    """Assert that both give the same rows in the same order; boxes may differ in the last bits of float32."""
    expected, found = (step(encodings, scores, anchors, asked) for step in (nms.postprocess, op))
    np.testing.assert_array_equal(found.scores, expected.scores)
    np.testing.assert_array_equal(found.classes, expected.classes)
    np.testing.assert_allclose(found.boxes, expected.boxes, rtol=1e-6, atol=1e-6)


def distinct_scores(random, shape):
    """Return scores 0 to 1 no two of which are equal: the op leaves the order of equal ones open."""
    count = int(np.prod(shape))
    return (random.permutation(count) / max(count - 1, 1)).astype(np.float32).reshape(shape)


def some_heads(random, anchors, classes, background=True):
    """Return encodings, scores and anchors whose boxes overlap here and there."""
    centres, sizes = random.uniform(0, 1, (anchors, 2)), random.uniform(0.05, 0.5, (anchors, 2))
    encodings = random.normal(0, 2, (anchors, 4)).astype(np.float32)
    scores = distinct_scores(random, (anchors, classes + background))
    return encodings, scores, np.concatenate([centres, sizes], axis=1).astype(np.float32)


@st.composite
def cases(draw):
    """Draw heads and options."""
    classes = draw(st.integers(1, 6))
    regular = draw(st.booleans())
    asked = options(
        num_classes=classes,
        use_regular_nms=regular,
        max_classes_per_detection=1 if regular else draw(st.integers(1, classes)),
        max_detections=draw(st.integers(1, 30)),
        detections_per_class=draw(st.integers(1, 10)),
        nms_score_threshold=draw(st.sampled_from([0, 0.3, 0.7, 1])),
        nms_iou_threshold=draw(st.sampled_from([0.05, 0.3, 0.6, 1])),
        y_scale=draw(st.sampled_from([1, 10])),
        w_scale=draw(st.sampled_from([2, 5])),
    )
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return *some_heads(random, draw(st.integers(1, 60)), classes, draw(st.booleans())), asked


@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_the_numpy_version_gives_what_the_op_gives(case):
    assert_same(*case)


@pytest.mark.parametrize("regular", [True, False], ids=["regular", "fast"])
def test_they_agree_at_the_size_of_a_real_model(regular):
    random = np.random.default_rng(1)
    case = some_heads(random, 1917, 90)
    assert_same(*case, options(num_classes=90, use_regular_nms=regular, max_detections=100, detections_per_class=20))


def test_regular_and_fast_nms_really_differ_on_these_heads():
    case = some_heads(np.random.default_rng(2), 40, 5)
    regular, fast = (op(*case, options(num_classes=5, use_regular_nms=kind)) for kind in (True, False))
    assert regular.scores.tolist() != fast.scores.tolist()


def test_they_agree_on_an_overlap_of_exactly_the_threshold():
    anchors = np.array([[0.5, 0.5, 1, 1], [0.5, 0.25, 1, 0.5]], np.float32)  # the second is half of the first
    scores = np.array([[0, 0.9], [0, 0.8]], np.float32)
    for threshold, kept in ((0.5, 2), (0.4999, 1)):
        asked = options(num_classes=1, nms_iou_threshold=threshold)
        assert_same(np.zeros((2, 4), np.float32), scores, anchors, asked)
        assert len(op(np.zeros((2, 4), np.float32), scores, anchors, asked).scores) == kept


@pytest.mark.parametrize("regular", [True, False], ids=["regular", "fast"])
def test_they_agree_on_boxes_without_area(regular):
    encodings, scores, anchors = some_heads(np.random.default_rng(3), 12, 2)
    anchors[:6, 2], anchors[3:9, 3] = 0, 0
    assert_same(encodings, scores, anchors, options(num_classes=2, use_regular_nms=regular))


def test_they_agree_when_nothing_is_above_the_threshold():
    encodings, scores, anchors = some_heads(np.random.default_rng(4), 5, 3)
    for regular in (True, False):
        assert_same(encodings, scores / 4, anchors, options(use_regular_nms=regular))


def unwritten_rows(changes):
    """Return the rows of the op's scores that it does not write, for options that Options may refuse."""
    encodings, scores, anchors = some_heads(np.random.default_rng(5), 8, 3)
    model = heads(8, 4)
    tflite_file.append_postprocess(model, anchors, options())
    stored = {**vars(options()), **changes}
    model.subgraphs[0].operators[-1].customOptions = list(flexbuffers.Dumps(dict(sorted(stored.items()))))
    interpreter = Interpreter(model_content=tflite_file.serialise(model))
    interpreter.allocate_tensors()
    for place, value in zip(interpreter.get_input_details(), (encodings, scores), strict=True):
        interpreter.set_tensor(place["index"], value[None])
    place = interpreter.get_output_details()[2]["index"]
    interpreter.tensor(place)()[...] = 7  # no score
    interpreter.invoke()
    return np.flatnonzero(interpreter.get_tensor(place)[0] == 7).tolist()


def test_the_op_leaves_rows_unwritten_for_the_options_that_are_refused():
    fast = {"use_regular_nms": False, "nms_score_threshold": 0, "nms_iou_threshold": 1.0}
    assert unwritten_rows({"max_detections": 3}) == []
    assert unwritten_rows({**fast, "max_detections": 3, "max_classes_per_detection": 2}) == []
    assert unwritten_rows({"max_detections": 3, "max_classes_per_detection": 2}) == [3, 4, 5]
    assert unwritten_rows({**fast, "max_detections": 2, "max_classes_per_detection": 5}) == [3, 4, 8, 9]
