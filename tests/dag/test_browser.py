"""When Chromium is run, and on what; nothing is run here."""

import json
import os
import re

import pytest
from plans import commands, errors, planned

TFJS = "tfjs=[float32,uint8]"
DIGITS = "digits_resnet8"
STARTER = "ssd_mobilenet_v1_shapes"


def jobs(process):
    return planned(process).get("validate_browser", 0)


def entries(process):
    """Return what the one job is told to run."""
    (command,) = [text for text in commands(process) if "validate_browser.py" in text.split()[1]]
    (found,) = re.findall(r"--entries '(\[.*\])'", command)
    return json.loads(found)


def test_all_models_and_tflite_files_of_their_graphs_go_through_one_chromium(workflow):
    plan = workflow.run("-n", "-p", config=[TFJS, "tflite=[float32,toco_float32]", "browser=True"])
    assert jobs(plan) == 1
    found = entries(plan)
    assert [os.path.basename(entry["artifact"]) for entry in found] == [
        "detect_cut.float32.tfjs",
        "detect_cut.uint8.tfjs",
        "detect_cut.float32.tflite",
        "detect_cut.toco_float32.tflite",
    ]
    assert {entry["contract"].rpartition("/")[0] for entry in found} == {f"build/{STARTER}/detect_cut"}
    assert {entry["golden"].rpartition("/")[0] for entry in found} == {f"build/{STARTER}/detect_cut"}
    assert [entry["limits"]["sqnr"] for entry in found] == [60, 15, 60, 60]


def test_files_that_take_integers_stay_out(workflow):
    config = [f"models=[{DIGITS}]", TFJS, "tflite=[float32,int8,int8_io,uint8_io]", "browser=True"]
    plan = workflow.run("-n", "-p", config=config)
    names = [os.path.basename(entry["artifact"]) for entry in entries(plan)]
    assert "main.int8.tflite" in names and not [name for name in names if "_io." in name]


@pytest.mark.parametrize("config", [[TFJS, "browser=False"], ["tfjs=[]", "browser=True"], ["tfjs=[]", "browser=auto"]])
def test_without_tensorflow_js_models_or_when_it_is_off_there_is_no_chromium(workflow, config):
    plan = workflow.run("-n", config=config)
    assert jobs(plan) == 0 and "Chromium" not in plan.stdout


@pytest.mark.parametrize("installed", [True, False])
@pytest.mark.parametrize("wanted", ["auto", "True"])
def test_a_browser_that_is_missing_is_left_out_or_fetched_where_it_is_asked_for(workflow, tmp_path, installed, wanted):
    (tmp_path / "bin").mkdir()
    if installed:
        (tmp_path / "bin/chromium").write_text("#!/bin/sh\n")
        (tmp_path / "bin/chromium").chmod(0o755)
    for name in ("bash", "sh", "git"):
        (tmp_path / "bin" / name).symlink_to(f"/usr/bin/{name}")
    plan = workflow.run("-n", config=[TFJS, f"browser={wanted}"], env={**os.environ, "PATH": str(tmp_path / "bin")})
    (line,) = [line for line in plan.stdout.splitlines() if line.startswith("Chromium")]
    run = installed or wanted == "True"
    assert jobs(plan) == run and ("results/*/browser.json are left out" in line) != run
    assert planned(plan).get("install_chromium", 0) == (run and not installed)


def test_the_evidence_of_a_browser_without_models_to_run_is_refused_in_one_line(workflow):
    target = f"results/{DIGITS}/browser.json"
    (line,) = errors(workflow.run(target, "-n", config=["tfjs=[]"], check=False))
    assert line.startswith(f"error: {target}: cannot be had: config.yaml names no `tfjs` variants")


def test_files_that_the_gate_of_litert_js_runs_are_not_run_twice(workflow):
    config = [TFJS, "tflite=[float32,toco_float32]", "browser=True", "deploy=[litertjs]"]
    plan = workflow.run("-n", "-p", config=config)
    assert {os.path.basename(entry["artifact"]) for entry in entries(plan)} == {
        "detect_cut.float32.tfjs",
        "detect_cut.uint8.tfjs",
    }
    assert planned(plan)["validate_litertjs"] == planned(plan)["validate_tflite"]
