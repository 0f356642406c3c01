"""A user's own configuration, cards and files, outside the clone: planned and fetched."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import REPOSITORY, as_plan
from plans import errors, planned

from zoomill.plan import house
from zoomill.plan.plan import Plan

CARD = """title: Mine
task: other
licence: MIT
source:
  kind: keras
  path: model.h5
  files:
    - {name: ., urls: [weights]}
"""


@pytest.fixture
def mine(tmp_path):
    """A folder with a configuration, cards and a file of weights; `run` starts the workflow on it elsewhere."""
    folder = tmp_path / "mine"
    (folder / "cards/weights").mkdir(parents=True)
    (folder / "cards/weights/model.h5").write_text("first")
    (folder / "cards/mine.yaml").write_text(CARD)
    (folder / "config.yaml").write_text("models: [mine]\ncards: [cards]\n")
    (tmp_path / "run").mkdir()

    def run(*arguments):
        program = Path(sys.executable).with_name("snakemake")
        workflow = ["--snakefile", REPOSITORY / "Snakefile", "--workflow-profile", REPOSITORY / "profiles/default"]
        configuration = ["--configfile", REPOSITORY / "config.yaml", folder / "config.yaml"]
        command = [program, *arguments, "-j1", *workflow, *configuration]
        command, env = as_plan(command) if "-n" in arguments else (command, None)
        return subprocess.run(
            command,
            cwd=tmp_path / "run",
            env=env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
        )

    run.folder, run.source = folder, tmp_path / "run/sources/mine/model.h5"
    return run


def test_a_retrained_file_of_the_same_size_and_time_is_a_new_source_and_the_same_bytes_are_none(mine):
    path = mine.folder / "cards/weights/model.h5"
    dry = mine("sources/mine", "-n")
    assert "\nSources:\n  mine  to be copied from " in dry.stdout and planned(dry) == {"fetch_source": 1}
    assert mine("sources/mine").returncode == 0
    before = path.stat()
    path.write_text("again")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    again = mine("sources/mine")
    (line,) = [line for line in again.stdout.splitlines() if line.startswith("mine: a new source: ")]
    assert line.startswith("mine: a new source: model.h5 ") and " → " in line
    assert mine.source.read_text() == "again"
    os.utime(path)
    dry = mine("sources/mine", "-n")
    assert "\nSources:\n  mine  is there\n" in dry.stdout and planned(dry) == {} and "a new source" not in dry.stdout


def test_provenance_tells_nothing_of_where_own_files_stand(mine):
    rooms = house.read(str(REPOSITORY), [mine.folder / "config.yaml"])
    plan = Plan(rooms.config, rooms.catalogue, rooms.datasets, os.curdir, named=())
    for model, urls in (("mine", []), ("digits_onnx", ["starter/digits_pytorch/digits.onnx"])):
        told = json.loads(plan.parameters(SimpleNamespace(model=model)))["card"]
        assert told["source"]["files"][0]["urls"] == urls and "file" not in told


def test_a_local_file_that_is_not_there_is_one_line_and_stops_only_its_model(mine):
    (mine.folder / "cards/weights/model.h5").unlink()
    dry = mine("sources/mine", "sources/digits_onnx", "-n")
    assert planned(dry) == {"fetch_source": 2}
    assert "\n  mine         not to be had: " in dry.stdout and "\n  digits_onnx  to be copied from " in dry.stdout
    (error,) = set(errors(mine("sources/mine")))
    assert error.startswith("error: mine: ") and error.endswith("weights stands for no files; check mine.yaml")


def test_what_is_broken_beside_a_configuration_or_fits_a_pattern_in_vain_is_left_out_with_a_line(mine):
    (mine.folder / "cards/wrong.yaml").write_text("titel: x\n")
    (mine.folder / "cards/digits_onnx.yaml").write_text(CARD)
    (mine.folder / "config.yaml").write_text(
        "models: [mine, 'inception_v1*', 'wr*', 'digits_onn*']\ncards: [cards]\ntfjs: []\n"
    )
    dry = mine("-n")
    assert "\n  mine  to be copied from " in dry.stdout and planned(dry)["fetch_source"] == 1
    told = [line.removeprefix("left out: ") for line in dry.stdout.splitlines() if line.startswith("left out: ")]
    assert [line for line in told if line.startswith("inception_v1: nobody has published a digest of ")]
    assert [line for line in told if line.startswith(f"{mine.folder}/cards/wrong.yaml: ")]
    (twice,) = [line for line in told if line.startswith("models/digits_onnx.yaml and ")]
    assert twice.endswith("two cards of one name; rename one") and len(told) == 3
    (error,) = errors(mine("sources/digits_onnx", "-n"))
    assert error == f"error: {twice}"
