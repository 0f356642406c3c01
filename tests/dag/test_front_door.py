"""The front door: what its verbs plan and say, and how a mistake is said in one line."""

import dataclasses
import fnmatch
import json
import shutil
import subprocess
import sys

import pytest
from conftest import REPOSITORY
from plans import planned
from refusals import refusal

from zoomill.plan import build, cards, house, why

RESNET = "results/digits_resnet8/main"
DETECTOR = "results/ssd_mobilenet_v1_shapes"


@pytest.fixture(scope="module")
def rooms():
    """Configuration and cards of the repository."""
    return house.read(str(REPOSITORY))


@pytest.fixture(scope="module")
def door():
    """Return a function that runs a verb and returns the completed process."""

    def run(*arguments, **more):
        command = [sys.executable, REPOSITORY / "zoomill", *map(str, arguments)]
        return subprocess.run(command, text=True, capture_output=True, **more)

    return run


def test_an_artifact_is_built_with_its_evidence(rooms):
    paths, lines = build.files("digits_resnet8", ["int8", "uint8.tfjs"], rooms)
    assert lines == []
    assert paths == [
        *(f"{RESNET}.int8{end}" for end in (".tflite", ".tflite.json", ".metric.json")),
        *(f"{RESNET}.uint8.tfjs{end}" for end in ("", ".json", ".metric.json")),
    ]


def test_without_variants_what_the_configuration_asks_for_is_built(rooms):
    paths, _ = build.files("digits_autoencoder", [], rooms)
    wanted = {f"results/digits_autoencoder/main.{name}.tflite" for name in ("float32", "float16", "dynamic", "int8")}
    assert wanted < set(paths) and "results/digits_autoencoder/main.uint8.tfjs" in paths
    assert "results/digits_autoencoder/main.int16x8.tflite" not in paths


@pytest.mark.parametrize(
    "model, variants, message",
    [
        ("digits_resnet", ["int8"], "build: there is no model digits_resnet; did you mean digits_resnet8"),
        ("digits_resent*", ["int8"], "build: there is no model digits_resent*"),
        ("digits_resnet8", ["flaot32"], "build: there is no variant flaot32; did you mean float32"),
        ("digits_resnet8", ["int8.tfjs"], "build: there is no variant int8.tfjs; did you mean "),
        (
            "yolo_shapes",
            ["int8"],
            "results/yolo_shapes/main.int8.tflite: cannot be had: its card lists what can be had",
        ),
        ("digits_resnet8", ["torch*"], "digits_resnet8: nothing of it can be had: litert-torch converts sources of"),
    ],
)
def test_what_is_not_there_or_cannot_be_had_is_told_with_names_or_reason(rooms, model, variants, message):
    assert refusal(build.files, model, variants, rooms).startswith(message)


def test_what_a_card_does_not_say_is_left_out_by_default_with_what_to_add(rooms):
    card = {key: value for key, value in rooms.catalogue["digits_resnet8"].items() if key != "calibration"}
    bare = {
        **card,
        "file": "models/bare.yaml",
        "golden": [],
        "inputs": [{"name": "x", "dtype": "float32", "shape": [1, 4, 4, 1]}],
    }
    del bare["evaluation"]
    catalogue = {"bare": bare, "sampled": card}
    paths, lines = build.files(
        "all", [], dataclasses.replace(rooms, catalogue=cards.Catalogue(catalogue, catalogue.get))
    )
    assert "results/bare/main.float32.tflite" in paths and not fnmatch.filter(paths, "*.int8*")
    assert [line.partition(": its card ")[0] for line in lines] == [
        "left out: bare: int8",
        "not known: bare: x",
        "left out: sampled: int8",
    ]
    assert all(line.endswith("models/bare.yaml") for line in lines[:2])


def test_a_pattern_leaves_out_what_cannot_be_had_and_says_so(rooms):
    paths, lines = build.files("*_shapes", ["int8"], rooms)
    assert f"{DETECTOR}/detect_cut.int8.tflite" in paths and not fnmatch.filter(paths, "results/yolo_shapes/*")
    assert [
        line for line in lines if line.startswith("left out: results/yolo_shapes/main.int8.tflite: its card lists ")
    ]


