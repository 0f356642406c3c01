"""What a disk refuses, in one line that names the file and what to do; and how much room it has."""

import contextlib
import errno
import shutil

_ADVICE = {
    errno.ENOSPC: "make room there and run again",
    errno.EDQUOT: "make room there or ask for a larger quota, and run again",
    errno.EFBIG: "raise the limit on the size of files (`ulimit -f`) and run again",
    errno.EROFS: "let the folder be on a disk that can be written",
    errno.EACCES: "mend the permissions of the file and its folder",
    errno.EPERM: "mend the permissions of the file and its folder",
}


@contextlib.contextmanager
def naming(path):
    """Let an error of a read or write inside, which names no file, name ``path``."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = path
        raise


def sentence(error):
    """Return what an OSError says: the file, what is wrong, and what to do about it."""
    words = [str(part) for part in (error.filename, error.strerror or error) if part is not None]
    advice = _ADVICE.get(error.errno)
    return ": ".join(words) + (f"; {advice}" if advice else "")


def is_told(error):
    """Tell whether an OSError is one that :func:`sentence` has advice for."""
    return error.errno in _ADVICE


def free(folder):
    """Return how many bytes may still be written into a folder."""
    return shutil.disk_usage(folder).free
