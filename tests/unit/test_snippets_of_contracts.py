"""The programs that a model's page shows: what they feed, and that names of strangers stay names."""

import sys
import types

import numpy as np
import pytest
from conftest import REPOSITORY
from PIL import Image

from zoomill.inputs.preprocess import Preprocess
from zoomill.pages.snippets import Snippets

TEMPLATES = REPOSITORY / "scripts/zoomill/pages/templates/report"
HOSTILE = "x\"'); import os #\n$"
PROMISE = {"name": "image", "dtype": "float32", "shape": [1, 24, 32, 3], "layout": "NHWC", "colour": "RGB"}
OUTPUT = {"name": "scores", "dtype": "float32", "shape": [1, 3], "meaning": ""}
CARD = {"task": "image-classification", "preprocess": {}, "decode": {}, "output": None, "c_name": "net"}


def contract(**changes):
    known = {"model": "small", "graph": "main", "labels": [], "label_offset": 0, "outputs": [OUTPUT]}
    return {**known, "inputs": [{**PROMISE, "value_range": [-1, 1]}], **changes}


def row(variant, form="tflite", dtype="float32", state="passed"):
    ends = {side: [{"dtype": dtype}] for side in ("inputs", "outputs")}
    return {"variant": variant, "format": form, "artifact": f"main.{variant}.{form}", "state": state, "ends": ends}


def programs(found, rows, **card):
    return {
        language: (file, text)
        for language, file, text in Snippets(str(TEMPLATES)).of_graph(found, {**CARD, **card}, rows)
    }


def fed(text, monkeypatch, folder):
    """Run a program for Python with an interpreter that notes what it is given, and return that."""
    noted = {}

    def run(**values):
        noted.update(values)
        return {"scores": np.zeros([1, 3], np.float32)}

    fake = types.SimpleNamespace(get_signature_runner=lambda key: run)
    module = types.SimpleNamespace(Interpreter=lambda path: fake)
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", module)
    monkeypatch.chdir(folder)
    exec(compile(text, "program", "exec"), {})
    return noted


@pytest.mark.parametrize(
    "preprocess",
    [
        {},
        {"fit": "crop", "part": 0.8},
        {"fit": "letterbox"},
        {"fit": "letterbox", "centred": True, "padding": 7},
    ],
    ids=lambda options: " ".join(map(str, options.values())) or "stretch",
)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"colour": "GRAY", "shape": [1, 20, 28, 1], "value_range": [0, 1]},
        {"colour": "BGR", "layout": "NCHW", "shape": [1, 3, 24, 32], "value_range": [0, 255]},
        {"value_range": [[-1, -2, -3], [1, 2, 3]]},
        {"dtype": "uint8", "value_range": [0, 255]},
    ],
    ids=["RGB", "grey", "BGR", "ranges of channels", "uint8"],
)
def test_the_program_for_python_feeds_what_zoomill_feeds(preprocess, changes, monkeypatch, tmp_path):
    promise = {**PROMISE, "value_range": [-1, 1], **changes}
    pixels = np.random.default_rng(3).integers(0, 256, [60, 91, 3], np.uint8)
    Image.fromarray(pixels).save(tmp_path / "picture.jpg", "PNG")
    known, rows = contract(inputs=[promise]), [row("float32", dtype=promise["dtype"])]
    rows[0]["ends"]["outputs"][0]["dtype"] = "float32"
    noted = fed(programs(known, rows, preprocess=preprocess)["Python"][1], monkeypatch, tmp_path)
    expected = Preprocess.of(promise, preprocess)(pixels)
    assert noted["image"].dtype == expected.dtype
    np.testing.assert_allclose(noted["image"], expected, rtol=1e-5, atol=1e-5)


def test_names_of_strangers_stay_names(monkeypatch, tmp_path):
    known = contract(inputs=[{**PROMISE, "name": HOSTILE, "value_range": None}], outputs=[{**OUTPUT, "name": HOSTILE}])
    found = programs(known, [row("float32")], task="other")
    assert fed(found["Python"][1], monkeypatch, tmp_path).keys() == {HOSTILE}
    assert "\n$" not in found["Android"][1] and '\\"' in found["Android"][1] and "\\$" in found["Android"][1]


def test_a_file_is_named_that_passed_and_takes_what_the_contract_says():
    rows = [row("int8", state="failed"), row("float16"), row("int8_io", dtype="int8"), row("uint8", "tfjs")]
    files = {language: file for language, (file, _) in programs(contract(), rows).items()}
    assert files["Python"] == files["Android"] == "main.float16.tflite"
    assert files["JavaScript"] == "main.uint8.tfjs" and files["C++ for TFLite Micro"] == "main.int8_io.tflite"


def test_tflite_micro_is_given_the_integers_that_a_file_takes():
    ((language, (_, text)),) = programs(contract(), [row("int8_io", dtype="int8")]).items()
    assert language == "C++ for TFLite Micro"
    assert "input->params.scale" in text and "output->params.zero_point" in text and "net_add_ops" in text
    assert "C++ for TFLite Micro" not in programs(contract(), [row("float16")])