def test_of_a_detector_all_graphs_that_can_be_had_are_built(rooms):
    paths, lines = build.files("ssd_mobilenet_v1_shapes", ["float32.openvino"], rooms)
    assert [path for path in paths if path.endswith(".openvino")] == [f"{DETECTOR}/detect_cut.float32.openvino"]
    assert len(lines) == 2 and all("lacks TFLite_Detection_PostProcess" in line for line in lines)


def test_a_file_that_a_card_names_is_its_model(rooms):
    path = REPOSITORY / "starter/digits_resnet8/digits_resnet8.h5"
    assert build.known(path, rooms) == "digits_resnet8"
    assert build.known(path.parent, rooms) == "digits_resnet8"
    assert build.known(REPOSITORY / "starter/digits_resnet8/other.h5", rooms) is None


def test_a_file_outside_is_its_models_if_a_card_names_it_or_its_folder_or_a_pattern(rooms, tmp_path):
    source = {"files": [{"name": "a", "urls": [f"{tmp_path}/a.*", f"{tmp_path}/deep/x", "https://example.org/a"]}]}
    catalogue = cards.Catalogue({"mine": ""}, lambda _: {"source": source})
    house = dataclasses.replace(rooms, catalogue=catalogue)
    for place in (f"{tmp_path}/a.h5", f"{tmp_path}/deep", "https://example.org/a"):
        assert build.known(place, house) == "mine"
    assert build.known(f"{tmp_path}/b.h5", house) is None


def test_a_configuration_of_ones_own_has_its_own_cards_and_new_ones_are_written_there(door, tmp_path):
    (tmp_path / "config.yaml").write_text("models: [mine]\ncards: [cards]\ntfjs: []\n")
    (tmp_path / "cards").mkdir()
    file = tmp_path / "cards/small.h5"
    shutil.copy(REPOSITORY / "starter/digits_resnet8/digits_resnet8.h5", file)
    mine = ("--configfile", "config.yaml")
    process = door(*mine, "new-card", "cards/small.h5", "--name", "mine", cwd=tmp_path)
    assert process.stdout.startswith(f"wrote {tmp_path}/cards/mine.yaml; "), process.stderr
    assert "urls: [small.h5]" in (tmp_path / "cards/mine.yaml").read_text()
    listed = json.loads(door(*mine, "models", "--json", cwd=tmp_path).stdout)
    assert [entry["source"] for entry in listed if entry["model"] == "mine"] == ["keras"]
    process = door(*mine, "build", "cards/small.h5", "-n", cwd=tmp_path)
    assert process.returncode == 0 and planned(process)["export_keras"] == 1, process.stderr
    assert "convert_tfjs" not in planned(process) and "left out: mine: int8" in process.stderr
    told = door(*mine, "why", "results/mine/main.float32.tflite", cwd=tmp_path).stdout
    assert "  made by     fetch_source → export_keras → convert_tflite\n" in told


def test_the_longest_way_to_a_target_is_its_chain():
    rules = {"0": "quantise", "1": "convert", "2": "export", "3": "fetch", "4": "list"}
    edges = [("3", "2"), ("2", "1"), ("1", "0"), ("4", "0"), ("2", "0")]
    assert why.chain(rules, edges) == (["fetch", "export", "convert", "quantise"], ["list"])


def test_building_is_a_run_of_snakemake_with_what_follows_the_dashes(door):
    process = door("build", "digits_resnet8", "float32", "--dry-run", "--", "--forceall", "--config", "evaluate=False")
    assert process.returncode == 0, process.stderr
    jobs = planned(process)
    assert {jobs[name] for name in ("fetch_source", "export_keras", "convert_tflite", "validate_tflite")} == {1}


def test_a_file_of_a_build_can_be_checked_where_no_card_was_written_before(repository_copy):
    command = [
        sys.executable,
        repository_copy / "zoomill",
        "check",
        f"{RESNET}.int8.tflite",
        "--gate",
        "vela",
        "--",
        "-n",
    ]
    process = subprocess.run(command, cwd=repository_copy, text=True, capture_output=True)
    assert process.returncode == 0 and planned(process)["validate_vela"] == 1, process.stderr


