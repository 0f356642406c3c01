"""Arm's compiler Vela: what it makes, always the same, and what is said of files that it cannot use."""

import json

import docs_tables
import numpy as np
import pytest
from small_models import Builder, dense, schema

from zoomill import files
from zoomill.plan import accelerators
from zoomill.tflite import tflite_file

pytestmark = pytest.mark.slow
U55, U65 = (accelerators.as_json(name) for name in ("ethos-u55-128", "ethos-u65-256"))
CONTRACT = {"model": "small", "graph": "main"}


@pytest.fixture
def asked(environment_python, command, tmp_path):
    """Return a function from a file to its evidence for some accelerators."""

    def ask(artifact, *chosen):
        files.write_json(tmp_path / "contract.json", CONTRACT, recorded=False)
        flags = ["--artifact", artifact, "--contract", tmp_path / "contract.json", "--variant", "int8"]
        flags += ["--accelerators", *chosen, "--output", tmp_path / "vela.json"]
        process = command(environment_python("vela"), "validate_vela", *flags)
        assert process.returncode == 0, process.stderr
        return files.read_json(tmp_path / "vela.json")

    return ask


@pytest.fixture
def compiled(environment_python, command, tmp_path):
    """Return a function from a file to the process that compiled it, and the path of what it made."""

    def compile_file(artifact, accelerator=U55):
        flags = ["--artifact", artifact, "--accelerator", accelerator, "--output", tmp_path / "compiled.tflite"]
        return command(environment_python("vela"), "compile_vela", *flags), tmp_path / "compiled.tflite"

    return compile_file


@pytest.fixture
def small(tmp_path):
    """Return a function that writes a file of one operator on int8."""

    def write(operator, settings=None, inputs=1):
        builder = Builder()
        *ends, end = [builder.quantised(f"t{index}", (1, 4, 4, 2), 0.5, 0) for index in range(inputs + 1)]
        builder.operator(operator, ends, [end], settings)
        (tmp_path / "small.tflite").write_bytes(tflite_file.serialise(builder.build(ends, [end])))
        return tmp_path / "small.tflite"

    return write


def test_two_compilations_in_two_folders_give_the_same_bytes_and_the_operators_add_up(starter_run, asked, compiled):
    artifact = starter_run.file("results/ssd_mobilenet_v1_shapes/detect_regular.int8.tflite")
    found = asked(artifact, U55, U65)
    assert found["verdict"] == "passed" and found["vela"] == "5.2.0"
    whole = sum(tflite_file.operators(tflite_file.read(artifact)).values())
    for accelerator in (U55, U65):
        figures = found["accelerators"][json.loads(accelerator)["name"]]
        process, path = compiled(artifact, accelerator)
        assert process.returncode == 0, process.stderr
        assert files.digest(path) == figures["sha256"] and path.stat().st_size == figures["bytes"]
        assert sum(figures["operators"].values()) == whole
        left = {entry["operator"]: entry["count"] for entry in figures["on_cpu"]}
        assert left.keys() == {"QUANTIZE", "DEQUANTIZE", "TFLite_Detection_PostProcess"}
        assert all(entry["reason"] for entry in figures["on_cpu"])
        after = tflite_file.operators(tflite_file.read(path))
        assert after == {**left, "ethos-u": after["ethos-u"]}
        cycles = figures["milliseconds"] * 1e3 * figures["clock_mhz"]
        assert cycles == pytest.approx(figures["cycles"], rel=0.01)
    assert {name: entry["clock_mhz"] for name, entry in found["accelerators"].items()} == {
        "ethos-u55-128": 500,
        "ethos-u65-256": 1000,
    }


# Milliseconds, and KiB of SRAM and flash, that Vela 5.2.0 said of Efinix's files when it was run by hand.
BY_HAND = {name: tuple(map(float, figures)) for name, *figures in docs_tables.read("vela")["rows"]}


@pytest.mark.parametrize("name", BY_HAND)
def test_the_figures_are_those_of_vela_by_hand(zoo, asked, name):
    found = asked(zoo / f"efinix_tinyml_reference_tflite/{name}.tflite", U55)
    figures = found["accelerators"]["ethos-u55-128"]
    measured = figures["milliseconds"], figures["kib"]["sram"], figures["kib"]["off_chip_flash"]
    assert measured == pytest.approx(BY_HAND[name], rel=0.004)
    assert figures["operators"]["cpu"] == 0 and figures["on_cpu"] == []


def test_a_file_of_floats_has_a_reason_and_is_not_compiled(asked, compiled, tmp_path):
    (tmp_path / "a.tflite").write_bytes(tflite_file.serialise(dense()))
    found = asked(tmp_path / "a.tflite", U55)
    assert (found["verdict"], found["passed"], found["accelerators"]) == ("does not apply", True, {})
    reason = "its activations are floats, which an Ethos-U leaves to the CPU; take int8"
    assert found["reason"] == reason
    process, path = compiled(tmp_path / "a.tflite")
    assert process.stderr == f"error: {tmp_path}/a.tflite: {reason}\n" and not path.exists()


def test_a_file_of_which_nothing_runs_on_the_accelerator_fails(small, asked):
    found = asked(small("COS"), U55)
    assert (found["verdict"], found["failures"]) == (
        "failed",
        ["no operator runs on ethos-u55-128: Unsupported opType"],
    )


def test_a_file_that_vela_refuses_is_named_in_one_line(small, asked, compiled):
    artifact = small("ADD", schema.AddOptionsT())
    words = "Vela refuses it for ethos-u55-128: Compilation failed: Error: ADD Does not have valid TFLite Semantics."
    assert asked(artifact, U55)["failures"] == [words]
    process, path = compiled(artifact)
    assert process.returncode == 1 and not path.exists()
    assert process.stderr == f"error: {artifact}: {words}\n"


def test_the_metadata_of_a_file_change_nothing(starter_run, asked, tmp_path):
    from zoomill.tflite import metadata

    artifact = starter_run.file("results/ssd_mobilenet_v1_shapes/detect_cut.int8.tflite")
    plain = metadata.stripped(artifact.read_bytes(), artifact)
    assert plain != artifact.read_bytes()
    (tmp_path / "plain.tflite").write_bytes(plain)
    first, second = (asked(path, U55)["accelerators"] for path in (artifact, tmp_path / "plain.tflite"))
    assert first == second and np.all([entry["bytes"] for entry in first.values()])
