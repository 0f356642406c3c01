"""Who made a file or folder, and of what: a record beside it, which everyone checks who reads it.

For D/NAME the record is ``D/.made/NAME.json``, an object of

- ``sha256``: digest of the file, or of the folder as :func:`zoomill.folders.digest` gives it; of a folder also
  ``files``, ``{name inside: sha256}``;
- ``by``: the command that wrote it;
- ``read``: ``{path relative to D: sha256}`` of everything that the command had checked until then;
- ``cpu``: the machine that it ran on, see :func:`cpu`.

It has no time stamps and no paths of the machine, so that a folder that is moved or copied as a whole stays valid.
"""

import functools
import os
import platform
import re
import sys

from zoomill import files, folders
from zoomill.errors import UserError

_FOLDER = ".made"
# Instruction sets that kernels choose by; they can change the last digit of a calibration or a golden value.
_CPU_FLAGS = ("avx", "avx2", "avx512f", "avx512_vnni", "avx512_bf16", "fma", "asimd", "amx_tile")
# What this process has checked, {absolute path: sha256}; what else it reads; the folders that it writes to.
_read, _unchecked, _folders = {}, [], []


def record(path, content):
    """Write the record of ``path``, whose bytes still stand at ``content``.

    It is written before they are renamed: a process that is killed in between leaves a file that is refused, never a
    wrong one that is believed.
    """
    path = os.path.abspath(path)
    _read.pop(path, None)
    folder = os.path.dirname(path)
    document = {
        "by": command(),
        "cpu": cpu(),
        "read": {os.path.relpath(other, folder): digest for other, digest in _read.items()},
    }
    files.write_json(_place(path), {**document, **_state(content)}, recorded=False)


def command():
    """Return the name of the command that this process runs."""
    return os.path.splitext(os.path.basename(sys.argv[0]))[0]


def checked(path):
    """Return ``path`` as it is, after checking it, or the folder around it that was made as a whole.

    What was checked is noted as read by whatever this process makes from then on. A path without a record is a
    stranger's and is only noted. To be used as ``type`` of an argument.

    Raises:
        UserError: when the file or folder is not as it was made.
    """
    owner = _owner(path)
    noted = os.path.abspath(owner or path)
    if noted in _read:
        return path
    if owner:
        known = _load(owner)
        wrong = mismatch(owner, known)
        if wrong:
            raise UserError(wrong)
        _read[noted] = known["sha256"]
    elif os.path.exists(path):
        _read[noted] = folders.digest(path)
    return path


def unchecked(path):
    """Return ``path`` as it is, of which only the place is noted. To be used as ``type`` of an argument."""
    _unchecked.append(path)
    return path


def output(path):
    """Return the path of a file to be made, the folder of which is noted. To be used as ``type`` of an argument."""
    _folders.append(os.path.dirname(os.path.abspath(path)))
    return path


def output_folder(path):
    """Return the path of a folder in which files are to be made, and note it. To be used as ``type`` of an argument."""
    _folders.append(os.path.abspath(path))
    return path


def places():
    """Return the paths that this process reads, with their records, and the folders that it writes to."""
    # A stranger's file may have parts beside it.
    around = [os.path.dirname(path) for path in _read if not (_owner(path) or os.path.isdir(path))]
    return [*_read, *_unchecked, *map(_place, [*_read, *_unchecked]), *around], list(_folders)


def noted(path):
    """Return the digest of what this process has read: a path, or the folder around it that was made as a whole."""
    return _read.get(os.path.abspath(_owner(path) or path))


def origin(path):
    """Return which command made a file, and ``{path: sha256}`` of what that had read; of a stranger's None and {}."""
    known = _load(path) or {"by": None, "read": {}}
    folder = os.path.dirname(path)
    return known["by"], {os.path.normpath(os.path.join(folder, name)): value for name, value in known["read"].items()}


def changed(path):
    """Tell whether a file or folder is not as it was made; nobody knows that of a stranger's."""
    known = _load(path)
    return bool(known and mismatch(path, known))


def part_of(folder):
    """Note that a folder that was made as a whole, such as a data set, is read in part, without checking all of it."""
    owner = _owner(folder)
    if owner:
        _read[os.path.abspath(owner)] = _load(owner)["sha256"]