def test_why_tells_source_commands_and_what_is_missing(door, tmp_path):
    clone = tmp_path / "zoomill"
    shutil.copytree(REPOSITORY, clone, symlinks=True, ignore=_not_of_the_repository)
    command = [sys.executable, clone / "zoomill", "why", f"{RESNET}.int8.tflite"]
    process = subprocess.run(command, text=True, capture_output=True, cwd=tmp_path)
    lines = process.stdout.splitlines()
    assert lines[:5] == [
        f"{RESNET}.int8.tflite",
        "  made from   keras: starter/digits_resnet8/digits_resnet8.h5",
        "  made by     fetch_source → export_keras → convert_tflite → calibrate → quantise_tflite",
        "  needs too   generate_dataset, list_samples",
        "  is there    no",
    ]
    assert "              export_keras: Missing output files: " in "\n".join(lines)


def _not_of_the_repository(folder, names):
    return {name for name in names if name in (".git", ".venv", ".snakemake", "results", "build", "sources", "logs")}


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("build", "digits_resnet"), "build: there is no model digits_resnet; did you mean "),
        (("build", "yolo_shapes", "int8"), "results/yolo_shapes/main.int8.tflite: cannot be had: "),
        (("why", f"{RESNET}.int9.tflite"), f"{RESNET}.int9.tflite: there is no TFLite variant int9; did you mean int8"),
        (("why", "results/yolo_shapes/main.int8.tflite"), "results/yolo_shapes/main.int8.tflite: cannot be had: "),
        (("why", "README.me"), "README.me: no rule makes it"),
        (("new-card", "nothing.h5"), "there is no such file or folder"),
        (("new-dataset", "nothing"), "there is no such folder"),
        (("models", "--", "-n"), "models: takes nothing for Snakemake"),
        (("inspect", "nothing.h5"), "there is no such file"),
        (("page", "nothing"), "nothing: there is no such folder"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else "",
)
def test_a_mistake_is_one_line_and_status_1(door, tmp_path, arguments, message):
    process = door(*arguments, cwd=tmp_path)
    assert process.returncode == 1
    (line,) = process.stderr.splitlines()
    assert line.startswith("error: ") and message in line
    assert process.stdout == ""


@pytest.mark.parametrize("verb", ["build", "check", "why", "inspect", "page", "models", "new-card", "new-dataset"])
def test_every_verb_has_help(door, verb):
    process = door(verb, "--help")
    assert process.returncode == 0 and f"usage: zoomill {verb}" in process.stdout
    assert f"\n    {verb}" in door("--help").stdout


def test_the_catalogue_is_told_as_a_table_and_as_json(door, rooms):
    entries = json.loads(door("models", "--json").stdout)
    assert [entry["model"] for entry in entries] == list(rooms.catalogue)
    entry = next(entry for entry in entries if entry["model"] == "digits_resnet8")
    size = sum(file["size"] for file in rooms.catalogue["digits_resnet8"]["source"]["files"])
    assert {key: entry[key] for key in ("task", "source", "bytes", "licence")} == {
        "task": "image-classification",
        "source": "keras",
        "bytes": size,
        "licence": "Apache-2.0",
    }
    table = door("models").stdout.splitlines()
    assert len(table) == len(entries) + 2 and f" {size:,} " in next(
        line for line in table if "| digits_resnet8 " in line
    )


def test_inspect_prints_what_the_command_prints(door, command, tmp_path):
    file = REPOSITORY / "starter/digits_pytorch/digits.onnx"
    expected = command(sys.executable, "inspect_model", file, "--json", "-")
    assert door("inspect", file, "--json", "-").stdout == expected.stdout != ""
    shutil.copy(file, tmp_path / "here.onnx")
    assert "ONNX model" in door("inspect", "here.onnx", cwd=tmp_path).stdout


@pytest.mark.parametrize("made", [True, False])
def test_a_python_without_packages_hands_on_to_the_host_s_or_says_how_to_make_it(tmp_path, made):
    (tmp_path / "zoomill").write_bytes((REPOSITORY / "zoomill").read_bytes())
    if made:
        (tmp_path / ".venv/bin").mkdir(parents=True)
        (tmp_path / ".venv/bin/python").write_text('#!/bin/sh\necho "host $2 $3"\n')
        (tmp_path / ".venv/bin/python").chmod(0o755)
    bare = [sys.executable, "-S", "-E", tmp_path / "zoomill", "build", "a b"]
    process = subprocess.run(bare, text=True, capture_output=True)
    told = (process.returncode, process.stdout, process.stderr)
    line = "error: the packages of the host are not there; make them with: make .venv/complete\n"
    assert told == ((0, "host build a b\n", "") if made else (1, "", line))
