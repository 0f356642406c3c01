"""When an artifact counts as the same again."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from small_models import Builder, dense, picture_classifier, picture_contract, subtraction

from zoomill.tflite import fingerprint, metadata, tflite_file


@pytest.fixture
def compared(tmp_path):
    """Return a function that locks one model and compares another with it."""

    def compare(before, now, within_limits=True):
        for name, model in (("before", before), ("now", now)):
            (tmp_path / name).write_bytes(tflite_file.serialise(model))
        return fingerprint.compare(fingerprint.of_tflite(tmp_path / "before"), tmp_path / "now", within_limits)

    return compare


def rename(model):
    for number, tensor in enumerate(model.subgraphs[0].tensors):
        tensor.name = b"renamed %d" % number
    model.subgraphs[0].name = b"other"


def describe(model):
    model.description = b"MLIR Converted. On a Tuesday."


def add_metadata(model):
    model.buffers.append(schema.BufferT())
    model.buffers[-1].data = np.frombuffer(b"2.21.0", np.uint8)
    entry = schema.MetadataT()
    entry.name, entry.buffer = b"CONVERSION_METADATA", len(model.buffers) - 1
    model.metadata = [entry]


def move_buffers(model):
    model.buffers[1], model.buffers[2] = model.buffers[2], model.buffers[1]
    for tensor in model.subgraphs[0].tensors:
        tensor.buffer = {1: 2, 2: 1}.get(tensor.buffer, tensor.buffer)


def move_tensors(model):
    """Swap the places of the weights and the bias in the list of tensors."""
    graph = model.subgraphs[0]
    graph.tensors[1], graph.tensors[2] = graph.tensors[2], graph.tensors[1]
    graph.operators[0].inputs = [0, 2, 1]


def test_the_same_bytes_are_identical(compared):
    assert compared(dense(), dense()) == "identical"


@pytest.mark.parametrize("change", [rename, describe, add_metadata, move_buffers, move_tensors])
def test_names_order_and_metadata_do_not_count(compared, change):
    now = dense()
    change(now)
    assert compared(dense(), now) == "canonically identical"


def test_title_and_labels_do_not_count(tmp_path):
    digests = []
    for title in ("Ants", "Bees"):
        path = tmp_path / f"{title}.tflite"
        path.write_bytes(metadata.added(picture_classifier(), picture_contract(title=title)))
        digests.append(fingerprint.of_tflite(path))
    assert digests[0]["sha256"] != digests[1]["sha256"] and digests[0]["stripped"] == digests[1]["stripped"]
    assert fingerprint.compare(digests[0], tmp_path / "Bees.tflite", False) == "identical but for metadata"


def test_other_weights_are_named_and_judged_by_the_limits(compared):
    now = dense()
    weights = np.frombuffer(bytes(now.buffers[2].data), np.float32).copy()
    weights[7] += np.float32(1e-6)
    now.buffers[2].data = np.frombuffer(weights.tobytes(), np.uint8)
    assert compared(dense(), now) == "numerically equivalent; the first tensor that differs is bias"
    assert compared(dense(), now, within_limits=False) == "different; the first tensor that differs is bias"
    verdict = compared(dense(), dense(seed=1), within_limits=False)
    assert verdict == "different; the first tensor that differs is weights;also;fused"


def test_another_number_of_constants_is_said(compared):
    now = dense()
    now.subgraphs[0].operators[0].inputs = [0, 1, -1]
    now.subgraphs[0].tensors[2].buffer = 0
    assert compared(dense(), now, False) == "different; it has 1 constants instead of 2"


def test_other_operator_options_with_the_same_constants_are_different(compared):
    verdict = compared(dense(), dense(relu=True), False)
    assert verdict == "different; all constants are the same, the operators differ"


def test_swapped_operands_are_not_the_same_computation(compared):
    verdict = compared(subtraction(order=("x", "y")), subtraction(order=("y", "x")), False)
    assert verdict.startswith("different")


def test_swapped_outputs_are_not_the_same_interface(compared):
    verdict = compared(subtraction(), subtraction(outputs=("sum", "difference")), False)
    assert verdict.startswith("different")


def test_another_shape_of_the_same_bytes_is_different(compared):
    def constant(shape):
        builder = Builder()
        start, end = builder.tensor("input", [1, 4]), builder.tensor("output", [1, 4])
        addend = builder.tensor("addend", np.ones(shape, np.float32))
        builder.operator("ADD", [start, addend], [end], schema.AddOptionsT())
        return builder.build([start], [end])

    assert compared(constant((1, 4)), constant((4,)), False).startswith("different")


def test_a_fingerprint_lists_a_short_digest_of_every_constant_in_the_order_of_the_file(tmp_path):
    (tmp_path / "a.tflite").write_bytes(tflite_file.serialise(dense()))
    found = fingerprint.of_tflite(tmp_path / "a.tflite")
    assert sorted(found) == ["canonical", "sha256", "stripped", "tensors"]
    assert [len(short) for short in found["tensors"].split()] == [8, 8]
