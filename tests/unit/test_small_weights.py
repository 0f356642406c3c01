"""Weights that no quantiser touches: stored small, run by LiteRT, and equal to the floats but for their rounding."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from small_models import Builder, run

from zoomill.tflite import small_weights, tflite_descent, tflite_file

TABLE = np.random.default_rng(0).normal(size=(200, 16)).astype(np.float32)


def embedding():
    """Return a model that looks up two rows of a table."""
    builder = Builder()
    tokens, rows = builder.tensor("tokens", [2], np.int32), builder.tensor("rows", [2, 16])
    table = builder.tensor("table", TABLE)
    builder.operator("GATHER", [table, tokens], [rows], schema.GatherOptionsT())
    return builder.build([tokens], [rows])


def slopes():
    """Return a model with a slope for each value."""
    builder = Builder()
    x, y = builder.tensor("x", [1, 16, 200]), builder.tensor("y", [1, 16, 200])
    builder.operator("PRELU", [x, builder.tensor("slopes", TABLE.reshape(1, 16, 200))], [y])
    return builder.build([x], [y])


CASES = [(embedding, np.array([7, 150], np.int32)), (slopes, np.linspace(-1, 1, 3200, dtype=np.float32)[None])]


@pytest.mark.parametrize(("dtype", "most"), [("float16", 2e-3), ("int8", 0.02)])
@pytest.mark.parametrize(("make", "given"), CASES, ids=["embedding", "prelu"])
def test_a_weight_is_stored_small_and_gives_what_it_gave(make, given, dtype, most):
    given = given.reshape(1, 16, 200) if make is slopes else given
    model, (expected,) = make(), run(make(), given)
    small_weights.store(model, dtype)
    assert set(tflite_file.weight_dtypes(model)) == {dtype}
    assert len(tflite_file.serialise(model)) < (0.7 if dtype == "float16" else 0.45) * TABLE.nbytes + 1000
    (found,) = run(model, given)
    assert np.abs(found - expected).max() < most * np.abs(TABLE).max()
    assert tflite_descent.differences(make(), model)[0] == []


def test_a_weight_is_named_with_the_operator_that_reads_it():
    assert tflite_file.weight_dtypes(embedding()) == {"float32": ["GATHER reads table"]}
    assert tflite_file.weight_dtypes(slopes()) == {"float32": ["PRELU reads slopes"]}


def test_a_model_without_such_weights_stays_as_it_is():
    builder = Builder()
    x, y = builder.tensor("x", [1, 4]), builder.tensor("y", [1, 4])
    builder.operator("NEG", [x], [y])
    model = builder.build([x], [y])
    before = tflite_file.serialise(model)
    small_weights.store(model, "int8")
    assert tflite_file.serialise(model) == before


def test_what_computes_in_float_between_integers_is_counted():
    builder = Builder()
    x, y = builder.tensor("x", [1, 4]), builder.tensor("y", [1, 4])
    small, other = builder.quantised("small", [1, 4], 0.1, 0), builder.quantised("other", [1, 4], 0.1, 0)
    builder.operator("PRELU", [x, x], [y])
    builder.operator("QUANTIZE", [y], [small])
    builder.operator("RELU", [small], [other])
    assert tflite_file.float_operators(builder.build([x], [other])) == {"PRELU": 1}
    assert tflite_file.float_operators(embedding()) == {}


def test_what_metadata_hold_stays_and_no_empty_buffer_is_left(tmp_path):
    model = embedding()
    entry = schema.MetadataT()
    entry.name, entry.buffer = b"min_runtime_version", len(model.buffers)
    model.buffers.append(schema.BufferT())
    model.buffers[-1].data = np.frombuffer(b"1.14.0", np.uint8)
    model.metadata = [entry]
    small_weights.store(model, "int8")
    assert bytes(model.buffers[model.metadata[0].buffer].data) == b"1.14.0"
    assert [buffer.data is None for buffer in model.buffers] == [True, False, False]
    data = tflite_file.serialise(model)
    assert tflite_file.serialise(tflite_file.parse(data, "a.tflite")) == data
