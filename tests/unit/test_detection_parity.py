"""Whether a detector is right, on small ones whose heads are two layers: each part with what must make it fail."""

import dataclasses

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers
from small_models import Builder, heads, options

from zoomill.detection import head_names, nms
from zoomill.detection import ssd_contract as contracts
from zoomill.errors import UserError
from zoomill.proof import parity
from zoomill.tflite import detection_parity, detection_source, tflite_file

ANCHORS, CLASSES, IMAGES = 40, 3, 5
LIMITS = {"score": 0.1, "unmatched": 0.1}
ROW = {"max_detections": 30, "nms_score_threshold": 0.5}
KINDS = pytest.mark.parametrize("regular", [True, False], ids=["regular", "fast"])


def network(seed=0):
    """Return a model from ``[1, 2, 2, 1]`` to box encodings and scores, without op."""
    random, builder = np.random.default_rng(seed), Builder()
    start, ends = builder.tensor(head_names.INPUT, [1, 2, 2, 1]), []
    for name, columns, spread in (("boxes", 4, 1.5), ("scores", CLASSES + 1, 2)):
        units = ANCHORS * columns
        weights = builder.tensor(f"{name}/weights", random.normal(0, spread, (units, 4)).astype(np.float32))
        flat = builder.tensor(f"{name}/flat", [1, units])
        settings = schema.FullyConnectedOptionsT()
        builder.operator("FULLY_CONNECTED", [start, weights, -1], [flat], settings)
        if name == "scores":
            bounded = builder.tensor("bounded", [1, units])
            builder.operator("LOGISTIC", [flat], [bounded])
            flat = bounded
        shape = builder.tensor(f"{name}/shape", np.array([1, ANCHORS, columns], np.int32))
        ends.append(builder.tensor(name, [1, ANCHORS, columns]))
        builder.operator("RESHAPE", [flat, shape], ends[-1:], schema.ReshapeOptionsT())
    return builder.build([start], ends)


@pytest.fixture
def anchors():
    random = np.random.default_rng(1)
    return np.concatenate([random.uniform(0, 1, (ANCHORS, 2)), random.uniform(0.1, 0.5, (ANCHORS, 2))], 1).astype("f4")


@pytest.fixture
def save(tmp_path, anchors):
    """Return a function that writes a detector of some heads and options and returns its path."""

    def write(model, asked, anchors=anchors, **changes):
        tflite_file.append_postprocess(model, anchors, asked)
        operator = model.subgraphs[0].operators[-1]
        stored = {**flexbuffers.Loads(bytes(operator.customOptions)), **changes}
        operator.customOptions = list(flexbuffers.Dumps(dict(sorted(stored.items()))))
        path = tmp_path / "detector.tflite"
        path.write_bytes(tflite_file.serialise(model))
        return path

    return write


def contract(asked, source=None):
    """Return the contract of the detector; the source has some NMS, or none that could be read."""
    cut = contracts.detection_heads("small", [1, 2, 2, 1], ([0], [1]), ANCHORS, [], asked)
    cut["inputs"][0]["tensor"] = head_names.INPUT
    own = {"source_postprocess": vars(source)} if source else {}
    return contracts.with_postprocess(cut, "detect", asked) | own


SOURCE = options(nms_score_threshold=1e-8, max_detections=60)


@pytest.fixture
def golden(save):
    """Golden inputs and heads, and the detections of a source that has the op with its own options."""
    random = np.random.default_rng(2)
    inputs = {head_names.INPUT: random.uniform(-1, 1, (IMAGES, 2, 2, 1)).astype(np.float32)}
    own = contract(SOURCE)
    detector = detection_parity.Detector(save(network(), SOURCE))
    runs = [detector.detect(own, feed) for feed in parity.feeds(own, inputs)]
    rows = max(len(run.found.scores) for run in runs)

    def filled(name):
        parts = [getattr(run.found, name) for run in runs]
        return np.stack([np.resize(np.concatenate([one, 0 * one[:1]]), (rows, *one.shape[1:])) for one in parts])

    return {
        **inputs,
        head_names.BOXES: np.concatenate([run.heads["box_encodings"] for run in runs]),
        head_names.SCORES: np.concatenate([run.heads["class_predictions"] for run in runs]),
        "detection_boxes": np.clip(filled("boxes"), 0, 1),
        "detection_classes": filled("classes") + 1,
        "detection_scores": filled("scores"),
        "num_detections": np.array([len(run.found.scores) for run in runs]),
    }


