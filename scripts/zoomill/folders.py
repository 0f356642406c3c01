"""Artifacts that are folders: written whole or not at all, and told apart by one digest."""

import contextlib
import hashlib
import os
import shutil

from zoomill import files


@contextlib.contextmanager
def written(path):
    """Yield an empty folder beside ``path`` which replaces ``path`` on success and is removed on failure."""
    temporary = f"{os.path.normpath(path)}.tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    os.makedirs(temporary)
    try:
        yield temporary
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
    if not os.path.isdir(path):
        return files.digest(path)
    lines = [f"{files.digest(member)}  {os.path.relpath(member, path)}\n" for member in members(path)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
