"""One byte of a finished run is flipped behind everybody's back: it is named, refused, and can be restored."""

import os
import re
import shutil
from pathlib import Path

import pytest
from conftest import copied

from zoomill import files

MODEL = "digits_autoencoder"
CONFIG = [f'models=["{MODEL}"]', 'tflite=["float32", "int8"]']
LOCKED = [f"results/{MODEL}/main.{variant}.tflite" for variant in ("float32", "int8")]
SOURCE = f"sources/{MODEL}/digits_autoencoder.h5"
DOWNLOAD = "sources/.cache/521eb3f6d19399591a230b6216705af1b2863c6a8fb0f7edac4b82095ca589c1"
# Each kind of file, and what is made of it next.
READERS = {
    SOURCE: f"build/{MODEL}/main/graph.pb",
    f"build/{MODEL}/main/graph.pb": LOCKED[0],
    f"build/{MODEL}/main/contract.json": LOCKED[0],
    f"build/{MODEL}/main/golden.npz": f"{LOCKED[0]}.json",
    f"build/{MODEL}/calibration.csv": f"results/{MODEL}/main.calibration.json",
    f"results/{MODEL}/main.calibration.json": LOCKED[1],
    LOCKED[0]: LOCKED[1],
    f"{LOCKED[1]}.json": "results/summary.md",
}
# What the float32 file has nothing to do with.
OF_INT8 = (*list(READERS)[4:6], f"{LOCKED[1]}.json")
PROVENANCE = f"results/{MODEL}/provenance.json"
# What stands for a kind of file in the commands that restore it.
RESTORED = {SOURCE: f"sources/{MODEL}", DOWNLOAD: f"sources/{MODEL}"}


@pytest.fixture(scope="session")
def small_run(starters, tmp_path_factory, command, environment_python):
    """A finished run of one small model, and the lock of its artifacts. Copy its folder before changing anything."""
    run = copied(starters, tmp_path_factory.mktemp("tampering") / "copy", MODEL)
    run.run(config=CONFIG)
    flags = ["--artifacts", *LOCKED, "--results", "results", "--output", "lock"]
    assert command(environment_python("litert"), "lock_artifacts", *flags, cwd=run.folder).returncode == 0
    return run


@pytest.fixture
def run(small_run, tmp_path):
    """A copy of the finished run that a test may change."""
    return copied(small_run, tmp_path / "copy")


@pytest.fixture
def verify(run, command, environment_python):
    """Return a function that verifies the artifacts of the run."""
    flags = ["--lock", "lock", "--artifacts", *LOCKED, "--results", "results", "--cache", "sources/.cache"]
    return lambda: command(environment_python("litert"), "verify", *flags, cwd=run.folder)


