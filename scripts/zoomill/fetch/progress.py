"""How far a download is: a bar on a terminal, lines in a log, JSON for a program."""

import contextlib
import json
import os
import time

from tqdm import tqdm

from zoomill.printable import printable

LOG_INTERVAL = 30  # seconds between two lines of progress where there is no terminal
_JSON_INTERVAL = 0.5  # seconds between two events for a program


def log(label, text):
    """Write a line to standard output; standard error is kept for the line that says why a command failed."""
    print(printable(f"{label}: {text}"), flush=True)


def as_json():
    """Tell whether a program follows the run."""
    return "ZOOMILL_JSON_PROGRESS" in os.environ


@contextlib.contextmanager
def shown(part, label, file):
    """Yield a function that shows how far a part is, given the bytes of the whole file, or None.

    On a terminal that is a bar with rate and time left, elsewhere a line in the log now and then. Where a program
    follows the run, ``file`` gets events.
    """
    said = time.monotonic()
    last = 0
    unit = {"unit": "B", "unit_scale": True, "unit_divisor": 1024}
    sizes = {"initial": part.size, "total": part.expected.size}
    with tqdm(desc=label, leave=False, disable=as_json() or None, file=file, **unit, **sizes) as bar:

        def show(total):
            nonlocal said, last
            if as_json() and (time.monotonic() - last > _JSON_INTERVAL or part.size == total):
                last = time.monotonic()
                event = {"event": "download", "file": label, "bytes": part.size, "of": total}
                print(json.dumps(event), file=file, flush=True)
            bar.total = total
            bar.update(part.size - bar.n)
            if bar.disable and time.monotonic() - said > LOG_INTERVAL:
                said = time.monotonic()
                log(label, f"{part.size >> 20} of {'?' if total is None else total >> 20} MiB")

        yield show
