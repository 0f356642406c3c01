"""What has come of a file so far, kept so that the next attempt or run takes it up.

It stands in ``<name>.part``, its origin in ``<name>.part.json``.
"""

import contextlib
import hashlib
import json
import os
import re

from zoomill import disk, files
from zoomill.fetch.expected_file import Broken, Wrong, is_url
from zoomill.fetch.source_lock import locked

BLOCK = 1 << 18  # bytes
HEAD = 1024  # bytes that tell a web page from a model
MAX_ORIGIN = 1 << 16  # bytes of a .part.json

_HTML = re.compile(rb"\s*(<\?xml[^>]*>\s*|<!--.*?-->\s*)*<(!doctype\s+html|html|head|body)\b", re.I | re.S)
_LFS_POINTER = b"version https://git-lfs.github.com/spec/v1"


def named(location, head):
    """Return a message when the first bytes of an answer are known to begin no model, or None."""
    verb = "answered with" if is_url(location) else "is"
    if not head:
        return f"{verb} an empty file"
    if head.startswith(_LFS_POINTER):
        return f"{verb} a Git LFS pointer instead of the file"
    if _HTML.match(head.removeprefix(b"\xef\xbb\xbf")):
        return f"{verb} an HTML page instead of the file"
    return None


@contextlib.contextmanager
def opened(path, location, expected):
    """Yield the :class:`Part` at ``path``, which no other process has meanwhile; an empty one is not kept."""
    with locked(path) as file:
        part = Part(file, path, location, expected)
        try:
            yield part
        except (Broken, Wrong):
            if not part.size:
                part.remove()
            raise


def _origin(path):
    """Return the origin that stands in a file, ``{}`` where there is none, None for anything else than an origin."""
    kinds = {"url": str, "etag": str | None, "modified": str | None, "size": int | None}
    try:
        with open(path, "rb") as file:
            origin = json.loads(file.read(MAX_ORIGIN))
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError):
        return None
    if not isinstance(origin, dict) or origin.keys() != kinds.keys():
        return None
    return origin if all(isinstance(origin[key], kind) for key, kind in kinds.items()) else None


class Part:
    """What has come of a file so far, with its running digest.

    Attributes:
        path, folder: where it stands.
        size: bytes.
        origin: ``{"url", "etag", "modified", "size"}`` of the answer that brought the last bytes, or ``{}``.
        mixed: whether the bytes come from more than one answer.
        restarts: how often bytes were dropped.
        resumable: False when the whole file is to be asked for; only when that comes are the bytes dropped.
    """

    def __init__(self, file, path, location, expected):
        self.location, self.expected = location, expected
        self.path, self.folder = path, os.path.dirname(path)
        self._file = file
        self.size, self.origin, self.restarts, self.resumable = 0, {}, 0, True
        self._state = hashlib.new(expected.algorithm)
        file.seek(0)
        for block in iter(lambda: file.read(BLOCK), b""):
            self._state.update(block)
            self.size += len(block)
        self.mixed = self.size > 0
        self.origin = _origin(path + ".json")
        if self.origin is None or expected.size is not None and self.size > expected.size:
            self.clear()
            self._forget()

    def clear(self):
        self.restarts += self.size > 0
        self._file.truncate(0)
        self._state = hashlib.new(self.expected.algorithm)
        self.size, self.origin, self.mixed, self.resumable = 0, {}, False, True

    def reject(self, message):
        self.clear()
        raise Wrong(message)

    def begin(self, origin):
        self.mixed = self.size > 0
        if origin != self.origin:
            self.origin = origin
            with disk.naming(self.path + ".json"):
                files.write_json(self.path + ".json", origin, recorded=False)

    def append(self, block):
        if self.expected.size is not None and self.size + len(block) > self.expected.size:
            text = self.named() if self.size else named(self.location, block)
            self.reject(text or f"gave more than the expected {self.expected.size} bytes")
        with disk.naming(self.path):
            rest = memoryview(block)
            while rest:
                rest = rest[self._file.write(rest) :]
        self._state.update(block)
        self.size += len(block)

    def mistake(self):
        """Return what is wrong with the bytes when no more are to come, or None."""
        expected, digest, text = self.expected, self._state.hexdigest(), None
        if expected.size not in (None, self.size):
            text = f"has {self.size} bytes, expected {expected.size}"
        elif expected.hex == digest:
            return None
        elif expected.hex is not None:
            text = f"gave {expected.algorithm} {digest}, expected {expected.hex}"
        return self.named() or text

    def named(self):
        return named(self.location, os.pread(self._file.fileno(), HEAD, 0))

    def keep(self, folder):
        path = os.path.join(folder, self._state.hexdigest())
        self._forget()
        os.replace(self.path, path)
        return path

    def remove(self):
        self._forget()
        os.remove(self.path)

    def _forget(self):
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.path + ".json")
