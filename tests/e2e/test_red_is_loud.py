"""A run ends red, in one line for each cause, whenever what it was asked for is not proven; each on one small model."""

import json
import os
import re

import pytest
from conftest import copied

MODEL = "digits_autoencoder"
CONFIG = [f"models=[{MODEL}]", "tflite=[float32,float16]", "evaluate=True"]
ARTIFACT = f"results/{MODEL}/main.float32.tflite"
EVIDENCE, METRIC = f"{ARTIFACT}.json", f"results/{MODEL}/main.float32.metric.json"
SUMMARY, CHECKSUMS, PROVENANCE = "results/summary.md", "results/SHA256SUMS", f"results/{MODEL}/provenance.json"
REPORTS = (SUMMARY, CHECKSUMS, PROVENANCE)
# What a command does in place of its work, and what is then said of it.
DEATHS = {
    "summarise": ("raise KeyError('x')", r"summarise: KeyError: 'x' \(unexpected; traceback in logs/summarise\.log\)"),
    "write_checksums": (
        "import os; os.kill(os.getpid(), 9)",
        r"write_checksums: was killed, .* not enough memory \(signal 9, SIGKILL\): logs/write_checksums\.log",
    ),
    "write_provenance": (
        "import os; os.kill(os.getpid(), 11)",
        rf"write_provenance {MODEL}: crashed in native code \(signal 11, SIGSEGV\): logs/write_provenance/{MODEL}\.log",
    ),
}


@pytest.fixture(scope="session")
def finished(starters, tmp_path_factory):
    """A finished run of the model."""
    run = copied(starters, tmp_path_factory.mktemp("verdicts") / "copy", MODEL)
    run.run(config=CONFIG)
    return run


@pytest.fixture
def copy(finished, tmp_path):
    """A copy of the finished run, and of its repository, that a test may change."""
    return copied(finished, tmp_path / "copy")


def run(workflow, *arguments):
    return workflow.run(*arguments, config=CONFIG, check=False)


def last_lines(process):
    """Return the error lines of a red run: the last on the terminal, sorted, each once."""
    assert process.returncode != 0, process.stdout
    lines = process.stdout.splitlines()
    start = next((at for at, line in enumerate(lines) if all(one.startswith("error: ") for one in lines[at:])), -1)
    assert lines[start:] == sorted(set(lines[start:]))
    return [line.removeprefix("error: ") for line in lines[start:]]


def write(path, data):
    """Replace the content of a file and keep its time stamp, which Snakemake goes by."""
    stamp = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))


def edit(path, **changes):
    """Change a JSON object in a file that keeps its time stamp."""
    write(path, json.dumps({**json.loads(path.read_text()), **changes}).encode())


def break_command(workflow, name, statement):
    """Put a statement in place of the work of a command."""
    path = workflow.repository / f"scripts/{name}.py"
    head, call, tail = path.read_text().rpartition("    command.run(main)")
    path.write_text(f"{head}    {statement}\n{call}{tail}")


def test_a_proven_model_is_green_and_stays_so(copy):
    for targets in ([], [EVIDENCE], [SUMMARY]):
        process = run(copy, *targets)
        assert process.returncode == 0 and "Nothing to be done" in process.stdout, process.stdout


@pytest.mark.parametrize("target", [[], [EVIDENCE], [SUMMARY]], ids=["all", "evidence", "summary"])
def test_a_failed_verdict_stays_red_for_every_target_that_holds_it(copy, target):
    edit(copy.file(EVIDENCE), failures=["output: largest error 1, allowed 0.1"], passed=False)
    process = run(copy, *target)
    assert "Nothing to be done" in process.stdout
    assert last_lines(process) == [f"{MODEL}: main.float32.tflite: output: largest error 1, allowed 0.1"]
    assert run(copy, "-n", *target).returncode == 0
    assert run(copy, ARTIFACT).returncode == 0


def test_a_verdict_is_told_after_all_else_was_built(copy):
    edit(copy.file(EVIDENCE), not_tested=["output: constant; name inputs as `golden:`"], passed=False)
    copy.file(CHECKSUMS).unlink()
    told = last_lines(run(copy))
    assert told == [f"{MODEL}: main.float32.tflite: not tested: output: constant; name inputs as `golden:`"]
    assert copy.file(CHECKSUMS).exists()


