"""How long a .tflite file takes on LiteRT on this machine, and whether anything else ran meanwhile."""

import contextlib
import os
import statistics
import time

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from zoomill.tflite.runtime import KERNELS, quantise, refusal

# How often a file is run at least, and for how many seconds: the system counts in hundredths of them.
_LEAST, _SECONDS = 20, 0.5
# What others may take of a core before times are said to be taken beside them.
_QUIET = 0.1


def measure(path, contract, feed, threads):
    """Time a file by the kernels that LiteRT takes if nothing is said, or the built-in ones where those refuse it.

    Args:
        path: of the .tflite file.
        contract: contract of its graph, whose inputs are in the order of the file's.
        feed: ``{input tensor: array}``, with or without the batch of one; zeros for an input that it lacks.
        threads: how many LiteRT may use.

    Returns:
        ``{figure: value}``: ``kernels``; milliseconds ``init_ms`` until it is ready, ``first_ms`` of its first run, and
        ``median_ms`` and ``p95_ms`` of those after, of which there are ``runs``; ``others``, how many cores others kept
        busy meanwhile, None where the system does not tell.

    Raises:
        ValueError: when LiteRT cannot run the file; the text is its own.
    """
    start = time.perf_counter()
    kernels, interpreter = opened(path, threads)
    ready = time.perf_counter()
    for entry, details in zip(contract["inputs"], interpreter.get_input_details(), strict=True):
        values = feed.get(entry["tensor"], np.zeros(details["shape"], entry["dtype"]))
        interpreter.set_tensor(details["index"], quantise(values.reshape(details["shape"]), details))
    with _others() as others:
        first, *times = seconds_of_runs(interpreter, _LEAST, _SECONDS)
    figures = {
        "init_ms": 1e3 * (ready - start),
        "first_ms": 1e3 * first,
        "median_ms": 1e3 * statistics.median(times),
        "p95_ms": 1e3 * statistics.quantiles(times, n=20, method="inclusive")[-1],
    }
    rounded = {name: round(value, 4) for name, value in figures.items()}
    return {"kernels": kernels, **rounded, "runs": len(times), "others": others()}


def is_alone(figures):
    """Tell whether nothing else kept a core busy while figures of :func:`measure` were taken, as far as is known."""
    return all(found["others"] is None or found["others"] < _QUIET for found in figures)


def opened(file, threads):
    """Return the kernels that take a file, its path or its bytes, and an interpreter that is ready to run.

    Raises:
        ValueError: when none do; the text is LiteRT's.
    """
    content = {"model_content": file} if isinstance(file, bytes) else {"model_path": str(file)}
    refusals = []
    for kernels in ("xnnpack", "builtin"):
        try:
            interpreter = Interpreter(**content, num_threads=threads, experimental_op_resolver_type=KERNELS[kernels])
            interpreter.allocate_tensors()
            return kernels, interpreter
        except (RuntimeError, ValueError) as error:
            refusals.append(refusal(error))
    raise ValueError(refusals[-1])


def seconds_of_runs(interpreter, least, seconds):
    """Return the seconds of the first run and of all after it, at least so many of them and for so many seconds."""
    found, begin = [], time.perf_counter()
    while len(found) <= least or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        interpreter.invoke()
        found.append(time.perf_counter() - start)
    return found


@contextlib.contextmanager
def _others():
    """Give a function that says how many cores other processes kept busy while the block ran."""
    before, end = _busy(), []
    yield lambda: end[0]
    spent = [late - early for late, early in zip(_busy(), before, strict=True)] if before else None
    end.append(round(max(0.0, (spent[0] - spent[1]) / spent[2]), 2) if spent else None)


def _busy():
    """Return seconds of all cores that were busy, of this process, and of the clock; None where nobody tells."""
    try:
        with open("/proc/stat", encoding="ascii") as file:
            user, nice, system, _idle, _waiting, *interrupts = map(int, file.readline().split()[1:9])
    except OSError:
        return None
    ticks = user + nice + system + sum(interrupts)
    return ticks / os.sysconf("SC_CLK_TCK"), time.process_time(), time.perf_counter()
