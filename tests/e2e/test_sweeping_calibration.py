"""Files that are calibrated with fewer samples: what the workflow finds of the starter, and how it is drawn."""

import json
import subprocess

import pytest
from conftest import copied
from environments import REPOSITORY

from zoomill.inputs import samples

NAME = "results/digits_resnet8/main.int8"


@pytest.fixture(scope="module")
def run(digits, tmp_path_factory):
    """A finished run with the sweep of digits_resnet8."""
    run = copied(digits, tmp_path_factory.mktemp("sweep") / "copy")
    run.run(f"{NAME}.calibration_sweep.json")
    return run


@pytest.fixture(scope="module")
def found(run):
    return json.loads(run.file(f"{NAME}.calibration_sweep.json").read_text())


def test_every_number_of_samples_is_scored_with_every_seed(found):
    counts = [run["count"] for run in found["runs"]]
    assert [(count, counts.count(count)) for count in sorted({*counts})] == [
        *((count, 5) for count in (1, 2, 5, 10, 20, 50, 100)),
        (144, 1),
    ]
    assert all(run["interval"][0] <= run["value"] <= run["interval"][1] for run in found["runs"])
    assert found["enough"] in counts


def test_the_file_of_all_samples_is_worth_what_the_delivered_one_is_on_the_same_pictures(run, found):
    lines = run.file(f"{NAME}.samples.jsonl").read_text().splitlines()
    ranks = {row["name"]: row["rank"] for row in map(json.loads, lines)}
    index = samples.read_index(run.file("build/digits_resnet8/evaluation.csv"))
    drawn = samples.choose(index, {"count": 200, "seed": 0})  # the limit, so that there is an answer in minutes
    assert found["samples"] == 200 < len(index)
    assert found["runs"][-1]["value"] == sum(ranks[sample.name] == 0 for sample in drawn) / 200


def test_the_ranges_of_all_samples_are_those_of_the_calibration(run, found):
    delivered = json.loads(run.file("results/digits_resnet8/main.calibration.json").read_text())["ranges"]
    ends = {row["tensor"]: [min(row["low"]), max(row["high"])] for row in found["tensors"]}
    assert ends.keys() == delivered.keys()
    for tensor, several in delivered.items():
        assert ends[tensor] == pytest.approx(several, rel=1e-3), tensor


def test_ranges_are_told_by_sample(run, found):
    names = [line.split(",")[0] for line in run.file("build/digits_resnet8/calibration.csv").read_text().splitlines()]
    assert found["calibration_samples"] == names[1:]
    assert all(len(row["low"]) == len(row["high"]) == 144 for row in found["tensors"])
    assert all(row["widest"] in names and row["others"] <= 1 for row in found["tensors"])
    assert [row["place"] for row in found["tensors"]] == sorted(row["place"] for row in found["tensors"])


def test_the_picture_is_small_and_the_same_every_time(run, environment_python, tmp_path):
    picture = run.file(f"{NAME}.calibration_sweep.svg").read_bytes()
    program = (
        "import json, sys; from zoomill.evaluation import calibration_plot as plot;"
        "plot.draw(json.load(open(sys.argv[1])), 'digits_resnet8: main.int8 by its calibration samples', sys.argv[2])"
    )
    document = run.file(f"{NAME}.calibration_sweep.json")
    words = [environment_python("evaluate"), "-c", program, document, tmp_path / "again.svg"]
    subprocess.run(list(map(str, words)), env={"PYTHONPATH": str(REPOSITORY / "scripts")}, check=True)
    assert (tmp_path / "again.svg").read_bytes() == picture
    assert len(picture) < 200_000 and b"<dc:date>" not in picture


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (
            "main.float16",
            "only of variants that are quantised by calibrated ranges there is a sweep, and this is float16",
        ),
        ("main.int8_gpu", "and this is int8_gpu; take int8"),
    ],
)
def test_a_variant_without_ranges_is_refused(run, target, reason):
    process = run.run(f"results/digits_resnet8/{target}.calibration_sweep.json", "-n", check=False)
    assert process.returncode and reason in process.stdout
