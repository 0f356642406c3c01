"""Unpack tar and zip archives that nobody vouches for.

Nothing but regular files is ever created, under names that were all checked before the first was written.
Modes, owners and times of the archive are not taken over. A link to a file of the same archive becomes a copy
of it; any other link, a device or a pipe refuses the archive. So do the limits below: a bomb meets them while
it is listed, before anything is unpacked.
"""

import bz2
import contextlib
import dataclasses
import fnmatch
import gzip
import itertools
import lzma
import os
import posixpath
import shutil
import stat
import struct
import tarfile
import unicodedata
import zipfile
import zlib

from zoomill.errors import UserError

MAX_BYTES = 4 << 30  # unpacked; the largest detection checkpoints of the public zoos have about 1.5 GB
MAX_RATIO = 200  # unpacked to packed; deflate ends at 1032, weights stay below 20
FREE_BYTES = 64 << 20  # unpacked; MAX_RATIO counts from here on, for small models full of zeros
MAX_MEMBERS = 10_000
MAX_PATH = 512  # bytes of a whole path
MAX_NAME = 255  # bytes of one part of it, the limit of ext4, APFS and NTFS
MAX_HEADER = 1 << 20  # bytes that tarfile may take at once: it keeps long names and pax headers in memory

_DECOMPRESSORS = ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\x00", lzma.open))
_DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
)


@dataclasses.dataclass(frozen=True)
class _Member:
    """A member of an archive; ``target`` is the path inside the archive that a link names, else None."""

    path: str
    size: int
    folder: bool
    target: str | None
    handle: tarfile.TarInfo | zipfile.ZipInfo


def unpack(archive, folder, strip=0, only=()):
    """Unpack a tar (plain, gz, bz2, xz) or zip archive, told by its content.

    Args:
        archive: path of the archive.
        folder: an existing folder; what is in it stays as it is.
        strip: number of leading path components to drop; members with no more than that are left out.
        only: shell patterns for the stripped paths, of which ``*`` also matches ``/``; empty for all files.

    Raises:
        UserError: when the archive is refused or damaged, when a pattern matches nothing, or when a file is
            already in the folder. The folder may then hold some of the files.
    """
    with _damage_told(), _opened(archive) as (members, opened):
        limit = _limit(archive)
        listed = _checked(members, limit)
        chosen = _chosen(listed, strip, only)
        if sum(member.size for member in chosen.values()) > limit:
            raise UserError("has links that unpack to more than %d MiB" % (limit >> 20))
        for path, member in chosen.items():
            destination = os.path.join(folder, path)
            try:
                os.makedirs(os.path.dirname(destination), exist_ok=True)
                with open(destination, "xb") as file, opened(member.handle) as content:
                    shutil.copyfileobj(content, file)
            except (FileExistsError, NotADirectoryError):
                raise UserError("holds %s, as does another file of the card" % shown(path)) from None