@pytest.fixture
def judge(save, golden, anchors):
    """Return a function that judges a detector whose file may differ from what was asked for."""

    def judged(asked, model=None, golden=golden, anchors=anchors, file_anchors=anchors, limits=LIMITS, **changes):
        path = save(model or network(), asked, file_anchors, **changes)
        return detection_parity.of_file(path, contract(asked, SOURCE), golden, anchors, limits)[0]

    return judged


def asked(regular, **changes):
    return options(**{**ROW, "use_regular_nms": regular, **changes})


def parts(phrases):
    """Return which parts the phrases are about."""
    return {phrase.partition(":")[0] for phrase in phrases}


@KINDS
def test_a_right_detector_fails_nothing_and_everything_was_compared(judge, regular):
    verdict = judge(asked(regular))
    assert (verdict.failures, verdict.not_tested) == ([], [])
    for name in ("op", "source", "decision"):
        figure = verdict.figures[name]
        assert figure["matched"] == figure["expected"] == figure["found"] > 0
    assert verdict.figures["source"]["compared"] == ("all" if regular else "best")
    coder = verdict.figures["source"]["box_coder"]
    assert coder["explained"] == coder["expected"] > 50


def test_the_heads_are_what_enters_the_op(save, golden, anchors):
    path = save(network(), asked(True))
    _, found = detection_parity.of_file(path, contract(asked(True), SOURCE), golden, anchors, LIMITS)
    for entry in detection_parity.HEADS:
        np.testing.assert_array_equal(np.concatenate([run[entry["name"]] for run in found]), golden[entry["tensor"]])


@KINDS
def test_shuffled_kernels_are_another_detector(judge, golden, anchors, save, regular):
    model = network()
    for tensor in model.subgraphs[0].tensors:
        if tensor.name.endswith(b"weights"):
            buffer = model.buffers[tensor.buffer]
            values = np.random.RandomState(0).permutation(np.frombuffer(bytes(buffer.data), np.float32))
            buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    verdict = judge(asked(regular), model)
    assert parts(verdict.failures) == {"decision"}  # its op and its source are right; its heads are the caller's matter


CHANGES = {
    "max_detections": 3,
    "detections_per_class": 1,
    "nms_score_threshold": 0.7,
    "nms_iou_threshold": 0.2,
    "y_scale": 5.0,
    "x_scale": 9.0,
    "h_scale": 6.0,
    "w_scale": 4.0,
}


@pytest.mark.parametrize("name", CHANGES)
@KINDS
def test_every_option_of_the_op_that_is_not_the_contracts_shows_in_what_leaves_it(judge, regular, name):
    # Fast NMS does not read detections_per_class.
    shows = regular or name != "detections_per_class"
    assert ("op" in parts(judge(asked(regular), **{name: CHANGES[name]}).failures)) is shows


@KINDS
def test_the_other_kind_of_nms_shows(judge, regular):
    assert "op" in parts(judge(asked(regular), use_regular_nms=not regular).failures)


@KINDS
def test_an_op_that_is_right_is_exact_whatever_was_lost_before_it(judge, regular):
    verdict = judge(asked(regular), network(seed=9))
    assert "op" not in parts(verdict.failures) and "decision" in parts(verdict.failures)


@pytest.mark.parametrize("name", ["y_scale", "x_scale", "h_scale", "w_scale"])
@KINDS
def test_a_box_coder_that_is_not_the_sources_fails_though_contract_and_file_agree(judge, regular, name):
    failures = judge(asked(regular, **{name: CHANGES[name]})).failures
    assert parts(failures) == {"source"} and "no anchor's box, class and score" in failures[0]


