"""Mirrors: folders or web servers that hold files of the catalogue, found by their digests.

A mirror is a folder or base URL with a list ``SHA256SUMS`` (also ``SHA384SUMS``, ``SHA512SUMS``, ``MD5SUMS``)
as ``sha256sum`` writes it: lines of a digest, two spaces, and a path relative to the mirror. A list beyond MAX_LIST is
not read.
"""

import os
import re
import urllib.parse

from zoomill.errors import UserError
from zoomill.fetch import archives, server
from zoomill.fetch.expected_file import Broken, Wrong, is_url

VARIABLE = "ZOOMILL_MIRRORS"
MAX_LIST = 16 << 20  # bytes; a line has about 100


def from_environment(session):
    """Return the mirrors that the environment variable names, one a line, in the order of their trial."""
    places = os.environ.get(VARIABLE, "").splitlines()
    return [Mirror(place.strip(), session) for place in places if place.strip()]


class Mirror:
    """One mirror. Each of its lists is read once, when it is first needed."""

    def __init__(self, place, session):
        self.place = place
        self._session = session
        self._lists = {}

    def find(self, expected):
        """Return the path or URL of a file, or None when the mirror does not have it.

        Args:
            expected: a :class:`zoomill.fetch.expected_file.ExpectedFile`; without a digest no mirror has it.

        Raises:
            Broken, Wrong: when the list cannot be read (said once, then it counts as empty), or when it gives
                a path outside the mirror.
        """
        if expected.hex is None:
            return None
        if expected.algorithm not in self._lists:
            self._lists[expected.algorithm] = {}
            self._lists[expected.algorithm] = _parsed(self._read(f"{expected.algorithm.upper()}SUMS"))
        path = self._lists[expected.algorithm].get(expected.hex)
        if path is None:
            return None
        try:
            path = archives.inside(path)
        except UserError as error:
            raise Wrong(f"lists a file outside itself: {error}") from None
        return self._location(path)

    def _location(self, path):
        if is_url(self.place):
            return "{}/{}".format(self.place.rstrip("/"), urllib.parse.quote(path))
        return os.path.join(self.place, path)

    def _read(self, name):
        location, data = self._location(name), b""
        for block in self._blocks(location, name):
            data += block
            if len(data) > MAX_LIST:
                raise Wrong(f"has a {name} of more than {MAX_LIST >> 20} MiB")
        return data

    def _blocks(self, location, name):
        if is_url(location):
            pace = server.Pace()
            try:
                with server.answer(self._session, location, {}, pace) as response:
                    server.check_status(response)
                    yield from server.blocks(response, pace)
            except (Broken, Wrong) as error:
                raise type(error)(f"{error} for {name}") from None
            return
        try:
            if os.path.exists(location) and not os.path.isfile(location):
                raise Wrong(f"has a {name} that is no file")
            with open(location, "rb") as file:
                yield from iter(lambda: file.read(server.BLOCK), b"")
        except OSError as error:
            raise Wrong(f"has no readable {name} ({error.strerror})") from None


def _parsed(data):
    """Return ``{hex: path}`` of a list as sha256sum writes it; other lines are passed over."""
    lines = re.findall(r"^([0-9a-fA-F]{32,128}) [ *](.+?)\r?$", data.decode("utf-8", "replace"), re.MULTILINE)
    return {digest.lower(): path for digest, path in reversed(lines)}
