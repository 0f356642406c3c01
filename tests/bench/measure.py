"""What a command costs with all that it starts, warm workers included, and how the benches run the workflow."""

import contextlib
import ctypes
import dataclasses
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
_SET_CHILD_SUBREAPER = 36  # of prctl: processes that leave their parents become ours
_GLANCE = 0.1  # seconds between two looks at the memory


class Failed(Exception):
    """A command that failed, with the last line that it printed."""


@dataclasses.dataclass(frozen=True)
class Cost:
    """Wall and CPU seconds, and the highest sum of the proportional memory (PSS) of all processes in MiB."""

    wall: float
    cpu: float
    peak: float

    def __add__(self, other):
        """Return the Cost of one after another."""
        return Cost(self.wall + other.wall, self.cpu + other.cpu, max(self.peak, other.peak))


def cost(commands, folder, environment=()):
    """Run command lines one after another in a folder, wait for all that they have started, and return their Cost.

    Raises:
        Failed: when one fails.
    """
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    before, wall, peak = _cpu(), 0.0, 0
    for command in commands:
        started = time.monotonic()
        with tempfile.TemporaryFile() as output, _watched() as memory:
            process = subprocess.run(
                list(map(str, command)),
                cwd=folder,
                env={**os.environ, **dict(environment)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            wall += time.monotonic() - started
            with contextlib.suppress(ChildProcessError):
                while True:
                    os.wait()
            output.seek(0)
            said = output.read().decode(errors="replace").split("\n")
        peak = max(peak, *memory)
        if process.returncode:
            raise Failed(next((line.strip() for line in reversed(said) if line.strip()), "it said nothing"))
    return Cost(wall, _cpu() - before, peak / 2**20)


def median(costs):
    """Return the Cost whose figures are each the median of some."""
    return Cost(*(statistics.median(getattr(one, field.name) for one in costs) for field in dataclasses.fields(Cost)))


def workflow(folder, targets, flags=(), **config):
    """Return the command line that builds targets in a folder; ``config`` beats config.yaml."""
    said = {"models": ["ssd_mobilenet_v1_shapes"], "evaluate": False, "browser": False, "tfjs": [], **config}
    (folder / "config.yaml").write_text(yaml.safe_dump({"tflite": ["float32"], "mirrors": [], **said}))
    command = [Path(sys.executable).with_name("snakemake"), *targets, "-j2", *flags]
    command += ["--snakefile", REPOSITORY / "Snakefile", "--directory", folder]
    return [*command, "--workflow-profile", REPOSITORY / "profiles/default"]


def _cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextlib.contextmanager
def _watched():
    """Yield a list of sums of the memory of all processes below this one, in bytes."""
    sums, end = [0], threading.Event()

    def look():
        while not end.wait(_GLANCE):
            total = 0
            for process in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.Error, OSError):
                    total += process.memory_full_info().pss
            sums.append(total)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield sums
    finally:
        end.set()
        thread.join()