@KINDS
def test_anchors_that_are_not_the_sources_fail_though_graph_and_file_agree(judge, anchors, regular):
    for wrong in (anchors * np.float32(1.02), anchors[::-1].copy(), anchors[:, [1, 0, 3, 2]]):
        assert parts(judge(asked(regular), anchors=wrong, file_anchors=wrong).failures) == {"source"}


def test_anchors_of_the_file_that_are_not_the_graphs_fail(judge, anchors):
    wrong = anchors.copy()
    wrong[7, 2] *= np.float32(1.001)
    failures = judge(asked(True), file_anchors=wrong).failures
    assert any(one.startswith("op: the file's anchors differ by 0.000") for one in failures)


@KINDS
def test_another_score_converter_than_the_sources_fails(judge, golden, regular):
    scores = golden[head_names.SCORES]
    odds = scores / (1 - scores)
    softmax = {**golden, head_names.SCORES: odds / odds.sum(axis=-1, keepdims=True)}
    assert "source" in parts(judge(asked(regular), golden=softmax).failures)


def test_the_contract_of_the_raw_heads_is_held_against_the_source_too(golden, anchors):
    right = detection_source.compare(contract(SOURCE, SOURCE), golden, anchors)
    assert right.failures == right.not_tested == [] and right.figures["source"]["compared"] == "all"
    wrong = detection_source.compare(contract(dataclasses.replace(SOURCE, h_scale=10.0)), golden, anchors)
    assert wrong.failures


def test_all_detections_are_compared_only_where_the_options_keep_the_same(judge):
    for changes, compared in (
        ({}, "all"),
        ({"nms_iou_threshold": 0.5}, "best"),
        ({"nms_score_threshold": 0}, "best"),
        ({"max_detections": 61}, "best"),
        ({"detections_per_class": 7}, "best"),
    ):
        verdict = judge(asked(True, **changes))
        assert verdict.figures["source"]["compared"] == compared and verdict.failures == []


def test_a_threshold_of_the_card_hides_none_of_the_sources_detections(judge):
    found = [judge(asked(True, nms_score_threshold=score)).figures["source"] for score in (0.4, 0.7)]
    assert found[0]["matched"] == found[1]["matched"] > 0


def test_a_source_without_detections_is_not_compared_and_the_evidence_says_so(judge, golden):
    verdict = judge(asked(True), golden={key: golden[key] for key in golden if "detection" not in key})
    assert verdict.figures["source"] == {"compared": "none"}
    assert (verdict.failures, verdict.not_tested) == ([], [])


def test_a_source_that_finds_nothing_was_not_tested(judge, golden):
    verdict = judge(asked(True), golden={**golden, "num_detections": np.zeros(IMAGES)})
    assert parts(verdict.not_tested) == {"source"} and "`golden:` pictures" in verdict.not_tested[0]


@KINDS
def test_with_nothing_above_the_threshold_the_op_is_run_with_a_lower_one_and_the_decision_is_not_tested(judge, regular):
    verdict = judge(asked(regular, nms_score_threshold=1.0))
    assert verdict.failures == [] and parts(verdict.not_tested) == {"decision"}
    assert "`golden:` pictures" in verdict.not_tested[0]
    op = verdict.figures["op"]
    assert op["nms_score_threshold"] < 1 and op["matched"] == op["expected"] >= 20
    assert "op" in parts(judge(asked(regular, nms_score_threshold=1.0), nms_iou_threshold=0.05).failures)


def test_detections_that_may_all_fall_below_the_threshold_were_not_tested(judge):
    blind = network()
    for tensor in blind.subgraphs[0].tensors:
        if tensor.name == b"scores/weights":  # every score is 0.5
            blind.buffers[tensor.buffer].data = np.zeros_like(blind.buffers[tensor.buffer].data)
    verdict = judge(asked(True, nms_score_threshold=0.6), blind, limits={"score": 0.5, "unmatched": 0})
    assert verdict.failures == [] and parts(verdict.not_tested) == {"decision"}


