"""Bring what is missing of one file, from a server or a folder: taken up where it broke off."""

import os
import re
import time

import requests
import urllib3
from requests.exceptions import InvalidSchema, InvalidURL, TooManyRedirects

from zoomill.partial_file import BLOCK, HEAD, named
from zoomill.progress import log, shown
from zoomill.wanted import Broken, Wrong, is_url, public

TIMEOUT = (15, 60)  # seconds for connecting; seconds without a byte
ATTEMPTS = 4  # in a row that bring nothing
BACKOFF = 1.0  # seconds of rest after the first of them, doubled after each further one
BUSY = (408, 425, 429, 500, 502, 503, 504)  # answers that may be another one in a moment


def reason(error):
    """Return in a few words why a request failed, out of the errors nested in one of requests or urllib3."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def fill(part, session, label, bar):
    """Bring what is missing, in as many attempts as it takes while they move forward.

    Args:
        part: :class:`zoomill.partial_file.Part`.
        session: requests.Session.
        label: model and file, for log and progress bar.
        bar: text file that the progress bar goes to, where that is a terminal.

    Raises:
        Broken, Wrong: as :meth:`zoomill.cache.Cache.fetch`.
    """
    failures = 0
    with shown(part, label, bar) as progress:
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
        Broken, Wrong: as :func:`fill`.
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
            problem = named(part.location, response.raw.read(HEAD, decode_content=False))
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