def inside(name):
    """Return a relative path without empty and ``.`` parts, ``""`` for the folder itself.

    Raises:
        UserError: for a path that is absolute or too long, or has a ``..``, backslash or control character.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    try:
        lengths = [len(part.encode()) for part in parts]
    except UnicodeEncodeError:
        raise UserError("the path %s is not UTF-8" % shown(name)) from None
    if name.startswith("/") or ".." in parts:
        raise UserError("the path %s leads out of the folder" % shown(name))
    if "\\" in name or any(unicodedata.category(letter) == "Cc" for letter in name):
        raise UserError("the path %s has a backslash or a control character" % shown(name))
    if max(lengths, default=0) > MAX_NAME or sum(lengths) + len(lengths) > MAX_PATH:
        raise UserError("the path %s is too long" % shown(name))
    return "/".join(parts)


def collision(paths):
    """Return two of the relative paths that cannot stand side by side, or None.

    Such are equal paths, also when only letter case tells them apart, which some file systems ignore, and a
    path that is a folder of another.
    """
    ordered = sorted((path.casefold().split("/"), path) for path in paths)
    for (first, one), (second, other) in itertools.pairwise(ordered):
        if second[: len(first)] == first:
            return one, other
    return None


def shown(name):
    """Return a foreign name as it may stand in a message: on one line, without control codes, not endless."""
    return repr(name if len(name) <= 100 else name[:100] + "…")


def _limit(archive):
    return min(MAX_BYTES, max(FREE_BYTES, MAX_RATIO * os.path.getsize(archive)))


@contextlib.contextmanager
def _damage_told():
    try:
        yield
    except _DAMAGE as error:
        raise UserError("is damaged, or not a tar or zip archive (%s)" % error) from None
    except OSError as error:
        if error.errno is not None:
            raise
        # gzip and bz2 report damaged data in this way.
        raise UserError("is damaged (%s)" % error) from None


@contextlib.contextmanager
def _opened(archive):
    """Yield the members and the function that opens one of them by its handle."""
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(open(archive, "rb"))
        magic = file.read(6)
        file.seek(0)
        if magic.startswith(b"PK"):
            packed = stack.enter_context(zipfile.ZipFile(file))
            yield (_zip_member(packed, info) for info in packed.infolist()), packed.open
            return
        for prefix, decompress in _DECOMPRESSORS:
            if magic.startswith(prefix):
                file = stack.enter_context(decompress(file))
        stream = _Bounded(file, _limit(archive) + MAX_MEMBERS * 4 * tarfile.BLOCKSIZE)
        packed = stack.enter_context(tarfile.open(fileobj=stream, mode="r:"))
        yield (_tar_member(info) for info in packed), packed.extractfile


class _Bounded:
    """A decompressed stream for tarfile, which neither goes further nor reads more at once than is sound."""

    def __init__(self, stream, limit):
        self._stream = stream
        self._limit = limit
        self.tell = stream.tell

    def seek(self, position):
        if position > self._limit:
            raise UserError("unpacks to more than %d MiB" % (self._limit >> 20))
        return self._stream.seek(position)

    def read(self, size):
        if size > MAX_HEADER:
            raise UserError("has a header of more than %d MiB" % (MAX_HEADER >> 20))
        return self._stream.read(size)


def _tar_member(info):
    if not (info.isreg() or info.isdir() or info.issym() or info.islnk()):
        raise UserError("holds a device, pipe or unknown kind of file, %s" % shown(info.name))
    target = None
    if info.issym():
        target = _target(info.name, posixpath.join(posixpath.dirname(info.name), info.linkname))
    elif info.islnk():
        target = _target(info.name, info.linkname)
    return _Member(inside(info.name), 0 if target else info.size, info.isdir(), target, info)


def _zip_member(packed, info):
    # The upper half holds Unix mode bits; an archive made on another system leaves them 0.
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
        raise UserError("holds a device, pipe or unknown kind of file, %s" % shown(info.filename))
    if info.flag_bits & 1:
        raise UserError("is encrypted")
    target = None
    if kind == stat.S_IFLNK:
        if info.file_size > MAX_PATH:
            raise UserError("holds a link %s whose target is too long" % shown(info.filename))
        text = packed.read(info).decode("utf-8", "replace")
        target = _target(info.filename, posixpath.join(posixpath.dirname(info.filename), text))
    folder = info.is_dir() or kind == stat.S_IFDIR
    return _Member(inside(info.filename), 0 if target else info.file_size, folder, target, info)


def _target(name, path):
    """Return where a link leads to. No link is ever created, so ``..`` can be resolved in the text."""
    path = posixpath.normpath(path)
    if path.split("/")[0] in ("", ".."):
        raise UserError("holds a link %s that leads out of the folder" % shown(name))
    return path


def _checked(members, limit):
    """Return the files and links, after a look at all members; a bomb ends while it is listed."""
    listed, size = [], 0
    for count, member in enumerate(members, 1):
        size += member.size
        if count > MAX_MEMBERS:
            raise UserError("holds more than %d files" % MAX_MEMBERS)
        if size > limit:
            raise UserError("unpacks to more than %d MiB" % (limit >> 20))
        if not member.folder:
            listed.append(member)
    return listed


def _chosen(listed, strip, only):
    """Return ``{path to be written: member with its content}`` of what ``strip`` and ``only`` leave."""
    files = {member.path: member for member in listed if member.target is None}
    chosen, unmatched = [], set(only)
    for member in listed:
        path = "/".join(member.path.split("/")[strip:])
        matching = [pattern for pattern in only if fnmatch.fnmatchcase(path, pattern)]
        unmatched.difference_update(matching)
        if path and (matching or not only):
            source = files.get(member.target or member.path)
            if source is None:
                raise UserError("holds a link %s that leads to no file of the archive" % shown(member.path))
            chosen.append((path, source))
    if unmatched or not chosen:
        missing = " ".join(map(shown, sorted(unmatched)))
        raise UserError("holds no file for %s" % (missing or "strip: %d" % strip))
    if clash := collision(path for path, _ in chosen):
        raise UserError("holds %s beside %s" % (shown(clash[0]), shown(clash[1])))
    return dict(chosen)
