"""One model that cannot be fetched and one that fails a limit: what stands is reported, what does not is told."""

import json
import re
import subprocess
import sys

import pytest
from conftest import Workflow, copy_repository

LOST, STRICT = "lost", "strict"
CONFIG = [f"models=[{LOST},{STRICT}]", "tflite=[float32,float16]", "tfjs=[float32]"]
NO_PASS = "limits: {float16: {sqnr: 500}}\n"
REPORT, SUMMARY, CHECKSUMS, REGISTRY, TABLE = (
    "results/report",
    "results/summary.md",
    "results/SHA256SUMS",
    "results/models.json",
    "results/tfjs.md",
)
NOT_FETCHED = rf"{LOST}: .*nowhere\.h5.*"
NOT_MADE = (
    f"{LOST}: main.float16.tflite, main.float32.tfjs, main.float32.tflite: not made, since fetch_source {LOST} failed"
)
TOO_FAR = rf"{STRICT}: main\.float16\.tflite: .* allowed 500"


@pytest.fixture(scope="module")
def red(tmp_path_factory, javascript):
    """A copy of the repository with both models and the run that ended red, in ``process``."""
    folder = tmp_path_factory.mktemp("independent")
    copy_repository(folder / "clone")
    card = (folder / "clone/models/digits_autoencoder.yaml").read_text()
    (folder / f"clone/models/{STRICT}.yaml").write_text(card + NO_PASS)
    lost = card.replace("urls: [starter/digits_autoencoder/digits_autoencoder.h5]", "urls: [starter/nowhere.h5]")
    lost = re.sub("sha256: .*", f"sha256: {'ab' * 32}", lost)  # the other model's file is in the cache
    (folder / f"clone/models/{LOST}.yaml").write_text(lost)
    run = Workflow(folder / "run", folder / "clone")
    run.process = run.run(config=CONFIG, check=False)
    return run


def artifacts(run):
    return [line.split()[1] for line in run.file(CHECKSUMS).read_text().splitlines()]


def test_the_run_ends_with_what_was_not_made_and_the_errors(red):
    assert red.process.returncode != 0
    *_, not_made, first, second = red.process.stdout.splitlines()
    assert not_made == NOT_MADE
    assert re.fullmatch(f"error: {NOT_FETCHED}", first) and re.fullmatch(f"error: {TOO_FAR}", second)


def test_before_them_stand_the_table_the_numbers_and_where_to_look(red):
    text = red.process.stdout
    assert "| float16.tflite |" in text and "## What failed" not in text
    numbers, place, look = text.splitlines()[-6:-3]
    assert re.fullmatch(r"artifacts: 2 built, 0 reused, 4 failed; \d+ min \d+ s", numbers)
    assert (place, look) == ("results are in results/", f"look at {REPORT}, {SUMMARY}, {TABLE}")


def test_every_report_covers_what_stands(red):
    names = [f"{STRICT}/main.{name}" for name in ("float16.tflite", "float32.tflite")]
    assert [name for name in artifacts(red) if name.endswith(".tflite")] == names
    assert LOST not in red.file(CHECKSUMS).read_text()
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=red.file("results"), check=True)
    entries = [
        entry
        for kinds in json.loads(red.file(REGISTRY).read_text()).values()
        for kind in kinds.values()
        for entry in kind
    ]
    assert entries and all(STRICT in json.dumps(entry) and LOST not in json.dumps(entry) for entry in entries)
    assert STRICT in red.file(TABLE).read_text() and LOST not in red.file(TABLE).read_text()


def test_the_pages_show_what_failed_and_what_was_not_made(red):
    pages = {name: red.file(f"{REPORT}/{name}.html").read_text() for name in ("index", STRICT, LOST)}
    assert NOT_MADE in pages["index"] and NOT_MADE in pages[LOST] and NOT_MADE not in pages[STRICT]
    assert all("allowed 500" in pages[name] for name in ("index", STRICT))


def test_the_summary_lists_what_failed_and_what_was_not_made(red):
    table, _, failed = red.file(SUMMARY).read_text().partition("## What failed\n\n")
    assert re.search(r"^\| float16\.tflite .* FAILED +\|$", table, re.MULTILINE) and f"## {LOST}" not in table
    lines = [line.removeprefix("- ") for line in failed.splitlines()]
    patterns = [NOT_FETCHED, re.escape(NOT_MADE), TOO_FAR]
    assert len(lines) == 3 and all(map(re.fullmatch, patterns, lines)), failed


def test_a_failed_job_is_told_once_while_the_run_goes_on_with_its_log(red):
    text = red.process.stdout
    told = re.search(
        rf"^FAILED +{LOST} +fetch_source .*\n    {NOT_FETCHED}\n    log: logs/fetch_source/{LOST}\.log\n", text, re.M
    )
    assert told and told.end() < text.index("artifacts: ")


def test_the_next_run_makes_the_reports_again_though_all_that_they_need_stands(red):
    config = [*CONFIG, f"models=[{STRICT}]"]
    process = red.run(config=config, check=False)
    assert "artifacts: 2 built" not in process.stdout and LOST not in red.file(SUMMARY).read_text()
    assert "Nothing to be done" in red.run(config=config, check=False).stdout


def test_where_nothing_stands_the_summary_is_what_failed_and_no_checksums_are_written(red):
    run = Workflow(red.folder.parent / "nothing", red.repository)
    process = run.run(SUMMARY, CHECKSUMS, config=[*CONFIG, "tfjs=[]", f"models=[{LOST}]"], check=False)
    assert run.file(SUMMARY).read_text().startswith(f"## What failed\n\n- {LOST}: ")
    assert not run.file(CHECKSUMS).exists()
    assert f"\n{CHECKSUMS}: not made: too little stands, see logs/write_checksums.log\n" in process.stdout


def test_a_program_that_builds_the_lost_model_reads_nothing_but_events(red):
    command = [sys.executable, red.repository / "zoomill", "build", LOST, "float32", "--json-progress"]
    process = subprocess.run([*command, "--", "--quiet", "all"], text=True, capture_output=True)
    begin, *steps, end = map(json.loads, process.stdout.splitlines())
    assert process.returncode != 0 and begin["event"] == "begin" and end["event"] == "end"
    (failed,) = [step for step in steps if step["event"] == "failed"]
    assert (failed["model"], failed["step"]) == (LOST, "fetch_source") and failed["errors"] == end["errors"]
    assert [end[key] for key in ("built", "reused", "failed")] == [0, 0, 1]
