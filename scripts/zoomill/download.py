"""Bring one file into the cache: taken up where it broke off, and checked before it counts.

The cache is a folder of complete files named by their digests. What has come of a file so far stands there as
``<digest>.part``, its origin in ``<digest>.part.json``; without a digest the sha256 of the URL is the name.
"""

import contextlib
import dataclasses
import hashlib
import os
import re
import time

import requests
import urllib3
from requests.exceptions import InvalidSchema, InvalidURL, TooManyRedirects
from tqdm import tqdm

from zoomill import files
from zoomill.source_lock import locked

TIMEOUT = (15, 60)  # seconds for connecting; seconds without a byte
ATTEMPTS = 4  # in a row that bring nothing
BACKOFF = 1.0  # seconds of rest after the first of them, doubled after each further one
LOG_INTERVAL = 30  # seconds between two lines of progress where there is no terminal
BLOCK = 1 << 18  # bytes
HEAD = 1024  # bytes that tell a web page from a model
BUSY = (408, 425, 429, 500, 502, 503, 504)  # answers that may be another one in a moment

_HTML = re.compile(rb"\s*(<\?xml[^>]*>\s*|<!--.*?-->\s*)*<(!doctype\s+html|html|head|body)\b", re.I | re.S)
_LFS_POINTER = b"version https://git-lfs.github.com/spec/v1"


class Broken(Exception):
    """A transfer ended before its time; another attempt may do better."""


class Wrong(Exception):
    """A source gave something else than the file; to ask it again is of no use."""


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What is known of a file beforehand.

    Attributes:
        size: bytes, or None.
        algorithm: ``sha256``, ``sha384``, ``sha512`` or ``md5``.
        hex: the digest in lower case, or None to take whatever comes.
    """

    size: int | None = None
    algorithm: str = "sha256"
    hex: str | None = None


def log(label, text):
    """Write a line to standard output; standard error is kept for the line that says why a command failed."""
    print("%s: %s" % (label, text), flush=True)


def is_url(location):
    """Tell a URL from a path."""
    return "://" in location


def public(location):
    """Return a URL without the user name and password that it may hold."""
    return re.sub(r"(?<=://)[^/@]*@", "", location)


def reason(error):
    """Return in a few words why a request failed, out of the errors nested in one of requests or urllib3."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


class Cache:
    """A folder of complete files and the means to fill it; processes may share it.

    Args:
        folder: made when the first file is fetched.
        bar: text file that the progress bar goes to, where that is a terminal.
    """

    def __init__(self, folder, bar):
        self.folder, self.bar = folder, bar
        self.session = requests.Session()
        self.session.headers.update({"User-Agent": "zoomill", "Accept-Encoding": "identity"})

    def find(self, wanted, label):
        """Return the path of a file, its digest computed anew, or None; a file that was changed is removed.

        Raises:
            Wrong: when the file has the digest, but not the size that ``wanted`` gives.
        """
        path = os.path.join(self.folder, wanted.hex or "")
        if wanted.hex is None or not os.path.exists(path):
            return None
        if files.digest(path, wanted.algorithm) != wanted.hex:
            log(label, "was changed in %s and is fetched again" % self.folder)
            os.remove(path)
            return None
        if wanted.size not in (None, os.path.getsize(path)):
            raise Wrong("has %d bytes, expected %d" % (os.path.getsize(path), wanted.size))
        return path

    def fetch(self, location, wanted, label):
        """Fetch a file and return its path, ``<folder>/<digest>``.

        Args:
            location: a http(s) URL, or the path of a file, which is copied.
            wanted: a :class:`Wanted`.
            label: model and file, for log and progress bar.

        Raises:
            Broken: when the source cannot be reached; what came of the file is kept for the next run.
            Wrong: when it gives anything but the file; what it gave is not kept.
        """
        os.makedirs(self.folder, exist_ok=True)
        stem = wanted.hex or hashlib.sha256(location.encode()).hexdigest()
        with _part(os.path.join(self.folder, stem + ".part"), location, wanted) as part:
            # Another process may have been quicker.
            if path := self.find(wanted, label):
                part.remove()
                return path
            if wanted.hex is None or part.mistake():
                _fill(part, self.session, label, self.bar)
                if part.mixed and part.mistake():
                    log(label, "does not fit together from the pieces of several attempts; starting again")
                    part.clear()
                    _fill(part, self.session, label, self.bar)
                if mistake := part.mistake():
                    part.reject(mistake)
            return part.keep(self.folder)


