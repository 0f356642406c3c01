"""Ctrl-C and kill -9 in the middle of every stage, then the same command again: it completes with the same bytes."""

import filecmp
import hashlib
import os
import signal
import subprocess
import time

import pytest
from conftest import REPOSITORY
from http_server import Answer, Server

MODEL = "ssd_mobilenet_v1_shapes"
ARCHIVE = f"{MODEL}.tar.gz"
HALF = 1_500_000
# The log of every stage after the fetch, which comes when a job begins, and the first file that a job finishes.
STAGES = {
    "logs/export_tf1_detection/*.log": "build/*/detect_cut/graph.pb",
    "logs/run_toco/*.log": "build/*/*/toco_float32.tflite",
    "logs/convert_tflite/*.log": "results/*/detect_cut.float32.tflite",
    "logs/quantise_tflite/*.log": "results/*/detect_cut.[!t]*[68].tflite",
    "logs/graft_postprocess/*.log": "results/*/detect_fast.[!t]*.tflite",
    "logs/validate_tflite/*.log": "results/*/*.tflite.json",
    "logs/summarise.log": "results/summary.md",
}


@pytest.fixture
def mirror():
    """A mirror of the starter's archive that stops in the middle of it; ``release`` makes it whole."""
    data = (REPOSITORY / f"starter/{MODEL}/{ARCHIVE}").read_bytes()
    with Server() as server:
        server["SHA256SUMS"] = f"{hashlib.sha256(data).hexdigest()}  {ARCHIVE}\n".encode()
        server[ARCHIVE] = Answer(data, hold_after=HALF)
        server.config = [f'mirrors=["{server.url}"]']
        server.release = lambda: server.__setitem__(ARCHIVE, data)
        yield server


def start(run, config):
    """Start the workflow as the leader of a new process group, as a terminal does."""
    with open(run.file("output.txt"), "wb") as output:
        return subprocess.Popen(
            run.command(config=config),
            cwd=run.folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def wait_for(process, run, reached):
    """Wait until ``reached()`` is true while the workflow runs."""
    while not reached():
        assert process.poll() is None, f"{reached} never came\n{run.file('output.txt').read_text()}"
        time.sleep(0.01)


def end(process, number):
    """Send a signal to the process group, unless its leader is gone: the number could be another one's by then."""
    if process.poll() is None:
        os.killpg(process.pid, number)
    process.wait()


def interrupt(run, config, number, reached):
    """Start the workflow and send a signal to its whole process group as soon as ``reached()`` is true."""
    process = start(run, config)
    try:
        wait_for(process, run, reached)
    finally:
        end(process, number)
    assert process.returncode != 0


def appears(run, pattern):
    """Return a function that tells whether a file has been made or replaced since now."""
    known = {(path, path.stat().st_mtime_ns) for path in run.folder.glob(pattern)}

    def reached():
        found = set()
        for path in run.folder.glob(pattern):
            try:
                found.add((path, path.stat().st_mtime_ns))
            except FileNotFoundError:  # removed in between
                continue
        return not found <= known

    return reached


def half_fetched(run):
    """Return a function that tells whether half of the archive has come."""
    return lambda: any(path.stat().st_size >= HALF for path in run.folder.glob("sources/.cache/*.part"))


def visible(run, folder):
    """Return the files of a folder but those that carry their temporary name, and the records of who made them.

    A record tells of raw files of TOCO too, whose options have no order.
    """
    paths = (path for path in run.file(folder).rglob("*") if path.is_file() and ".made" not in path.parts)
    return {path.relative_to(run.folder) for path in paths if path.suffix != ".tmp"}


def assert_nothing_is_half_written(run, reference):
    """Every result that stands there is a finished one, and a source folder that stands there is a whole one."""
    for path in visible(run, "results"):
        assert filecmp.cmp(run.file(path), reference.file(path), shallow=False), path
    if run.file(f"sources/{MODEL}").exists():  # Snakemake adds its time stamp only after the job
        missing = visible(reference, f"sources/{MODEL}") - visible(run, f"sources/{MODEL}")
        assert {path.name for path in missing} <= {".snakemake_timestamp"}


def assert_same_results(run, reference):
    """The results are those of the reference, and nothing temporary is left."""
    assert visible(run, "results") == visible(reference, "results")
    assert_nothing_is_half_written(run, reference)
    for folder in ("sources", "build", "results"):
        assert not list(run.file(folder).rglob("*.tmp"))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["ctrl_c", "kill_9"])
def test_a_run_interrupted_in_every_stage_completes_with_the_same_bytes(number, starter_run, workflow, mirror):
    interrupt(workflow, mirror.config, number, half_fetched(workflow))
    assert not workflow.file(f"sources/{MODEL}").exists()
    mirror.release()
    for log, output in STAGES.items():
        for path in workflow.folder.glob(output):  # of jobs that were quicker than the one awaited before
            path.unlink()
        for pattern in (log, output):
            interrupt(workflow, mirror.config, number, appears(workflow, pattern))
            assert_nothing_is_half_written(workflow, starter_run)
    workflow.run(config=mirror.config)
    assert f"bytes={HALF}-" in mirror.ranges
    assert_same_results(workflow, starter_run)


def test_a_run_beside_a_living_one_is_refused_and_does_it_no_harm(workflow, mirror):
    process = start(workflow, mirror.config)
    try:
        wait_for(process, workflow, half_fetched(workflow))
        workflow.run("--dry-run", config=mirror.config)
        second = workflow.run(config=mirror.config, check=False)
        assert second.returncode != 0
        assert "cannot be locked" in second.stdout
        assert process.poll() is None
        assert list(workflow.file(".snakemake/locks").iterdir())
    finally:
        end(process, signal.SIGKILL)
    mirror.release()
    workflow.run(f"sources/{MODEL}", config=mirror.config)
