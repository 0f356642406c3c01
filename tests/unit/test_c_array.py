"""C arrays, compiled and run, and the operators that their headers register."""

import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from conftest import missing
from small_models import Builder, dense, heads, options

from zoomill.errors import UserError
from zoomill.tflite import c_array, micro, tflite_file

STRICT = ["-Wall", "-Wextra", "-Werror", "-pedantic"]

# Prints what the header gives: the address modulo 16, the number of operators, the registrations, and the bytes.
PROGRAM = r"""
#include <cstdint>
#include <cstdio>
#include "model.h"

struct Resolver {
  %(methods)s
};

int main() {
  Resolver resolver;
  std::printf("%%d\n%%d\n", static_cast<int>(reinterpret_cast<std::uintptr_t>(net_model_data) %% 16), NET_OP_COUNT);
  std::printf("%%d\n", net_add_ops(resolver));
  for (unsigned int i = 0; i < net_model_data_len; i++) std::printf("%%02x", net_model_data[i]);
}
"""


@pytest.fixture(scope="module")
def compiler():
    """Return a function from a compiler's name to its path."""
    return lambda name: shutil.which(name) or missing(f"{name} is not installed")


@pytest.fixture
def written(command, tmp_path):
    """Return a function that writes the C files of a model into a folder and returns the .tflite file's bytes."""

    def write(model, folder=tmp_path, name="net"):
        folder.mkdir(exist_ok=True)
        data = tflite_file.serialise(model)
        (folder / "model.tflite").write_bytes(data)
        outputs = ["--source", folder / "model.cc", "--header", folder / "model.h"]
        process = command(
            sys.executable, "write_c_array", "--tflite", folder / "model.tflite", "--name", name, *outputs
        )
        assert process.returncode == 0, process.stderr
        return data

    return write


@pytest.fixture
def printed(compiler, tmp_path):
    """Return a function that compiles the C files with a program and returns the lines it prints."""

    def run(refused=()):
        names = re.findall(r"resolver\.(Add\w+)\(\)", (tmp_path / "model.h").read_text())
        methods = [f'int {name}() {{ std::puts("{name}"); return {int(name in refused)}; }}' for name in names]
        program = PROGRAM % {"methods": "\n  ".join(methods)}
        (tmp_path / "main.cc").write_text(program)
        files = ["main.cc", "model.cc", "-o", "program"]
        subprocess.run([compiler("g++"), "-std=c++11", *STRICT, *files], cwd=tmp_path, check=True)
        return subprocess.run([tmp_path / "program"], text=True, capture_output=True, check=True).stdout.splitlines()

    return run


def detector():
    """Return a model that ends in TFLite_Detection_PostProcess."""
    model = heads(1, 4)
    tflite_file.append_postprocess(model, np.ones((1, 4), np.float32), options())
    return model


def chain(*operators):
    """Return a model of operators that each give a number for a number."""
    builder = Builder()
    ends = [builder.tensor(f"t{index}", [1, 4]) for index in range(len(operators) + 1)]
    for index, operator in enumerate(operators):
        builder.operator(operator, [ends[index]], [ends[index + 1]])
    return builder.build(ends[:1], ends[-1:])


def test_a_compiled_array_has_the_bytes_of_the_file_and_is_aligned(written, printed):
    data = written(dense())
    alignment, count, called, registered, values = printed()
    assert (alignment, count, called, registered) == ("0", "1", "AddFullyConnected", "1")
    assert bytes.fromhex(values) == data


def test_an_array_stays_aligned_behind_other_data(written, compiler, tmp_path):
    written(dense(units=3))
    (tmp_path / "before.cc").write_text('char before = 1;\n#include "model.cc"\nchar after = 1;\n')
    subprocess.run([compiler("g++"), "-std=c++11", "-c", "before.cc"], cwd=tmp_path, check=True)
    tool = compiler("readelf")
    sections = subprocess.run([tool, "-SW", "before.o"], cwd=tmp_path, text=True, capture_output=True, check=True)
    (constants,) = re.findall(r" \.rodata +PROGBITS .* (\d+)$", sections.stdout, re.MULTILINE)
    assert int(constants) >= 16


def test_a_header_can_be_included_by_c_and_linked(written, compiler, tmp_path):
    data = written(dense())
    (tmp_path / "main.c").write_text(
        '#include "model.h"\n#include "model.h"\n'
        f"int main(void) {{ return !(net_model_data_len == {len(data)} && net_model_data[4] == 'T'); }}\n"
    )
    subprocess.run([compiler("gcc"), "-std=c90", *STRICT, "-c", "main.c"], cwd=tmp_path, check=True)
    subprocess.run([compiler("g++"), "-std=c++11", "main.o", "model.cc", "-o", "program"], cwd=tmp_path, check=True)
    assert subprocess.run([tmp_path / "program"]).returncode == 0