def _named(location, head):
    """Return a message when the first bytes of an answer are known to begin no model, or None."""
    verb = "answered with" if is_url(location) else "is"
    if not head:
        return "%s an empty file" % verb
    if head.startswith(_LFS_POINTER):
        return "%s a Git LFS pointer instead of the file" % verb
    if _HTML.match(head.removeprefix(b"\xef\xbb\xbf")):
        return "%s an HTML page instead of the file" % verb
    return None


@contextlib.contextmanager
def _part(path, location, wanted):
    with locked(path) as file:
        part = _Part(file, path, location, wanted)
        try:
            yield part
        except (Broken, Wrong):
            if not part.size:
                part.remove()
            raise


class _Part:
    """What has come of a file so far, with its running digest.

    Attributes:
        size: bytes.
        origin: ``{"url", "etag", "modified", "size"}`` of the answer that brought the last bytes, or ``{}``.
        mixed: whether the bytes come from more than one answer.
        restarts: how often bytes were dropped.
        resumable: False when the whole file is to be asked for; only when that comes are the bytes dropped.
    """

    def __init__(self, file, path, location, wanted):
        self.location, self.wanted = location, wanted
        self._file, self._path = file, path
        self.size, self.origin, self.restarts, self.resumable = 0, {}, 0, True
        self._state = hashlib.new(wanted.algorithm)
        file.seek(0)
        for block in iter(lambda: file.read(BLOCK), b""):
            self._state.update(block)
            self.size += len(block)
        self.mixed = self.size > 0
        with contextlib.suppress(FileNotFoundError, ValueError):
            self.origin = files.read_json(path + ".json")
        if wanted.size is not None and self.size > wanted.size:
            self.clear()

    def clear(self):
        self.restarts += self.size > 0
        self._file.truncate(0)
        self._state = hashlib.new(self.wanted.algorithm)
        self.size, self.origin, self.mixed, self.resumable = 0, {}, False, True

    def reject(self, message):
        self.clear()
        raise Wrong(message)

    def begin(self, origin):
        self.mixed = self.size > 0
        if origin != self.origin:
            self.origin = origin
            files.write_json(self._path + ".json", origin)

    def append(self, block):
        if self.wanted.size is not None and self.size + len(block) > self.wanted.size:
            text = self.named() if self.size else _named(self.location, block)
            self.reject(text or "gave more than the expected %d bytes" % self.wanted.size)
        self._file.write(block)
        self._file.flush()
        self._state.update(block)
        self.size += len(block)

    def mistake(self):
        """Return what is wrong with the bytes when no more are to come, or None."""
        wanted, digest, text = self.wanted, self._state.hexdigest(), None
        if wanted.size not in (None, self.size):
            text = "has %d bytes, expected %d" % (self.size, wanted.size)
        elif wanted.hex == digest:
            return None
        elif wanted.hex is not None:
            text = "gave %s %s, expected %s" % (wanted.algorithm, digest, wanted.hex)
        return self.named() or text

    def named(self):
        return _named(self.location, os.pread(self._file.fileno(), HEAD, 0))

    def keep(self, folder):
        path = os.path.join(folder, self._state.hexdigest())
        self._forget()
        os.replace(self._path, path)
        return path

    def remove(self):
        self._forget()
        os.remove(self._path)

    def _forget(self):
        with contextlib.suppress(FileNotFoundError):
            os.remove(self._path + ".json")


def _fill(part, session, label, bar):
    """Bring what is missing, in as many attempts as it takes while they move forward."""
    failures = 0
    with _progress(part, label, bar) as progress:
        while True:
            size, restarts = part.size, part.restarts
            try:
                if is_url(part.location):
                    return _receive(part, session, progress)
                return _copy(part, progress)
            except Broken as error:
                failures = 0 if part.size > size and part.restarts == restarts else failures + 1
                # Restarts are limited too: a server that drops and cannot resume would go on for ever.
                if ATTEMPTS in (failures, part.restarts):
                    raise
                log(label, "%s %s; trying again" % (public(part.location), error))
                if failures:
                    time.sleep(BACKOFF * 2 ** (failures - 1))


def _copy(part, progress):
    if not (os.path.isfile(part.location) and os.access(part.location, os.R_OK)):
        raise Wrong("is no file that can be read")
    part.clear()
    with open(part.location, "rb") as file:
        for block in iter(lambda: file.read(BLOCK), b""):
            part.append(block)
            progress(part.wanted.size)


