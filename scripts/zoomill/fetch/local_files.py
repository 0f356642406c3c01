"""Files of this machine that a card names without a digest: what stands there is taken, and hashed in every run."""

import glob
import hashlib
import itertools
import os
import posixpath

from zoomill.errors import UserError
from zoomill.fetch import partial_file
from zoomill.fetch.expected_file import HEX_DIGITS, is_url

# Their entries stand in one argument of a command, which has up to 128 KiB.
_MOST = 200
_BLOCK = 1 << 20  # bytes


def is_own(entry):
    """Tell whether an entry of a card's list of files names files of this machine and no digest."""
    return entry.keys().isdisjoint(HEX_DIGITS) and not any(map(is_url, entry["urls"]))


def digest(path):
    """Return the SHA-256 of a file, of no more of it than its size: some of /proc never end."""
    state = hashlib.sha256()
    with open(path, "rb") as file:
        left = os.fstat(file.fileno()).st_size
        while block := file.read(min(_BLOCK, left)):
            left -= len(block)
            state.update(block)
    return state.hexdigest()


def found(entry, digest=digest):
    """Return an entry as entries of single files, with what these are now.

    Args:
        entry: one of which :func:`is_own` is true. A URL of it is a file, a folder or a pattern of files; the first
            that is there counts. The files of a folder or pattern stand in a folder of the entry's name.
        digest: function from the path of a file to its SHA-256.

    Returns:
        ``[{"name", "urls": [path], "size", "sha256", "local": True, …}]``, sorted by name.

    Raises:
        UserError: when there is none, or one cannot be read.
    """
    mistakes = []
    for place in entry["urls"]:
        try:
            return [
                {**_without_digest(entry), "name": name, "urls": [path], **_state(path, entry, digest), "local": True}
                for name, path in sorted(_paths(entry["name"], place).items())
            ]
        except OSError as error:
            mistakes.append(f"{error.filename} cannot be read ({error.strerror})")
        except UserError as error:
            mistakes.append(str(error))
    raise UserError("; ".join(mistakes))


def _without_digest(entry):
    return {key: value for key, value in entry.items() if key != "digest"}


def _state(path, entry, digest):
    """Return size and digest; a size that the card gives stays, so that another one is told when it is copied."""
    return {"size": entry.get("size", os.path.getsize(path)), "sha256": digest(path)}


def _paths(name, place):
    """Return ``{name: path}`` of the files that a path or pattern stands for."""
    if os.path.isdir(place):
        walk = os.walk(place, onerror=_raise)
        inside = filter(os.path.isfile, (os.path.join(parent, one) for parent, _, names in walk for one in names))
        named = {os.path.relpath(one, place): one for one in itertools.islice(inside, _MOST + 1)}
    elif os.path.exists(place) or not glob.has_magic(place):
        if not os.path.isfile(place):
            raise UserError(f"{place} is {'no file' if os.path.exists(place) else 'not there'}")
        if mistake := partial_file.named(place, _head(place)):
            raise UserError(f"{place} {mistake}")
        return {name: place}
    else:
        named = {os.path.basename(one): one for one in glob.glob(place) if os.path.isfile(one)}
    if not 0 < len(named) <= _MOST:
        raise UserError(f"{place} stands for {f'more than {_MOST}' if named else 'no'} files")
    return {posixpath.normpath(posixpath.join(name, one)): path for one, path in named.items()}


def _head(path):
    with open(path, "rb") as file:
        return file.read(min(partial_file.HEAD, os.fstat(file.fileno()).st_size))


def _raise(error):
    raise error


def changes(entries, locked):
    """Return what of the files of this machine is not what sources.lock holds, each as a text with both digests.

    Args:
        entries: as :func:`found` gives them, and others.
        locked: ``{name: {"sha256": hex, "size": bytes}}`` of the model.
    """
    now = {one["name"]: one["sha256"] for one in entries if "local" in one}
    kept = {one["name"] for one in entries if "digest" in one}
    before = {name: entry["sha256"] for name, entry in locked.items() if name not in kept}
    names = sorted(now | before) if locked else []
    return [
        f"{name} {before.get(name, 'new')[:12]} → {now.get(name, 'gone')[:12]}"
        for name in names
        if before.get(name) != now.get(name)
    ]
