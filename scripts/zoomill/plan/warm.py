"""Jobs as forks of processes that have imported what is heavy: how the rules' ``python`` gets there.

envs/warm/ holds the client, which the shell runs in place of python, and the process that forks; neither knows
Snakemake. No output depends on them.
"""

import contextlib
import os
import shlex

import psutil
from snakemake import benchmark
from snakemake.shell import shell

FOLDER = ".snakemake/warm"


def begin(root, wanted):
    """Let the rules' ``python`` be the client of warm processes, which end with this process.

    Args:
        root: folder of the repository.
        wanted: whether they are; otherwise ``python`` is Python.
    """
    os.environ.pop("ZOOMILL_WARM", None)  # of the process that submitted this one to another machine
    if not wanted:
        return
    os.environ["ZOOMILL_WARM"] = f"{os.getpid()}:{os.path.abspath(FOLDER)}"
    client = shlex.quote(f"{root}/envs/warm/client.py").replace("{", "{{").replace("}", "}}")
    shell.prefix(f'python() {{{{ command python -I -S {client} "$@"; }}}}; ')
    benchmark.BenchmarkTimer = _Timer


class _Timer(benchmark.BenchmarkTimer):
    """Snakemake's measuring of a job's processes, which finds those that are forks of a warm one.

    Each look takes the kernel milliseconds for each hundred megabytes, so that the gaps of a long job grow.
    """

    def __init__(self, pid, *arguments, **more):
        super().__init__(pid, *arguments, **more)
        self.main = _Job(pid)

    def _schedule(self):
        gap = min(benchmark.BENCHMARK_INTERVAL_SHORT * 1.5 ** max(0, self._times_called - 10), self._interval)
        self._timer = benchmark.DaemonTimer(gap, self._action)
        self._timer.start()


class _Job(psutil.Process):
    def children(self, recursive=False):
        """Return those below this process, and those that run in the place of any of them."""
        found = super().children(recursive)
        for process in list(found):
            with contextlib.suppress(OSError, psutil.Error):
                fork = psutil.Process(_fork_of(process.pid))
                found += [fork, *fork.children(recursive)]
        return found


def _fork_of(process):
    """Return the number of the process that runs in a client's place, or raise an OSError."""
    with open(f"/proc/{process}/comm") as file:
        name, _, number = file.read().partition(" ")
    if name != "warm":
        raise FileNotFoundError
    return int(number)