def _receive(part, session, progress):
    """Ask a server for what is missing and append what comes.

    Raises:
        Broken, Wrong: as :meth:`Cache.fetch`.
    """
    total = None
    try:
        headers = _request_headers(part)
        with session.get(part.location, headers=headers, stream=True, timeout=TIMEOUT) as response:
            total = _accepted(part, response)
            # As sent: a file that a server labels `Content-Encoding: gzip` for its name must stay packed.
            while block := response.raw.read1(BLOCK, decode_content=False):
                part.append(block)
                progress(total)
    except (InvalidURL, InvalidSchema, TooManyRedirects) as error:
        raise Wrong("cannot be asked (%s)" % reason(error)) from None
    except requests.RequestException as error:
        raise Broken("did not answer (%s)" % reason(error)) from None
    except urllib3.exceptions.HTTPError as error:
        raise Broken("broke off after %d bytes (%s)" % (part.size, reason(error))) from None
    expected = part.wanted.size if total is None else total
    if expected is not None and part.size < expected:
        if part.size and (problem := part.named()):
            part.reject(problem)
        raise Broken("ended after %d of %d bytes" % (part.size, expected))


def _request_headers(part):
    """Return the headers that ask for the rest of a part, or none when nothing could vouch for a rest."""
    headers, validator = {}, None
    if part.origin.get("url") == public(part.location):
        etag = part.origin["etag"]
        # Only a strong ETag promises equal bytes (RFC 9110, 13.1.5).
        validator = etag if etag and not etag.startswith("W/") else part.origin["modified"]
    if part.size and part.resumable and (validator or part.wanted.hex):
        headers["Range"] = "bytes=%d-" % part.size
        if validator:
            headers["If-Range"] = validator
    return headers


def _accepted(part, response):
    """Check status and headers of an answer against the part; return the size of the whole file, or None."""
    status, headers = response.status_code, response.headers
    if status == requests.codes.requested_range_not_satisfiable and part.size:
        part.resumable = False
        raise Broken("has no rest to send")
    if status in BUSY:
        raise Broken("answered %d %s" % (status, response.reason))
    if status not in (requests.codes.ok, requests.codes.partial_content):
        raise Wrong("answered %d %s" % (status, response.reason))
    origin = {
        "url": public(part.location),
        "etag": headers.get("ETag"),
        "modified": headers.get("Last-Modified"),
    }
    if status == requests.codes.partial_content:
        total = _continued(part, origin, headers.get("Content-Range", ""))
    else:
        total = int(headers["Content-Length"]) if headers.get("Content-Length", "").isdecimal() else None
        if part.wanted.size is not None and total not in (None, part.wanted.size):
            problem = _named(part.location, response.raw.read(HEAD, decode_content=False))
            raise Wrong(problem or "has %d bytes, expected %d" % (total, part.wanted.size))
        part.clear()
    part.begin({**origin, "size": total})
    return total


def _continued(part, origin, content_range):
    """Return the whole size that a ``Content-Range`` gives, after a check that it continues the part."""
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", content_range)
    total = int(found[2]) if found and found[2].isdecimal() else None
    known = part.origin if part.origin.get("url") == origin["url"] else {}
    sizes = {part.wanted.size, known.get("size"), total} - {None}
    etags = {known.get("etag"), origin["etag"]} - {None}
    if not found or int(found[1]) != part.size or len(sizes) > 1 or len(etags) > 1:
        part.resumable = False
        raise Broken("sent a rest that does not fit the beginning")
    return total


@contextlib.contextmanager
def _progress(part, label, file):
    """Yield a function that shows how far a part is, given the bytes of the whole file, or None.

    On a terminal that is a bar with rate and time left, elsewhere a line in the log now and then.
    """
    said = time.monotonic()
    unit = {"unit": "B", "unit_scale": True, "unit_divisor": 1024}
    sizes = {"initial": part.size, "total": part.wanted.size}
    with tqdm(desc=label, leave=False, disable=None, file=file, **unit, **sizes) as bar:

        def show(total):
            nonlocal said
            bar.total = total
            bar.update(part.size - bar.n)
            if bar.disable and time.monotonic() - said > LOG_INTERVAL:
                said = time.monotonic()
                log(label, "%d of %s MiB" % (part.size >> 20, "?" if total is None else total >> 20))

        yield show
