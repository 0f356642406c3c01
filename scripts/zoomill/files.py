"""Whole files or none: outputs appear under their name only when they are complete, with a record of who made them."""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil

# ioctl of Linux, <linux/fs.h>: share the blocks of another file until one of both is written to.
_FICLONE = 0x40049409


@contextlib.contextmanager
def written(path, recorded=True):
    """Yield a temporary name beside ``path`` which is renamed to ``path`` on success and removed on failure.

    Args:
        path: of the file.
        recorded: whether it gets a record (:mod:`zoomill.made`); files that are not made from others have none.
    """
    from zoomill import made  # which reads and writes by this module

    path = os.fspath(path)
    temporary = f"{path}.tmp"
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    try:
        yield temporary
        if recorded:
            made.record(path, temporary)
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(temporary)


def write_bytes(path, data, recorded=True):
    """Write ``data`` to ``path`` as :func:`written` does."""
    with written(path, recorded) as temporary, open(temporary, "wb") as file:
        file.write(data)


def write_json(path, value, recorded=True):
    """Write ``value`` as canonical JSON: sorted keys, two spaces, one newline at the end."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    # UTF-8 has no halves of surrogate pairs, which a name out of a model may have; escaped they are still JSON.
    write_bytes(path, (text + "\n").encode(errors="backslashreplace"), recorded)


def read_json(path):
    """Read a JSON file."""
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def copy(path, destination):
    """Copy a file's content, without taking more space where the file system can share it; never link it."""
    with open(path, "rb") as source, open(destination, "wb") as target:
        try:
            fcntl.ioctl(target, _FICLONE, source.fileno())
        except OSError:
            shutil.copyfileobj(source, target)


def digest(path, algorithm="sha256"):
    """Return the hex digest of a file; ``algorithm`` as in :mod:`hashlib`."""
    state = hashlib.new(algorithm)
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            state.update(block)
    return state.hexdigest()
