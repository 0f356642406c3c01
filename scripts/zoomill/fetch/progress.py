"""How far a download is: a bar on a terminal, lines in a log."""

import contextlib
import time

from tqdm import tqdm

from zoomill.printable import printable

LOG_INTERVAL = 30  # seconds between two lines of progress where there is no terminal


def log(label, text):
    """Write a line to standard output; standard error is kept for the line that says why a command failed."""
    print(printable(f"{label}: {text}"), flush=True)


@contextlib.contextmanager
def shown(part, label, file):
    """Yield a function that shows how far a part is, given the bytes of the whole file, or None.

    On a terminal that is a bar with rate and time left, elsewhere a line in the log now and then.
    """
    said = time.monotonic()
    unit = {"unit": "B", "unit_scale": True, "unit_divisor": 1024}
    sizes = {"initial": part.size, "total": part.expected.size}
    with tqdm(desc=label, leave=False, disable=None, file=file, **unit, **sizes) as bar:

        def show(total):
            nonlocal said
            bar.total = total
            bar.update(part.size - bar.n)
            if bar.disable and time.monotonic() - said > LOG_INTERVAL:
                said = time.monotonic()
                log(label, f"{part.size >> 20} of {'?' if total is None else total >> 20} MiB")

        yield show
