"""Artifacts that are folders: written whole or not at all, and told apart by one digest."""

import contextlib
import hashlib
import os
import shutil

from zoomill import files


@contextlib.contextmanager
def written(path):
    """Yield an empty folder beside ``path`` which replaces ``path`` on success and is removed on failure."""
    from zoomill import made  # which reads by this module

    temporary = f"{os.path.normpath(path)}.tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    os.makedirs(temporary)
    try:
        yield temporary
        made.record(path, temporary)
        shutil.rmtree(path, ignore_errors=True)
        os.rename(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def members(path):
    """Return the files of an artifact: itself, or all those in a folder, sorted by their names inside.

    Hidden files are no part of it: Snakemake leaves one in every folder that a rule makes.
    """
    if not os.path.isdir(path):
        return [path]
    found = [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names if name[0] != "."]
    return sorted(found, key=lambda member: os.path.relpath(member, path))


def size(path):
    """Return the bytes of an artifact."""
    return sum(map(os.path.getsize, members(path)))


def digest(path):
    """Return the SHA-256 of a file, or of the lines that ``sha256sum`` prints for the files inside a folder."""
    return joined(digests(path)) if os.path.isdir(path) else files.digest(path)


def digests(path):
    """Return ``{name: SHA-256}`` of the files inside a folder."""
    return {os.path.relpath(member, path): files.digest(member) for member in members(path)}


def joined(inside):
    """Return the digest of a folder by what :func:`digests` gave."""
    lines = [f"{value}  {name}\n" for name, value in inside.items()]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
