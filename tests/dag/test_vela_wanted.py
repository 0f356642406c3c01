"""What is compiled for Arm Ethos-U accelerators, and what it is called."""

import re

import pytest
from plans import commands, errors, planned

SETTINGS = ["models=[digits_resnet8]", "tflite=[float32,dynamic,int8,int8_io,int16x8]"]


def made(plan, command):
    """Return the paths that a command of a dry run would write."""
    found = [text for text in commands(plan) if f"/{command}.py" in text]
    return {path for text in found for path in re.findall(r"--(?:output|source) results/digits_resnet8/(\S+)", text)}


def test_files_of_integers_are_compiled_for_each_accelerator_where_the_gate_is_wanted(workflow):
    accelerators = ["accelerators=[ethos-u55-128,ethos-u65-256]", "c_arrays=[float32,int8_io]"]
    plan = workflow.run("results/SHA256SUMS", "-n", "-p", config=[*SETTINGS, *accelerators, "deploy=[vela]"])
    ends = (".vela", ".vela-u65-256")
    assert made(plan, "compile_vela") == {
        f"main.{variant}{end}.tflite" for variant in ("int8", "int8_io", "int16x8") for end in ends
    }
    arrays = {f"main.int8_io{end}.cc" for end in ("", *ends)}
    assert made(plan, "write_c_array") == {"main.float32.cc", *arrays}
    names = {name for text in commands(plan) for name in re.findall(r"write_c_array.py (?:.*\n)*? --name (\S+)", text)}
    assert {name.removeprefix("resnet8_digit_classification") for name in names} == {
        *("", "_float32", "_vela", "_vela_u65_256")
    }


def test_nothing_is_compiled_where_the_gate_is_not_wanted(workflow):
    found = planned(
        workflow.run("results/SHA256SUMS", "-n", config=[*SETTINGS, "deploy=[tasks]", "c_arrays=[int8_io]"])
    )
    assert "compile_vela" not in found


@pytest.mark.parametrize("end", ["vela.tflite", "vela-u85-2048.tflite", "vela.cc"])
def test_a_file_of_floats_is_refused_before_any_job_starts(workflow, end):
    assert "compile_vela" in planned(workflow.run(f"results/digits_resnet8/main.int8.{end}", "-n"))
    (line,) = errors(workflow.run(f"results/digits_resnet8/main.dynamic.{end}", "-n", check=False))
    assert line.endswith(
        f"main.dynamic.{end}: cannot be had: an Ethos-U computes in integers alone, and its activations "
        "are floats; take int8"
    )


def test_an_accelerator_that_vela_does_not_know_is_named(workflow):
    (line,) = errors(workflow.run("-n", config=["accelerators=[ethos-u56-128]"], check=False))
    assert "accelerators[0]: 'ethos-u56-128' is not one of" in line