def test_an_artifact_changed_behind_its_time_stamp_is_told_with_what_restores_it(copy):
    whole = copy.file(ARTIFACT).read_bytes()
    write(copy.file(ARTIFACT), b"noise" * 800)
    (line,) = last_lines(run(copy))
    pattern = rf"{MODEL}: main\.float32\.tflite was changed after it was validated; restore it with: snakemake (.+)"
    restored = run(copy, *re.fullmatch(pattern, line)[1].split())
    assert restored.returncode == 0, restored.stdout
    assert copy.file(ARTIFACT).read_bytes() == whole
    assert run(copy).returncode == 0


def test_damaged_evidence_is_told_with_what_restores_it(copy):
    write(copy.file(EVIDENCE), copy.file(EVIDENCE).read_bytes()[:-3])
    (line,) = last_lines(run(copy))
    command = re.fullmatch(rf"{MODEL}: {EVIDENCE} is damaged; make it again with: snakemake (.+)", line)[1]
    assert run(copy, *command.split()).returncode == 0


@pytest.mark.parametrize("path", [EVIDENCE, METRIC], ids=["parity", "metric"])
def test_evidence_of_other_bytes_counts_for_nothing(copy, path):
    edit(copy.file(path), sha256="0" * 64)
    (line,) = last_lines(run(copy))
    assert line.startswith(f"{MODEL}: main.float32.tflite was changed") and line.endswith(f" {ARTIFACT} {path}")
    assert run(copy, ARTIFACT, path, "--force", "-j1").returncode == 0
    assert run(copy).returncode == 0


def test_two_variants_with_the_same_bytes_are_told(copy):
    half = f"results/{MODEL}/main.float16.tflite"
    write(copy.file(half), copy.file(ARTIFACT).read_bytes())
    for path in (f"{half}.json", half.replace(".tflite", ".metric.json")):
        edit(copy.file(path), sha256=json.loads(copy.file(EVIDENCE).read_text())["sha256"])
    assert last_lines(run(copy)) == [
        f"{MODEL}: main.float16.tflite and main.float32.tflite have the same bytes, so one is not what its name says"
    ]


def test_a_loss_beyond_what_the_card_allows_is_told(copy):
    compared = [{"of": "main.float32", "difference": -0.3, "interval": [-0.4, -0.2], "p": 0.001, "verdict": "loss"}]
    edit(copy.file(f"results/{MODEL}/main.float16.metric.json"), against=compared)
    (line,) = last_lines(run(copy))
    assert line.startswith(f"{MODEL}: main.float16.tflite: loses 0.3 of auc, 0.2 to 0.4 by ")


def test_every_failed_job_is_one_line_whatever_ended_it(copy):
    for name, (statement, _) in DEATHS.items():
        break_command(copy, name, statement)
    told = last_lines(run(copy))
    assert len(told) == len(DEATHS)
    assert all(re.fullmatch(words, line) for (_, words), line in zip(DEATHS.values(), told, strict=True)), told


def test_a_job_that_another_process_runs_ends_its_log_with_its_line_and_leaves_the_telling(copy):
    """As on the node of a cluster."""
    statement, words = DEATHS["write_checksums"]
    break_command(copy, "write_checksums", statement)
    process = run(copy, CHECKSUMS, "--mode", "remote", "--no-hooks", "--nolock", "--rerun-triggers", "mtime")
    assert process.returncode != 0 and not re.search("^error: ", process.stdout, re.MULTILINE)
    assert re.fullmatch(f"error: {words}", copy.file("logs/write_checksums.log").read_text().splitlines()[-1])


def test_no_report_of_a_success_outlives_what_it_tells_of(copy):
    break_command(copy, "validate_tflite", "raise SystemExit('error: broken')")
    run(copy, "-n")
    assert all(copy.file(path).exists() for path in REPORTS)
    jobs = [f"validate_tflite {MODEL}.main.{variant}" for variant in ("float16", "float32")]
    assert last_lines(run(copy)) == [f"{job}: broken" for job in jobs]
    assert copy.file(SUMMARY).read_text() == "## What failed\n\n" + "".join(f"- {job}: broken\n" for job in jobs)


def test_a_report_goes_when_one_artifact_that_it_tells_of_is_made_again_alone(copy):
    assert run(copy, "--force", f"build/{MODEL}/source.json").returncode == 0
    assert all(copy.file(path).exists() for path in REPORTS)
    assert run(copy, "--force", ARTIFACT).returncode == 0
    assert not any(copy.file(path).exists() for path in REPORTS)