def test_outputs_of_another_kind_than_promised_are_an_error(save, golden, anchors):
    swapped = contract(asked(True), SOURCE)
    tensors = [one["tensor"] for one in swapped["outputs"]]
    for one, tensor in zip(swapped["outputs"], tensors[::-1], strict=True):
        one["tensor"] = tensor
    with pytest.raises(UserError, match=r"detection_boxes has the shape \[1\], the contract promises \[1, 30, 4\]"):
        detection_parity.of_file(save(network(), asked(True)), swapped, golden, anchors, LIMITS)


def test_integer_heads_with_many_equal_scores_are_judged_as_exactly(tmp_path, anchors):
    """As TOCO leaves them: the op turns uint8 heads and anchors into floats itself."""
    tops = options(**{**ROW, "nms_score_threshold": 0.2, "num_classes": CLASSES})
    model = heads(ANCHORS, CLASSES + 1)
    steps = {"boxes": (0.05, 128), "scores": (1 / 8, 0), "anchors": (1 / 255, 0)}
    whole = np.rint(anchors * 255).astype(np.uint8)
    tflite_file.append_postprocess(model, anchors, tops)
    for tensor in model.subgraphs[0].tensors:
        name = tensor.name.decode()
        if name in steps:
            tensor.type = schema.TensorType.UINT8
            tensor.quantization.scale = np.array([steps[name][0]], np.float32)
            tensor.quantization.zeroPoint = np.array([steps[name][1]], np.int64)
        if name == "anchors":
            model.buffers[tensor.buffer].data = np.frombuffer(whole.tobytes(), np.uint8)
    path = tmp_path / "integers.tflite"
    path.write_bytes(tflite_file.serialise(model))
    random = np.random.default_rng(3)
    golden = {
        "boxes": random.normal(0, 2, (IMAGES, ANCHORS, 4)).astype(np.float32),
        "scores": random.uniform(0, 1, (IMAGES, ANCHORS, CLASSES + 1)).astype(np.float32),
    }
    golden |= {head_names.BOXES: golden["boxes"], head_names.SCORES: golden["scores"]}
    inputs = [
        {"name": name, "tensor": name, "dtype": "float32", "shape": list(golden[name][:1].shape)}
        for name in ("boxes", "scores")
    ]
    promised = {**contract(tops), "inputs": inputs}
    verdict, found = detection_parity.of_file(path, promised, golden, anchors, {"score": 0.1, "unmatched": 1})
    assert verdict.failures == []
    assert verdict.figures["op"]["expected"] == verdict.figures["op"]["found"] > 20
    np.testing.assert_allclose(found[0]["class_predictions"], golden["scores"][:1], atol=0.07)
    changed = dataclasses.replace(tops, nms_iou_threshold=0.3)
    wrong = {**promised, "postprocess": vars(changed)}
    assert detection_parity.of_file(path, wrong, golden, anchors, {"score": 0.1, "unmatched": 1})[0].failures


def found(boxes, classes, scores):
    return nms.Detections(
        np.array(boxes, np.float32).reshape(-1, 4), np.array(classes, int), np.array(scores, np.float32)
    )


LEFT, RIGHT, BELOW = [0, 0, 1, 0.4], [0, 0.6, 1, 1], [0.6, 0, 1, 0.4]


@pytest.mark.parametrize(
    "other, borderline, surplus",
    [
        (found([RIGHT], [0], [0.5]), 1, 0),
        (found([BELOW], [0], [0.5]), 0, 1),
        (found([RIGHT], [1], [0.5]), 0, 1),
        (found([RIGHT], [0], [0.51]), 0, 1),
        (found([RIGHT], [7], [0.5]), 0, 1),
    ],
    ids=["a candidate of the same score", "no candidate", "another class", "another score", "no class"],
)
def test_of_equal_scores_another_may_come_first_if_an_anchor_really_has_it(other, borderline, surplus):
    boxes, scores = np.array([LEFT, RIGHT], np.float32), np.array([[0.5, 0.1], [0.5, 0.1]], np.float32)
    match = detection_parity._match_exactly(found([LEFT], [0], [0.5]), other, boxes, scores)
    assert (match.borderline, match.surplus, match.missing) == (borderline, surplus, surplus)