def test_two_runs_in_different_folders_write_the_same_files(written, tmp_path):
    for folder in ("one", "two"):
        written(dense(), tmp_path / folder)
    for name in ("model.cc", "model.h"):
        text = (tmp_path / "one" / name).read_text()
        assert text == (tmp_path / "two" / name).read_text()
        assert str(tmp_path) not in text


def test_the_operators_of_the_file_are_listed_and_registered_once_each(written, printed, tmp_path):
    model = chain("RELU6", "LOGISTIC", "TANH", "LOGISTIC")
    written(model)
    listed = re.findall(r"^ \*   (\S+) (\d+)$", (tmp_path / "model.h").read_text(), re.MULTILINE)
    assert {name: int(count) for name, count in listed} == tflite_file.operators(model)
    _, count, *called, registered, _ = printed()
    assert (count, called, registered) == ("3", ["AddLogistic", "AddRelu6", "AddTanh"], "1")


def test_a_refused_registration_is_told(written, printed):
    written(chain("TANH", "LOGISTIC"))
    _, _, *called, registered, _ = printed(refused=["AddLogistic"])
    assert (called, registered) == (["AddLogistic"], "0")


def test_detections_are_registered_by_the_method_that_tflite_micro_has_for_them(written, printed):
    written(detector())
    assert printed()[1:4] == ["1", "AddDetectionPostprocess", "1"]


def test_the_array_of_a_detector_says_the_shapes_that_tflite_micro_reserves(written, printed):
    data = written(detector())
    assert bytes.fromhex(printed()[-1]) == micro.deployed(data) != data


def test_the_header_says_what_memory_the_file_takes(written, tmp_path):
    arena = micro.tried(written(dense())).arena()["total"]
    assert f"#define NET_ARENA_BYTES {arena}\n" in (tmp_path / "model.h").read_text()


def test_of_what_tflite_micro_refuses_there_is_no_array_but_one_line(command, tmp_path):
    (tmp_path / "own.tflite").write_bytes(tflite_file.serialise(chain("Resampler")))
    outputs = ["--name", "net", "--source", "own.cc", "--header", "own.h"]
    process = command(sys.executable, "write_c_array", "--tflite", "own.tflite", *outputs, cwd=tmp_path)
    assert process.returncode == 1
    assert process.stderr == (
        "error: own.tflite: no C array, as TFLite Micro refuses the file: Failed to get registration from op code "
        "CUSTOM, which are Resampler\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["own.tflite"]


def test_what_vela_compiled_is_registered_by_the_method_that_tflite_micro_has_for_it(written, printed, tmp_path):
    written(chain("ethos-u"))
    assert printed()[1:4] == ["1", "AddEthosU", "1"]
    assert "ARENA" not in (tmp_path / "model.h").read_text()  # which no host can tell


@pytest.mark.parametrize(
    "operator, method",
    [
        ("AVERAGE_POOL_2D", "AddAveragePool2D"),
        ("BATCH_MATMUL", "AddBatchMatMul"),
        ("CUMSUM", "AddCumSum"),
        ("HARD_SWISH", "AddHardSwish"),
        ("L2_POOL_2D", "AddL2Pool2D"),
        ("PADV2", "AddPadV2"),
        ("RELU6", "AddRelu6"),
        ("RESIZE_NEAREST_NEIGHBOR", "AddResizeNearestNeighbor"),
        ("SPACE_TO_BATCH_ND", "AddSpaceToBatchNd"),
        ("SPLIT_V", "AddSplitV"),
        ("UNIDIRECTIONAL_SEQUENCE_LSTM", "AddUnidirectionalSequenceLSTM"),
    ],
)
def test_operators_are_registered_by_the_methods_of_tflite_micro(operator, method):
    assert f" resolver.{method}() == 0;" in c_array.header("net", 1, {operator: 1}, 1)


@pytest.mark.parametrize("name", ["8bit", "a-b", "", "a b"])
def test_a_name_that_c_does_not_allow_is_refused(name):
    with pytest.raises(UserError, match="is no C identifier; set c_name"):
        c_array.header(name, 1, {}, 1)


@pytest.mark.parametrize("operator", ['a"; int x;', "*/", "a\nb", "", "Resampler"])
def test_a_custom_operator_cannot_write_into_the_source(operator):
    with pytest.raises(UserError, match="has no method that registers the custom operator") as caught:
        c_array.header("net", 1, {operator: 1}, 1)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [b"<!DOCTYPE html>", tflite_file.serialise(dense())[:-100]], ids=["page", "cut off"])
def test_a_file_that_is_no_tflite_is_refused_in_one_line_and_leaves_nothing(command, tmp_path, data):
    (tmp_path / "bad.tflite").write_bytes(data)
    outputs = ["--name", "net", "--source", "bad.cc", "--header", "bad.h"]
    process = command(sys.executable, "write_c_array", "--tflite", "bad.tflite", *outputs, cwd=tmp_path)
    assert process.returncode == 1
    assert re.fullmatch(r"error: bad\.tflite: is (no|a damaged) TFLite file.*\n", process.stderr)
    assert [path.name for path in tmp_path.iterdir()] == ["bad.tflite"]
