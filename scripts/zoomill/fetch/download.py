"""Bring what is missing of one file, from a server or a folder: taken up where it broke off."""

import errno
import os
import re
import time

import requests

from zoomill import disk
from zoomill.fetch import server
from zoomill.fetch.expected_file import Broken, ExpectedFile, Wrong, is_url, public
from zoomill.fetch.partial_file import HEAD, named
from zoomill.fetch.progress import log, shown

ATTEMPTS = 4  # in a row that bring nothing
BACKOFF = 1.0  # seconds of rest after the first of them, doubled after each further one
MAX_VALIDATOR = 200  # letters of an ETag or date
MIN_FREE = 64 << 20  # bytes of the disk that a file of unknown size leaves


def fill(part, session, label, bar):
    """Bring what is missing, in as many attempts as it takes while they move forward.

    Args:
        part: :class:`zoomill.fetch.partial_file.Part`.
        session: :class:`zoomill.fetch.server.Session`.
        label: model and file, for log and progress bar.
        bar: text file that the progress bar goes to, where that is a terminal.

    Raises:
        Broken, Wrong: as :meth:`zoomill.fetch.cache.Cache.fetch`.
    """
    failures, pace = 0, server.Pace()
    with shown(part, label, bar) as progress:
        while True:
            size, restarts = part.size, part.restarts
            try:
                if is_url(part.location):
                    return _receive(part, session, pace, progress)
                return _copy(part, progress)
            except Broken as error:
                failures = 0 if part.size > size and part.restarts == restarts else failures + 1
                # Restarts are limited too: a server that drops and cannot resume would go on for ever.
                if ATTEMPTS in (failures, part.restarts) or error.wait > server.MAX_WAIT:
                    raise
                log(label, f"{public(part.location)} {error}; trying again")
                time.sleep(max(error.wait, BACKOFF * 2 ** (failures - 1) if failures else 0))


def _copy(part, progress):
    """Copy a file, no more of it than its size: some of /proc never end."""
    if not (os.path.isfile(part.location) and os.access(part.location, os.R_OK)):
        raise Wrong("is no file that can be read")
    part.clear()
    with open(part.location, "rb") as file:
        left = os.fstat(file.fileno()).st_size
        _check_room(part, left)
        while block := _read(file, min(server.BLOCK, left)):
            left -= len(block)
            part.append(block)
            progress(part.expected.size)


def _read(file, size):
    try:
        return file.read(size)
    except OSError as error:
        raise Wrong(f"cannot be read ({error.strerror})") from None


def _receive(part, session, pace, progress):
    """Ask a server for what is missing and append what comes.

    Raises:
        Broken, Wrong: as :func:`fill`.
    """
    with server.answer(session, part.location, _request_headers(part), pace) as response:
        total = _accepted(part, response, pace)
        size = part.expected.size if total is None else total
        for block in server.blocks(response, pace, part.size):
            if size is None and disk.free(part.folder) < MIN_FREE:
                part.reject(f"gave more than {part.size} bytes, and the disk is nearly full")
            part.append(block)
            progress(total)
    if size is not None and part.size < size:
        if part.size and (problem := part.named()):
            part.reject(problem)
        raise Broken(f"ended after {part.size} of {size} bytes")


def _request_headers(part):
    """Return the headers that ask for the rest of a part, or none when nothing could vouch for a rest."""
    headers, validator = {}, None
    if part.origin.get("url") == public(part.location):
        etag = part.origin["etag"]
        # Only a strong ETag promises equal bytes (RFC 9110, 13.1.5).
        validator = etag if etag and not etag.startswith("W/") else part.origin["modified"]
    if part.size and part.resumable and (validator or part.expected.hex):
        headers["Range"] = f"bytes={part.size}-"
        if validator:
            headers["If-Range"] = validator
    return headers


def _accepted(part, response, pace):
    """Check status and headers of an answer against the part; return the size of the whole file, or None."""
    status, headers = response.status_code, response.headers
    if status == requests.codes.requested_range_not_satisfiable and part.size:
        part.resumable = False
        raise Broken("has no rest to send")
    server.check_status(response)
    total, chunked = server.length(response)
    origin = {
        "url": public(part.location),
        "etag": _validator(headers.get("ETag")),
        "modified": _validator(headers.get("Last-Modified")),
    }
    resumed = status == requests.codes.partial_content
    if resumed:
        total = _continued(part, origin, headers.get("Content-Range", ""))
    elif part.expected.size is not None and total not in (None, part.expected.size):
        problem = named(part.location, next(server.blocks(response, pace), b"")[:HEAD])
        raise Wrong(problem or f"has {total} bytes, expected {part.expected.size}")
    if total is None and (resumed or not chunked) and part.expected == ExpectedFile():
        raise Wrong("does not say where the file ends; give its `size` or `sha256` in the card")
    if not resumed:
        part.clear()
    _check_room(part, total or part.expected.size or 0)
    part.begin({**origin, "size": total})
    return total


def _check_room(part, total):
    """Refuse what the disk cannot hold: for good where that is the file, not where a source only says so."""
    free = disk.free(part.folder)
    if total - part.size > free:
        if total == part.expected.size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), part.path)
        raise Wrong(f"has {total} bytes, but the disk has room for {free}")


def _validator(value):
    """Return an ETag or date that can be sent back, else None."""
    return value if value and len(value) <= MAX_VALIDATOR and value.isascii() and value.isprintable() else None


def _continued(part, origin, content_range):
    """Return the whole size that a ``Content-Range`` gives, after a check that it continues the part."""
    found = re.fullmatch(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18}|\*)", content_range)
    total = int(found[2]) if found and found[2] != "*" else None
    known = part.origin if part.origin.get("url") == origin["url"] else {}
    sizes = {part.expected.size, known.get("size"), total} - {None}
    etags = {known.get("etag"), origin["etag"]} - {None}
    if not found or int(found[1]) != part.size or len(sizes) > 1 or len(etags) > 1:
        part.resumable = False
        raise Broken("sent a rest that does not fit the beginning")
    return known.get("size") if total is None else total
