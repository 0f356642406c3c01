"""Defects that published recipes of evaluation have had, by their names: here each is refused or told."""

import os
import shutil
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from zoomill import files
from zoomill.evaluation import coco_weighing, resampling
from zoomill.inputs import samples
from zoomill.inputs.samples import Sample
from zoomill.proof import binding, verdicts


class Found:
    """Boxes of one category in two pictures as pycocotools tells them: the first has one that was found, the second
    one that was missed, where nothing was detected at all.
    """

    params = types.SimpleNamespace(
        areaRng=range(4), catIds=[1], maxDets=[1, 10, 100], recThrs=np.linspace(0, 1, 101), imgIds=[0, 1]
    )
    one = {"dtScores": [0.9], "gtIgnore": [0], "dtMatches": np.ones((10, 1)), "dtIgnore": np.zeros((10, 1))}
    none = {"dtScores": [], "gtIgnore": [0], "dtMatches": np.zeros((10, 0)), "dtIgnore": np.zeros((10, 0))}
    columns = [[one, None, None, None], [none, None, None, None]]
    more_is_better = True

    def weighed(self, rows):
        return coco_weighing.figure(self.params, self.columns, "map")

    def strata(self, rows):
        return [0] * len(rows)


def test_images_without_detections_are_scored_in_figure_and_interval():
    value = Found().weighed(None)
    both, detected = np.array([[1, 1]]), np.array([[1, 0]])
    assert value(both) == pytest.approx(51 / 101) and value(detected) == pytest.approx(1)
    low, high = resampling.interval(Found(), [{}, {}])
    assert low < 51 / 101 < high


PICTURES = [Sample(f"{number}.png", 1, f"{number:064x}", "") for number in range(10)]
ELSEWHERE = [Sample(f"train/{number}.png", 1, f"{number:064x}", "") for number in range(9, 20)]


@pytest.mark.parametrize("purpose", ["calibration", "evaluation"])
@pytest.mark.parametrize("other", ["index.csv", "elsewhere.csv"], ids=["one data set", "one picture in two data sets"])
def test_calibrated_on_evaluation_data_is_refused_by_the_name_of_the_sample(command, tmp_path, purpose, other):
    (tmp_path / "index.csv").write_text(samples.index_text(PICTURES))
    (tmp_path / "elsewhere.csv").write_text(samples.index_text(ELSEWHERE))
    process = command(
        *(sys.executable, "list_samples", "--model", "toy", "--purpose", purpose, "--index", "index.csv"),
        *("--samples", '{"first": 8, "last": 9}', "--apart-from", other, "--apart-from-samples", '"all"'),
        *("--output", "list.csv"),
        cwd=tmp_path,
    )
    assert process.returncode == 1 and not (tmp_path / "list.csv").exists()
    (line,) = process.stderr.splitlines()
    shared = "8.png" if other == "index.csv" else "9.png"
    assert f"toy: {purpose}: the sample {shared} is also in the list of the other purpose" in line


@pytest.fixture
def scored(tmp_path, monkeypatch):
    """Return a function that writes an artifact and its figure, and returns the path of the figure."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["scripts/evaluate_tflite.py"])

    def write(variant, data):
        name = f"results/small/main.{variant}"
        files.write_bytes(f"{name}.tflite", data)
        about = {"model": "small", "graph": "main", "variant": variant, "artifact": f"main.{variant}.tflite"}
        about |= {"sha256": files.digest(f"{name}.tflite"), "values": {"top_1": 0.5}, "figure": "top_1", "samples": 9}
        files.write_json(f"{name}.metric.json", {**about, "against": []})
        return f"{name}.metric.json"

    return write


def dag(*outputs):
    """Return what is asked of Snakemake's DAG when a run has ended."""
    jobs = [types.SimpleNamespace(output=[path]) for path in outputs]
    return types.SimpleNamespace(jobs=jobs, noneedrun_finished=lambda job: True)


def test_one_file_s_figure_under_two_names_is_told(scored):
    paths = [scored("float32", b"the int8 file"), scored("int8", b"the int8 file")]
    assert verdicts.of_wanted(dag(*paths), {}) == [
        "small: main.float32.tflite and main.int8.tflite have the same bytes, so one is not what its name says"
    ]


def put(source, target):
    """Copy a file and the record beside it in place of others."""
    for path in (source, record(source)):
        shutil.copy2(path, target if path == source else record(target))


def record(path):
    """Return the path of a file's record."""
    return f"{os.path.dirname(path)}/.made/{os.path.basename(path)}.json"


def test_the_figure_of_another_file_counts_for_none_and_is_told_by_that_one_s_name(scored):
    paths = [scored("float32", b"the float file"), scored("int8", b"the int8 file")]
    put(*paths)
    assert binding.documents(paths)[1]["stale"] == ["figure of main.float32.tflite"]
    assert verdicts.of_wanted(dag(*paths), {"small": {"int8": 0.1}}) == [
        "small: main.int8.tflite: its figures are stale (figure of main.float32.tflite); "
        f"renew them with: snakemake -j1 --force {paths[1]}"
    ]


def test_the_figure_of_another_file_without_its_record_is_refused_by_who_reads_it(scored, command, tmp_path):
    paths = [scored("float32", b"the float file"), scored("int8", b"the int8 file")]
    shutil.copy2(*paths)
    flags = ["--metrics", *paths, "--output", "summary.md"]
    process = command(sys.executable, "summarise", *flags, cwd=tmp_path)
    assert process.returncode == 1 and f"{paths[1]}: was changed after evaluate_tflite made it" in process.stderr


def test_the_figure_of_a_file_that_was_exchanged_is_not_that_of_the_new_one(scored):
    path = scored("int8", b"the int8 file")
    Path("results/small/main.int8.tflite").write_bytes(b"retrained")
    assert binding.phrase(binding.documents([path])[0]) == "stale (artifact)"
