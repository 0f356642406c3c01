"""The programs on a model's page, as they stand there, on a picture: what they give is what the source gives."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import missing

from zoomill import files
from zoomill.tflite import c_array

pytestmark = pytest.mark.slow

# What the program for TFLite Micro includes besides the array, as far as it uses it.
_MICRO = """
#include <cstddef>
#include <cstdint>
enum TfLiteStatus { kTfLiteOk };
struct TfLiteTensor {
  struct { float scale; int zero_point; } params;
  union { float* f; int8_t* int8; } data;
};
namespace tflite {
struct Model {};
inline const Model* GetModel(const void*) { static Model model; return &model; }
template <unsigned int n> struct MicroMutableOpResolver { METHODS };
struct MicroInterpreter {
  template <typename Resolver> MicroInterpreter(const Model*, const Resolver&, uint8_t*, size_t) {}
  TfLiteStatus AllocateTensors();
  TfLiteStatus Invoke();
  TfLiteTensor* input(size_t);
  TfLiteTensor* output(size_t);
};
}
"""
_HEADERS = ("micro/micro_interpreter", "micro/micro_mutable_op_resolver", "schema/schema_generated")


def programs(run, model, graph):
    """Return ``{language: (file, program)}`` of a graph, from the model's page."""
    text = run.file(f"results/report/{model}.html").read_text()
    part = text.partition("<h2>In a program</h2>")[2].partition("<h2>")[0]
    part = part.partition(f"<h3>{graph}</h3>")[2].partition("<h3>")[0] if "<h3>" in part else part
    found = re.findall(r"<summary>(.*?) <small>(.*?)</small>.*?<pre[^>]*>(.*?)</pre>", part, re.DOTALL)
    return {language: (file, html.unescape(program)) for language, file, program in found}


def in_python(run, model, graph, picture, python, folder):
    """Run the program for Python beside its file and return the lines that it prints."""
    file, program = programs(run, model, graph)["Python"]
    for name in (file, "labels.txt"):
        shutil.copy(run.file(f"results/{model}/{name}"), folder)
    shutil.copy(picture, folder / "picture.jpg")  # a PNG all the same, so that no digit is lost
    process = subprocess.run([python, "-c", program], cwd=folder, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    return process.stdout.splitlines()


def in_javascript(run, model, graph, picture, python, folder):
    """Run the program for JavaScript in Chromium and return what it gives."""
    (folder / "program.js").write_text(programs(run, model, graph)["JavaScript"][1])
    chromium = shutil.which("chromium") or missing("Chromium is not installed")
    driver = Path(__file__).with_name("drive_snippet.py")
    given = [run.file("results"), run.file("build/javascript"), picture, folder / "program.js"]
    process = subprocess.run([python, driver, *given, chromium], capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def test_the_programs_of_a_classifier_find_what_the_source_finds(starters, environment_python, tmp_path):
    where = (starters, "digits_resnet8", "main", starters.file("sources/digits_resnet8/golden/0.png"))
    with np.load(starters.file("build/digits_resnet8/main/golden.npz")) as golden:
        scores = golden["probabilities"][0].ravel()
    label, score = in_python(*where, environment_python("web"), tmp_path)[0].split()
    assert label == str(scores.argmax()) and float(score) == pytest.approx(scores.max(), abs=0.02)
    first = in_javascript(*where, environment_python("web"), tmp_path)[0]
    assert first["label"] == label and first["score"] == pytest.approx(scores.max(), abs=0.02)


def test_the_programs_of_a_detector_find_the_same_boxes(starters, environment_python, tmp_path):
    model, picture = "ssd_mobilenet_v1_shapes", starters.file("sources/ssd_mobilenet_v1_shapes/golden/000020.png")
    lines = in_python(starters, model, "detect_regular", picture, environment_python("web"), tmp_path)
    found = in_javascript(starters, model, "detect_cut", picture, environment_python("web"), tmp_path)
    sure = [one for one in found if one["score"] > 0.5]
    assert len(sure) > 0
    for one, told, box in zip(sure, lines[::2], lines[1::2], strict=False):
        label, score = told.split()
        assert label == one["label"] and float(score) == pytest.approx(one["score"], abs=0.1)
        np.testing.assert_allclose([float(number) for number in re.findall(r"[\d.e-]+", box)], one["box"], atol=0.05)


def test_the_program_for_tflite_micro_compiles(starters, tmp_path):
    compiler = shutil.which("g++") or missing("g++ is not installed")
    file, program = programs(starters, "digits_resnet8", "main")["C++ for TFLite Micro"]
    operators = files.read_json(starters.file(f"results/digits_resnet8/{file}.json"))["operators"]
    (name,) = re.findall(r"(\w+)_add_ops", program)
    header = c_array.header(name, 1, operators, arena=1)
    (tmp_path / f"{file.removesuffix('.tflite')}.h").write_text(header)
    methods = " ".join(f"int {method}() {{ return 0; }}" for method in re.findall(r"resolver\.(Add\w+)", header))
    for include in _HEADERS:
        path = tmp_path / f"tensorflow/lite/{include}.h"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#pragma once\n" + ('#include "../micro/all.h"\n'))
    (tmp_path / "tensorflow/lite/micro/all.h").write_text("#pragma once\n" + _MICRO.replace("METHODS", methods))
    (tmp_path / "program.cc").write_text(program)
    command = [compiler, "-std=c++11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I.", "program.cc"]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
