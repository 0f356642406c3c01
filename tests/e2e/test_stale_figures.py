"""What a finished run measured its figures on is changed behind its back: the next one shows which are stale."""

import os
import shutil

import pytest
from conftest import copied

MODEL = "digits_autoencoder"
CONFIG = [f'models=["{MODEL}"]', 'tflite=["float32", "int8"]', 'tfjs=["float32"]', "evaluate=True"]
INT8, TFJS = f"results/{MODEL}/main.int8.tflite", f"results/{MODEL}/main.float32.tfjs"
LIST = f"build/{MODEL}/evaluation.csv"
ALL = ("main.float32.tfjs", "main.float32.tflite", "main.int8.tflite")


@pytest.fixture(scope="module")
def scored(starters, tmp_path_factory):
    """A finished run of one small model. Copy it before changing anything."""
    run = copied(starters, tmp_path_factory.mktemp("stale") / "copy", MODEL)
    run.run(config=CONFIG)
    return run


@pytest.fixture
def run(scored, tmp_path):
    """A copy of the finished run that a test may change."""
    return copied(scored, tmp_path / "copy")


def edit(path, change):
    """Replace the bytes of a file by a function of them; its times stay as they were."""
    times = os.stat(path)
    path.chmod(0o644)
    path.write_bytes(change(path.read_bytes()))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def flip(data):
    """Return bytes with one bit flipped in the middle."""
    return data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :]


def stale(run):
    """Run Snakemake, which has nothing to do and fails, and return its error lines."""
    process = run.run(config=CONFIG, check=False)
    assert process.returncode == 1 and " steps to run" not in process.stdout, process.stdout
    return sorted(line for line in process.stdout.splitlines() if line.startswith("error: "))


def cells(run, file, start):
    """Return the cells of a row of a report."""
    (row,) = [line for line in run.file(file).read_text().splitlines() if line.startswith(f"| {start} ")]
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_a_changed_sample_list_fails_the_check_by_name_in_all_reports_until_its_figures_are_renewed(run):
    edit(run.file(LIST), flip)
    lines = stale(run)
    renew = [f"snakemake -j1 --force {LIST} results/{MODEL}/{name}.metric.json" for name in ALL]
    renew = [line.replace(".tflite", "") for line in renew]
    assert lines == [
        f"error: {MODEL}: {name}: its figures are stale (sample list); renew them with: {command}"
        for name, command in zip(ALL, renew, strict=True)
    ]
    assert [cells(run, "results/summary.md", name)[5] for name in ("float32.tflite", "int8.tflite")] == [
        "stale (sample list)"
    ] * 2
    assert cells(run, "results/tfjs.md", MODEL)[-1] == "stale (sample list)"
    assert f"- {lines[-1].removeprefix('error: ')}" in run.file("results/summary.md").read_text().splitlines()
    targets = {word for command in renew for word in command.split()[3:]}
    run.run("--force", *sorted(targets), config=CONFIG)
    run.run(config=CONFIG)
    assert cells(run, "results/summary.md", "int8.tflite")[5] == "0.8357"


def test_a_flipped_byte_of_an_artifact_makes_its_figures_stale_and_no_others(run):
    edit(run.file(INT8), flip)
    (line,) = stale(run)
    assert "main.int8.tflite was changed after it was validated" in line and f"{MODEL}/main.int8.metric.json" in line
    assert cells(run, "results/summary.md", "int8.tflite")[5:7] == ["stale (artifact)", ""]
    assert cells(run, "results/summary.md", "float32.tflite")[5] == "0.8337"


def test_an_edited_evaluator_makes_all_figures_stale_that_are_said_to_be_up_to_date(run):
    edit(run.repository / "scripts/zoomill/evaluation/metrics.py", lambda text: text + b"\n# another metric\n")
    run.run("--touch", config=CONFIG, check=False)
    lines = stale(run)
    assert [line.partition("; renew")[0] for line in lines] == [
        f"error: {MODEL}: {name}: its figures are stale (evaluator)" for name in ALL
    ]


def test_a_figure_copied_from_another_artifact_is_told_by_the_name_of_that_one(run):
    folder = run.file(f"results/{MODEL}")
    for name in ("", ".made/"):
        end = ".metric.json" + ".json" * bool(name)
        shutil.copy2(folder / f"{name}main.float32{end}", folder / f"{name}main.int8{end}")
    (line,) = stale(run)
    assert "main.int8.tflite: its figures are stale (figure of main.float32.tflite)" in line
    assert cells(run, "results/summary.md", "int8.tflite")[5] == "stale (figure of main.float32.tflite)"


@pytest.mark.parametrize(
    "old, new, again",
    [
        ("anomalies: [9]", "anomalies: [8, 9]", {"evaluate_tflite", "evaluate_tfjs"}),
        ("outputs:", "preprocess: {fit: crop}\noutputs:", {"calibrate", "evaluate_tflite", "evaluate_tfjs"}),
    ],
    ids=["metric", "preprocess"],
)
def test_other_settings_of_a_card_make_again_what_they_shape(run, old, new, again):
    card = run.repository / f"models/{MODEL}.yaml"
    edit(card, lambda text: text.replace(old.encode(), new.encode(), 1))
    lines = run.run("-n", config=CONFIG).stdout.splitlines()
    planned = {line.split()[0] for line in lines if line.partition(" ")[0] in again}
    assert planned == again