def check_member(folder, name):
    """Check one file of a folder that was made as a whole, and note that the folder is read.

    Raises:
        UserError: when the file is not as it was made.
    """
    part_of(folder)
    owner, path = _owner(folder), os.path.join(folder, name)
    if owner:
        listed = _load(owner).get("files", {})
        if listed.get(os.path.relpath(path, owner)) != files.digest(path):
            raise UserError(f"{path}: was changed after it was made; {restore(owner)}")


def restore(path):
    """Return what to do to get a file or folder again as it was."""
    return f"restore it by `snakemake -j1 --force {path}`"


def mismatch(path, known):
    """Return a line that says in which file ``path`` differs from its record ``known``, or None."""
    if not os.path.exists(path):
        return "{}: was removed after {} made it; {}".format(path, known["by"], restore(path))
    found = _state(path)
    if found["sha256"] == known["sha256"]:
        return None
    before, now = known.get("files", {}), found.get("files", {})
    changed = [name for name in sorted({**before, **now}) if before.get(name) != now.get(name)]
    file = os.path.join(path, changed[0]) if changed else path
    more = f", as were {len(changed) - 1} more files," if len(changed) > 1 else ""
    return "{}: was changed{} after {} made it; {}".format(file, more, known["by"], restore(path))


class Lineage:
    """The records from made files back to the downloads.

    Args:
        cache: folder of the downloads, files without a record, which only need the digest that their reader found. It
            may have been emptied since.

    Attributes:
        records: ``{path: record}`` of everything that was looked at and has one.
        downloads: ``{path: sha256}`` of the files of the cache that were read.
    """

    def __init__(self, cache):
        self.records, self.downloads = {}, {}
        self._cache, self._wrong = os.path.abspath(cache), {}

    def wrong(self, path):
        """Return ``{path: line}`` of what is not as it was made or read: a file and everything that it was made of."""
        path = os.path.normpath(path)
        if path not in self._wrong:
            self._wrong[path] = {}
            self._wrong[path] = self._look(path)
        return self._wrong[path]

    def _look(self, path):
        known = _load(path)
        if known is None:
            return {path: f"{path}: has no record of who made it; {restore(path)}"}
        self.records[path] = known
        line = mismatch(path, known)
        found = {path: line} if line else {}
        for name, digest in known["read"].items():
            other = os.path.normpath(os.path.join(os.path.dirname(path), name))
            if os.path.dirname(os.path.abspath(other)) == self._cache:
                self.downloads[other] = digest
                if os.path.exists(other) and files.digest(other) != digest:
                    found[other] = "{}: was changed after {} read it; {}".format(other, known["by"], restore(path))
                continue
            found.update(self.wrong(other))
            if other in self.records and self.records[other]["sha256"] != digest:
                found.setdefault(path, f"{path}: was made from another {other}; {restore(path)}")
        return found


@functools.lru_cache(maxsize=None)
def cpu():
    """Return the machine's architecture and those of its instruction sets that kernels choose by."""
    features = set()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            found = re.search(r"^(?:flags|Features)\s*:(.*)$", file.read(), re.MULTILINE)
        features = set(found.group(1).split()) if found else set()
    return {"machine": platform.machine(), "features": sorted(features.intersection(_CPU_FLAGS))}


def _place(path):
    """Return where the record of a path stands."""
    folder, name = os.path.split(os.path.normpath(path))
    return os.path.join(folder, _FOLDER, f"{name}.json")


def _owner(path):
    """Return the nearest of a path and the folders around it that has a record, or None."""
    path = os.path.normpath(path)
    while not os.path.exists(_place(path)):
        above = os.path.dirname(path)
        if above in ("", path):
            return None
        path = above
    return path


def _load(path):
    """Return the record of a path, or None."""
    place = _place(path)
    try:
        known = files.read_json(place)
        return {key: known[key] for key in ("by", "cpu", "read", "sha256", "files") if key != "files" or key in known}
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError):
        raise UserError(f"{place}: is damaged, so nobody knows who made {path}; {restore(path)}") from None


def _state(path):
    """Return the digest of a file; of a folder, also those of the files inside."""
    if not os.path.isdir(path):
        return {"sha256": files.digest(path)}
    inside = folders.digests(path)
    return {"files": inside, "sha256": folders.joined(inside)}
