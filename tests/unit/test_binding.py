"""Figures and the parts that they were measured on, in a small tree: what changed is named."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from zoomill import files, folders, made
from zoomill.proof import binding, evaluator

ARTIFACT, EXACT = "results/small/main.int8.tflite", "results/small/main.float32.tflite"
METRIC = "results/small/main.int8.metric.json"
PLACES = {
    "artifact": ARTIFACT,
    "contract": "build/small/main/contract.json",
    "anchors": "build/small/main/anchors.npy",
    "sample list": "build/small/evaluation.csv",
    "what it is compared with": "results/small/main.float32.samples.jsonl",
}
PICTURE = "sources/pictures/0.png"


@pytest.fixture(autouse=True)
def tree(tmp_path, monkeypatch):
    """The working directory of a run: a data set, an artifact, what it is scored with, and its figure."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["scripts/fetch_source.py"])
    with folders.written("sources/pictures") as folder:
        Path(folder, "0.png").write_bytes(b"picture")
        Path(folder, "annotations.json").write_bytes(b"boxes")
    for path in (*PLACES.values(), EXACT):
        files.write_bytes(path, path.encode())
    score()


def score(artifact=ARTIFACT, **changes):
    """Write the figure of an artifact as a command of evaluation does, with its record, and return the path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(made, "_read", {})
        patch.setattr(sys, "argv", ["scripts/evaluate_tflite.py"])
        for path in {**PLACES, "artifact": artifact}.values():
            made.checked(path)
        made.part_of("sources/pictures")
        document = {
            "artifact": os.path.basename(artifact),
            "sha256": made.noted(artifact),
            "contract_sha256": made.noted(PLACES["contract"]),
            "anchors_sha256": made.noted(PLACES["anchors"]),
            "samples_sha256": made.noted(PLACES["sample list"]),
            "dataset_sha256": made.noted("sources/pictures/annotations.json"),
            "evaluator_sha256": evaluator.code_digest(),
            "runner_sha256": evaluator.runner_digest("evaluate_tflite"),
            "environment_sha256": evaluator.environment_digest(),
            "against": [{"of": "main.float32"}],
        }
        path = artifact.replace(".tflite", ".metric.json")
        files.write_json(path, {**document, **changes})
        return path


def told(path=METRIC):
    """Return what is told of a figure."""
    (document,) = binding.documents([path])
    return document


def flip(path):
    """Flip a bit of a file, whose times stay as they were."""
    times, data = os.stat(path), bytearray(Path(path).read_bytes())
    data[0] ^= 1
    Path(path).write_bytes(data)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_a_figure_of_what_stands_there_is_not_stale():
    assert told()["stale"] == [] and binding.current([told()]) and binding.failures([told()]) == []


@pytest.mark.parametrize("part, path", PLACES.items())
def test_a_flipped_bit_makes_the_figure_stale_by_the_name_of_the_part_and_the_line_says_what_renews_both(part, path):
    flip(path)
    assert binding.phrase(told()) == f"stale ({part})"
    assert binding.failures([told()]) == [
        f"small: main.int8.tflite: its figures are stale ({part}); "
        f"renew them with: snakemake -j1 --force {path} {METRIC}"
    ]


@pytest.mark.parametrize("name", ["0.png", "annotations.json"])
def test_a_changed_picture_or_annotation_is_one_of_the_data_set(name):
    flip(f"sources/pictures/{name}")
    assert told()["stale"] == ["data set"]
    assert told()["renewal"] == ["sources/pictures", METRIC]


def test_a_part_that_was_made_again_needs_no_restoring():
    files.write_bytes(PLACES["sample list"], b"other samples")
    assert (told()["stale"], told()["renewal"]) == (["sample list"], [METRIC])


def test_several_parts_are_all_named():
    for path in (PLACES["contract"], PLACES["sample list"]):
        flip(path)
    assert binding.phrase(told()) == "stale (contract, sample list)"


@pytest.mark.parametrize("part", ["evaluator", "runner", "environment"])
def test_a_figure_of_other_code_or_packages_is_stale_by_its_name(part):
    score(**{f"{part}_sha256": "that of before"})
    assert (told()["stale"], told()["renewal"]) == ([part], [METRIC])


def test_a_figure_that_outlived_its_artifact_is_stale_but_parts_that_were_cleared_away_changed_nothing():
    for path in (PLACES["sample list"], PICTURE):
        os.remove(path)
    shutil.rmtree("sources")
    assert told()["stale"] == []
    os.remove(ARTIFACT)
    assert told()["stale"] == ["artifact"]


def test_a_figure_without_a_record_is_held_to_the_artifact_and_to_ours():
    shutil.rmtree("results/small/.made")
    assert told()["stale"] == []
    flip(ARTIFACT)
    assert told()["stale"] == ["artifact"]


PROGRAM = """
from zoomill.proof import evaluator
print(evaluator.code_digest(), *map(evaluator.runner_digest, ("evaluate_tflite", "evaluate_tfjs", "gone")))
print(evaluator.environment_digest())
"""


def digests(repository):
    """Return the digests of a repository's evaluator, the runners of both formats and of none, and the environment."""
    env = {"PYTHONPATH": str(repository / "scripts")}
    return subprocess.run([sys.executable, "-c", PROGRAM], env=env, text=True, capture_output=True).stdout.split()


@pytest.mark.parametrize(
    "path, changed",
    [
        ("scripts/zoomill/detection/decode.py", [0]),
        ("scripts/zoomill/inputs/preprocess.py", [0]),
        ("scripts/zoomill/tflite/runtime.py", [1]),
        ("scripts/evaluate_tfjs.py", [2]),
        ("web/runner.js", [2]),
        ("web/package-lock.json", [2]),
        ("scripts/calibrate.py", []),
    ],
)
def test_an_edit_changes_the_digest_of_what_it_is_a_part_of(repository_copy, path, changed):
    before = digests(repository_copy)
    with open(repository_copy / path, "a") as file:
        file.write("\n")
    after = digests(repository_copy)
    assert [number for number, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]] == changed
    assert before[3] == "None" and len({*before}) == 5


@pytest.mark.parametrize(
    "old, new, same",
    [
        ("pillow==", "pillow==9.", False),
        ("tflite-micro==0.dev", "tflite-micro==1.dev", False),
        ("python=3.11", "python=3.12", False),
        ("# ", "# More. ", True),
    ],
)
def test_another_pin_changes_the_environment_and_a_comment_does_not(repository_copy, old, new, same):
    before = digests(repository_copy)
    path = repository_copy / "envs/evaluate.yaml"
    path.write_text(path.read_text().replace(old, new, 1))
    assert (digests(repository_copy)[4] == before[4]) is same


def test_the_environment_of_this_process_is_another():
    assert evaluator.installed_digest() != evaluator.environment_digest()
