"""What is known of a file before it is fetched, and the two ways in which a server can fail to give it."""

import dataclasses
import re

from zoomill.errors import UserError

HEX_DIGITS = {"sha256": 64, "sha384": 96, "sha512": 128, "md5": 32}


class Broken(Exception):
    """A transfer ended before its time; another attempt may do better.

    Attributes:
        wait: seconds to let the source rest before; infinite for a source that is better left.
    """

    def __init__(self, message, wait=0):
        super().__init__(message)
        self.wait = wait


class Wrong(Exception):
    """A source gave something else than the file; to ask it again is of no use."""


@dataclasses.dataclass(frozen=True)
class ExpectedFile:
    """What is known of a file beforehand.

    Attributes:
        size: bytes, or None.
        algorithm: ``sha256``, ``sha384``, ``sha512`` or ``md5``.
        hex: the digest in lower case, or None to take whatever comes.
    """

    size: int | None = None
    algorithm: str = "sha256"
    hex: str | None = None


def of_entry(entry, recorded):
    """Return the :class:`ExpectedFile` of an entry of a card's list of files.

    Args:
        entry: ``{"name", "size", "sha256" …}``.
        recorded: what sources.lock holds of it, ``{"sha256", "size"}`` or ``{}``.

    Raises:
        UserError: when its digest or size is none.
    """
    name, size = entry["name"], entry.get("size")
    given = [key for key in ("digest", *HEX_DIGITS) if key in entry]
    if len(given) != 1:
        raise UserError(f"{name}: give one of sha256, sha384, sha512, md5, or `digest: null`")
    algorithm = given[0]
    if not isinstance(size, int | None):
        raise UserError(f"{name}: `size` is not a number of bytes")
    if algorithm == "digest":
        if entry["digest"] is not None:
            raise UserError(f"{name}: `digest` can be nothing but null; use sha256, sha384 or sha512")
        return ExpectedFile(recorded.get("size", size), "sha256", recorded.get("sha256"))
    if algorithm == "md5" and size is None:
        raise UserError(f"{name}: md5 alone is too weak; give the `size` as well")
    digest = entry[algorithm].lower()
    if len(digest) != HEX_DIGITS[algorithm] or set(digest) - set("0123456789abcdef"):
        raise UserError(f"{name}: `{algorithm}` is not {HEX_DIGITS[algorithm]} hexadecimal digits")
    return ExpectedFile(size, algorithm, digest)


def is_url(location):
    """Tell a URL from a path."""
    return "://" in location


def public(location):
    """Return a URL without the user name and password that it may hold."""
    return re.sub(r"(?<=://)[^/@]*@", "", location)