def flip(path, count=1):
    """Flip a bit in each of some bytes of a file, in place; its times stay as they were."""
    times = os.stat(path)
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    for place in range(len(data) // 2, len(data) // 2 + count):
        data[place] ^= 1
    with open(path, "r+b") as file:
        file.write(data)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def errors(process):
    """Return the closing lines about errors."""
    return {line for line in process.stdout.splitlines() if line.startswith("error: ")}


def changed(path):
    """Return how the line about a changed file begins, and how it ends."""
    return f"error: {path}: was changed after ", f"; restore it by `snakemake -j1 --force {RESTORED.get(path, path)}`"


def test_nothing_is_said_of_an_untouched_run(run, verify):
    process = verify()
    assert process.returncode == 0, process.stderr
    assert process.stdout.splitlines() == [f"{path.removeprefix('results/')}: identical" for path in LOCKED]
    assert "Nothing to be done" in run.run(config=CONFIG).stdout


@pytest.mark.parametrize("path", [*READERS, DOWNLOAD])
def test_a_flipped_bit_is_named_by_verify_and_restored_by_the_command_that_it_names(run, verify, path):
    original = run.file(path).read_bytes()
    flip(run.file(path))
    process = verify()
    assert process.returncode == 1
    (line,) = process.stderr.splitlines()
    start, end = changed(path)
    assert line.startswith(start) and line.endswith(end)
    verdicts = ["identical" if path in OF_INT8 else "not verified", "not verified"]
    assert [text.rpartition(": ")[2] for text in process.stdout.splitlines()] == verdicts
    run.run("--force", RESTORED.get(path, path), config=CONFIG)
    assert run.file(path).read_bytes() == original
    process = verify()
    assert process.returncode == 0, process.stderr


@pytest.mark.parametrize("path, target", READERS.items())
def test_a_flipped_bit_is_refused_by_name_by_the_next_command_that_reads_it(run, path, target):
    flip(run.file(path))
    process = run.run("--force", target, config=CONFIG, check=False)
    assert process.returncode != 0
    start, end = changed(path)
    assert any(line.startswith(start) and line.endswith(end) for line in errors(process)), process.stdout


def test_a_source_edited_in_place_is_never_built_and_does_not_reach_the_cache(run):
    before = run.file(DOWNLOAD).read_bytes()
    flip(run.file(SOURCE), 1000)
    for folder in ("build", "results"):
        shutil.rmtree(run.file(folder))
    process = run.run(config=CONFIG, check=False)
    start, end = changed(SOURCE)
    assert process.returncode != 0
    assert any(line.startswith(start) and line.endswith(end) for line in errors(process)), process.stdout
    assert run.file(DOWNLOAD).read_bytes() == before
    assert not list(run.file("build").rglob("graph.pb")) and not list(run.file("results").rglob("*.tflite"))


def test_a_plain_run_derives_nothing_from_a_changed_artifact_and_lists_it_nowhere(run):
    flip(run.file(LOCKED[0]))
    for path in (LOCKED[1], "results/SHA256SUMS", PROVENANCE):
        run.file(path).unlink()
    process = run.run(config=CONFIG, check=False)
    assert process.returncode != 0
    assert any(line.startswith(changed(LOCKED[0])[0]) for line in errors(process)), process.stdout
    assert not [path for path in (LOCKED[1], "results/SHA256SUMS", PROVENANCE) if run.file(path).exists()]


def test_a_changed_file_whose_time_tells_is_refused_too(run):
    path = f"build/{MODEL}/main/graph.pb"
    flip(run.file(path))
    os.utime(run.file(path))
    process = run.run(config=CONFIG, check=False)
    assert process.returncode != 0
    assert any(line.startswith(changed(path)[0]) for line in errors(process)), process.stdout


def test_noise_in_place_of_an_artifact_is_one_line(run, verify):
    path = run.file(LOCKED[0])
    times = os.stat(path)
    path.write_bytes(bytes(4096))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    process = verify()
    assert process.returncode == 1 and process.stderr.splitlines() == [
        "".join(changed(LOCKED[0])).replace("after ;", "after convert_tflite made it;")
    ]


def test_a_source_without_write_permission_can_be_fetched_again_and_removed(run):
    assert Path(run.file(SOURCE)).stat().st_mode & 0o222 == 0
    run.run("--force", f"sources/{MODEL}", config=CONFIG)
    shutil.rmtree(run.file("sources"))
    run.run(f"sources/{MODEL}", config=CONFIG)


def test_provenance_names_the_commands_that_took_part_and_no_other(small_run):
    provenance = files.read_json(small_run.file(PROVENANCE))
    commands = {os.path.basename(path)[:-3] for path in provenance["code"] if re.fullmatch(r"scripts/\w+\.py", path)}
    assert commands == {
        *("fetch_source", "generate_dataset", "list_samples"),
        *("export_keras", "convert_tflite", "calibrate", "quantise_tflite"),
    }
    names = {name for name in provenance["environments"] if name.endswith(".yaml")}
    assert names == {"base.yaml", "tf2.yaml", "litert.yaml"}
