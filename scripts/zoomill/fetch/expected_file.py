"""What is known of a file before it is fetched, and the two ways in which a server can fail to give it."""

import dataclasses
import re


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


def is_url(location):
    """Tell a URL from a path."""
    return "://" in location


def public(location):
    """Return a URL without the user name and password that it may hold."""
    return re.sub(r"(?<=://)[^/@]*@", "", location)
