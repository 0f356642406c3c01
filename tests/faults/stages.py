"""A finished run of one model, whose stages are run again one by one and meet a fault."""

import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import psutil

MODEL = "digits_resnet8"
CONFIG = [f"models=[{MODEL}]", "tflite=[float32,int8]", "evaluate=True"]
# What a stage makes, in the order of the stages, by the command that makes it.
STAGES = {
    "generate_dataset": "sources/digits",
    "fetch_source": f"sources/{MODEL}",
    "list_samples": f"build/{MODEL}/calibration.csv",
    "export_keras": f"build/{MODEL}/main/graph.pb",
    "convert_tflite": f"results/{MODEL}/main.float32.tflite",
    "calibrate": f"results/{MODEL}/main.calibration.json",
    "quantise_tflite": f"results/{MODEL}/main.int8.tflite",
    "validate_tflite": f"results/{MODEL}/main.int8.tflite.json",
    "evaluate_tflite": f"results/{MODEL}/main.int8.metric.json",
    "write_provenance": f"results/{MODEL}/provenance.json",
    "write_checksums": "results/SHA256SUMS",
    "summarise": "results/summary.md",
}
_FOLDERS = ("sources", "build", "results")


@contextlib.contextmanager
def small_disks(finished, run, megabytes=60):
    """Copy a finished run into another folder in which sources, build and results are disks as long as the block runs.

    Yields a function from a target to the process that made it again while its disk was full.

    Raises:
        PermissionError: when this process may mount nothing.
    """
    mounted = []
    try:
        for name in _FOLDERS:
            place = run.file(name)
            place.mkdir(parents=True)
            mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "zoomill", place]
            if subprocess.run(mount, capture_output=True).returncode:
                raise PermissionError("mounting a small disk needs root")
            mounted.append(place)
        shutil.copytree(finished.folder, run.folder, symlinks=True, dirs_exist_ok=True)
        yield lambda target: _full(run, target)
    finally:
        for place in mounted:
            subprocess.run(["umount", "--lazy", place], check=True)


def _full(run, target):
    made = run.file(target)
    # Else it would leave its room to its successor. A report is gone already where something that it tells of was made.
    shutil.rmtree(made) if made.is_dir() else made.unlink(missing_ok=True)
    filler = run.file(target.split("/")[0]) / "filler"
    with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(1 << 16)):
            pass
    try:
        return again(run, target)
    finally:
        filler.unlink()


def errors(process):
    """Return the error lines of a run, without their mark, each once."""
    return sorted({line[7:] for line in process.stdout.splitlines() if line.startswith("error: ")})


def problems(process):
    """Return what is wrong with how a run told of its one fault, or None."""
    found = errors(process)
    if process.returncode == 0:
        return "succeeded all the same"
    if "Traceback" in process.stdout:
        return "a traceback"
    return None if len(found) == 1 else f"{len(found)} lines: {found}"


def again(run, target, *config):
    """Make a target again, with settings, and return the process."""
    return run.run("--force", target, config=[*CONFIG, *config], check=False)


def kill_one(run, target, seed):
    """Make a target again and kill its job, or the whole run, at a moment drawn by ``seed``.

    Returns:
        What was killed, drawn too: ``worker``, its ``watcher``, or ``everything``; and the completed process.
    """
    draw = random.Random(seed)
    victim, delay = draw.choice(["worker", "watcher", "everything"]), draw.uniform(0, 0.5)
    command = run.command("--force", target, config=CONFIG)
    process = subprocess.Popen(
        command, cwd=run.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )

    def kill():
        found = []
        while not found and process.poll() is None:
            found = _jobs(process.pid)
            time.sleep(0.01)
        time.sleep(delay)
        found = _jobs(process.pid)
        with contextlib.suppress(ProcessLookupError):
            if victim == "everything":
                os.killpg(process.pid, signal.SIGKILL)
            elif found:
                os.kill(found[-1 if victim == "worker" else 0], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    output, _ = process.communicate()
    killer.join()
    return victim, subprocess.CompletedProcess(command, process.returncode, output)


def _jobs(leader):
    """Return the processes that run a command of scripts/ for a session, those that watch before those that work."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(OSError, psutil.Error):
            # Not the shells around them, one word of which holds the same.
            commands = [word for word in process.cmdline()[1:5] if re.fullmatch(r"\S*scripts/\w+\.py", word)]
            if commands and os.getsid(process.pid) == leader:
                fork = re.fullmatch(r"warm (\d+)\n", Path(f"/proc/{process.pid}/comm").read_text())
                watcher = psutil.Process(int(fork[1])) if fork else process
                found += [watcher.pid, *(child.pid for child in watcher.children())]
    return list(dict.fromkeys(found))
