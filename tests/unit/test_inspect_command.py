"""The command inspect_model: what it prints, what it refuses, and every real model."""

import json
import subprocess
import sys

import pytest
from ai_edge_litert import schema_py_generated as schema
from conftest import REPOSITORY, missing
from small_models import dense, dense_contract

from zoomill.tflite import tflite_file


@pytest.fixture
def run(command, tmp_path):
    """Return a function that runs the command in an empty folder."""
    return lambda *arguments: command(sys.executable, "inspect_model", *arguments, cwd=tmp_path)


@pytest.fixture
def model(tmp_path):
    """A small quantised model with a signature."""
    model = dense(units=3)
    tflite_file.set_signature(model, dense_contract(3))
    weights = model.subgraphs[0].tensors[1]
    weights.type = schema.TensorType.INT8
    weights.quantization.scale, weights.quantization.zeroPoint = [0.1, 0.2, 0.3], [0, 0, 0]
    (tmp_path / "small.tflite").write_bytes(tflite_file.serialise(model))
    return tmp_path / "small.tflite"


def test_the_table_shows_what_the_report_holds(run, model):
    process = run(model)
    assert (process.returncode, process.stderr) == (0, "")
    lines = [" ".join(line.split()) for line in process.stdout.splitlines()]
    for line in (
        "small.tflite: TFLite model",
        "description MLIR Converted., schema 3",
        "signature serving_default",
        "in x image float32 [1, 4]",
        "out y scores float32 [1, 3]",
        "parameters: 15",
        "float32 3 12 bytes",
        "operators: 1 of 1 kinds",
        "FULLY_CONNECTED 1",
        "quantisation: 1 tensors",
        "affine int8 axis 0, scale 0.1 … 0.3 (3 values), zero_point 0 weights;also;fused",
    ):
        assert line in lines


def test_json_is_printed_or_written_beside_the_table_with_the_same_bytes(run, model, tmp_path):
    printed = run(model, "--json", "-").stdout
    again = run("small.tflite", "--json", "report.json")
    assert (tmp_path / "report.json").read_text() == printed
    assert "signature serving_default" in again.stdout
    document = json.loads(printed)
    assert printed == json.dumps(document, indent=2, sort_keys=True) + "\n"
    assert set(document) == {"file", "kind", "producer", "graphs", "checkpoint", "notes", "files", "metadata"}


def test_escape_sequences_in_names_do_not_reach_the_terminal(run, model):
    unsafe = dense()
    unsafe.subgraphs[0].tensors[0].name = b"\x1b[2J\nforged: line"
    model.write_bytes(tflite_file.serialise(unsafe))
    printed = run(model).stdout
    assert "\x1b" not in printed
    assert "\\x1b[2J\\nforged: line" in printed


def test_halves_of_surrogate_pairs_are_written_as_json_escapes(run, tmp_path):
    config = {"class_name": "Sequential", "config": [{"class_name": "Dense", "config": {"name": "\ud800"}}]}
    (tmp_path / "model.json").write_text(json.dumps({"modelTopology": config, "weightsManifest": []}))
    process = run("model.json", "--json", "-")
    (signature,) = json.loads(process.stdout)["graphs"][0]["signatures"]
    assert signature["inputs"][0]["name"] == "\ud800"
    assert run("model.json").returncode == 0


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("none.pb", None, "there is no such file"),
        ("folder", "folder", "the folder has neither saved_model.pb nor model.json"),
        ("notes.txt", b"hello", "is no model by itself"),
        ("net.weights", bytes(100), "is no model by itself that can be told; give its .cfg"),
        ("page.pb", b"<!DOCTYPE html>", "is truncated, or is no GraphDef"),
        ("empty.pb", b"", "is truncated, or holds no TensorFlow graph"),
        ("page.onnx", b"<!DOCTYPE html>", "is truncated, or is no ModelProto"),
        ("page.tflite", b"<!DOCTYPE html>", "is no TFLite file"),
        ("page.keras", b"<!DOCTYPE html>", "is truncated or damaged"),
        ("page.cfg", b"<!DOCTYPE html>", "page.cfg"),
        ("page.json", b"<!DOCTYPE html>", "is truncated or damaged"),
    ],
)
def test_what_is_no_model_is_refused_in_one_line(run, tmp_path, name, content, message):
    if content == "folder":
        (tmp_path / name).mkdir()
    elif content is not None:
        (tmp_path / name).write_bytes(content)
    process = run(name, "--json", "report.json")
    (line,) = process.stderr.splitlines()
    assert line.startswith(f"error: {name}: ")
    assert message in line
    assert (process.returncode, process.stdout) == (1, "")
    assert not (tmp_path / "report.json").exists()


def test_weights_are_for_kinds_that_keep_them_in_a_file_of_any_name(run, model):
    process = run(model, "--weights", model)
    assert "small.tflite: needs no weights" in process.stderr


SWEEP = """
import contextlib, io, sys
sys.path.insert(0, sys.argv[1])
import inspect_model
from zoomill.errors import UserError
for path in sys.argv[2:]:
    sys.stdout = io.TextIOWrapper(io.BytesIO())
    try:
        inspect_model.main([path])
    except UserError as error:
        print(error, file=sys.stderr)
    sys.stdout = sys.__stdout__
print([name for name in sys.modules if name.split(".")[0] in {"tensorflow", "keras", "onnx", "torch"}])
"""
MODELS = ["*.pb", "*.meta", "*.onnx", "*.tflite", "*.cfg", "*/tfjs_*/*.json", "*/model.json", "tfjs_*/*.json"]


def sweep(paths):
    """Inspect all files in one process, without error and without importing a framework."""
    assert paths
    program = [sys.executable, "-c", SWEEP, str(REPOSITORY / "scripts"), *map(str, paths)]
    process = subprocess.run(program, text=True, capture_output=True)
    assert (process.returncode, process.stderr, process.stdout) == (0, "", "[]\n")


def test_every_real_model_is_inspected_without_importing_a_framework(zoo):
    found = {path for pattern in MODELS for path in zoo.rglob(pattern) if path.name != "fingerprint.pb"}
    folders = {path.parent for path in found if path.name == "saved_model.pb"}
    sweep(sorted(found | folders))


def test_every_real_keras_model_is_inspected_without_importing_a_framework(zoo):
    try:
        import h5py  # noqa: F401
    except ModuleNotFoundError:
        missing("h5py is not installed here")
    sweep(sorted(zoo.rglob("*.h5")))
