"""Whole files or none: outputs appear under their name only when they are complete."""

import contextlib
import hashlib
import json
import os


@contextlib.contextmanager
def written(path):
    """Yield a temporary name beside ``path`` which is renamed to ``path`` on success and removed on failure."""
    path = os.fspath(path)
    temporary = "%s.tmp" % path
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(temporary)


def write_bytes(path, data):
    """Write ``data`` to ``path`` atomically."""
    with written(path) as temporary, open(temporary, "wb") as file:
        file.write(data)


def write_json(path, value):
    """Write ``value`` as canonical JSON: sorted keys, two spaces, one newline at the end."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_bytes(path, (text + "\n").encode())


def read_json(path):
    """Read a JSON file."""
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def digest(path, algorithm="sha256"):
    """Return the hex digest of a file; ``algorithm`` as in :mod:`hashlib`."""
    state = hashlib.new(algorithm)
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            state.update(block)
    return state.hexdigest()
