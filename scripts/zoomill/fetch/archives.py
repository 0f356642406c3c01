"""Unpack tar and zip archives that nobody vouches for.

Nothing but regular files is ever created, under names that were all checked before the first was written.
Modes, owners and times of the archive are not taken over. A link to a file of the same archive becomes a copy
of it; any other link, a device or a pipe refuses the archive. So do the limits below: a bomb meets them while
it is listed, before anything is unpacked. The time it takes is linear in what is read and written: a stream is gone
through once to list and once to unpack, and what is wanted twice is copied from the first place.
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

from zoomill import disk
from zoomill.errors import UserError
from zoomill.printable import printable

MAX_BYTES = 4 << 30  # unpacked; the largest detection checkpoints of the public zoos have about 1.5 GB
MAX_RATIO = 200  # unpacked to packed; deflate ends at 1032, weights stay below 20
FREE_BYTES = 64 << 20  # unpacked; MAX_RATIO counts from here on, for small models full of zeros
MAX_MEMBERS = 10_000
MAX_PATH = 512  # bytes of a whole path
MAX_NAME = 255  # bytes of one part of it, the limit of ext4, APFS and NTFS
MAX_HEADER = 1 << 16  # bytes that tarfile may take at once: it keeps long names and pax headers in memory
MAX_HEADERS = MAX_MEMBERS * 2048  # bytes of all headers of a tar
MAX_DIRECTORY = MAX_MEMBERS * 512  # bytes of the directory of a zip
MAX_PAX = 100  # entries of the pax headers of one member, global ones included; tarfile copies them for each
BLOCK = 1 << 16  # bytes that are copied at once

_DECOMPRESSORS = ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\x00", lzma.open))
_DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    MemoryError,
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
        limit, free = _limit(archive), disk.free(folder)
        chosen = _chosen(_checked(members, limit), strip, only)
        size = sum(member.size * len(paths) for member, paths in chosen)
        if size > limit:
            raise UserError(f"has links that unpack to more than {limit >> 20} MiB")
        if size > free:
            raise UserError(f"unpacks to {size >> 20} MiB, but the disk has room for {free >> 20}")
        for member, (first, *others) in chosen:
            with opened(member.handle) as content:
                _write(content, folder, first, member.size)
            for other in others:
                with open(os.path.join(folder, first), "rb") as content:
                    _write(content, folder, other, member.size)


def _write(content, folder, path, size):
    destination = os.path.join(folder, path)
    try:
        os.makedirs(os.path.dirname(destination), exist_ok=True)
        with disk.naming(destination), open(destination, "xb") as file:
            shutil.copyfileobj(content, file, BLOCK)
            if file.tell() != size:
                raise UserError(f"is damaged: {shown(path)} has another size than it says")
    except (FileExistsError, NotADirectoryError):
        raise UserError(f"holds {shown(path)}, as does another file of the card") from None


def inside(name):
    """Return a relative path without empty and ``.`` parts, ``""`` for the folder itself.

    Raises:
        UserError: for a path that is absolute or too long, or has a ``..``, backslash or control character.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    try:
        lengths = [len(part.encode()) for part in parts]
    except UnicodeEncodeError:
        raise UserError(f"the path {shown(name)} is not UTF-8") from None
    if name.startswith("/") or ".." in parts:
        raise UserError(f"the path {shown(name)} leads out of the folder")
    if "\\" in name or any(unicodedata.category(letter) in ("Cc", "Zl", "Zp") for letter in name):
        raise UserError(f"the path {shown(name)} has a backslash or a control character")
    if max(lengths, default=0) > MAX_NAME or sum(lengths) + len(lengths) > MAX_PATH:
        raise UserError(f"the path {shown(name)} is too long")
    return "/".join(parts)


def collision(paths):
    """Return two of the relative paths that cannot stand side by side, or None.

    Such are equal paths, also when only letter case or the form of accents tells them apart, which some file
    systems ignore, and a path that is a folder of another.
    """
    ordered = sorted((unicodedata.normalize("NFC", path.casefold()).split("/"), path) for path in paths)
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
        raise UserError(f"is damaged, or not a tar or zip archive ({_said(error)})") from None
    except OSError as error:
        if error.errno is not None:
            raise
        # gzip and bz2 report damaged data in this way.
        raise UserError(f"is damaged ({_said(error)})") from None


def _said(error):
    return printable(str(error) or type(error).__name__, 200)


@contextlib.contextmanager
def _opened(archive):
    """Yield the members and the function that opens one of them by its handle."""
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(open(archive, "rb"))
        magic = file.read(6)
        file.seek(0)
        if magic.startswith((b"PK\3\4", b"PK\5\6")):
            directory = _Bounded(file, os.path.getsize(archive), MAX_DIRECTORY, 2 * MAX_DIRECTORY)
            packed = stack.enter_context(zipfile.ZipFile(directory))
            directory.headers = None
            _check_spans(packed.infolist())
            yield (_zip_member(packed, info) for info in packed.infolist()), packed.open
            return
        for prefix, decompress in _DECOMPRESSORS:
            if magic.startswith(prefix):
                file = stack.enter_context(decompress(file))
        stream = _Bounded(file, _limit(archive) + MAX_HEADERS, MAX_HEADER, MAX_HEADERS)
        packed = stack.enter_context(tarfile.open(fileobj=stream, mode="r:"))
        yield _tar_members(packed, stream), packed.extractfile


class _Bounded:
    """A file for tarfile and zipfile, which believe what it says of itself.

    Args:
        stream: the file.
        limit: position that it ends before.
        at_once: bytes that may be read at once.
        headers: bytes that may be read until all members are listed.

    Attributes:
        headers: what is left of them; None ends the count.
        last: what was read last.
    """

    def __init__(self, stream, limit, at_once, headers):
        self._stream, self._limit, self._at_once = stream, limit, at_once
        self.headers, self.last = headers, b""
        self.tell, self.seekable = stream.tell, stream.seekable

    def seek(self, position, whence=os.SEEK_SET):
        if position > self._limit:
            raise UserError(f"unpacks to more than {self._limit >> 20} MiB")
        return self._stream.seek(position, whence)

    def read(self, size=None):
        if size is not None and size < 0:
            raise UserError("is damaged: it has a negative size")
        most = self._at_once if self.headers is None else min(self._at_once, self.headers)
        if size is not None and size > most:
            raise UserError(f"has headers of more than {most >> 10} KiB")
        self.last = self._stream.read(most if size is None else size)
        if self.headers is not None:
            self.headers -= len(self.last)
        return self.last


def _tar_members(packed, stream):
    for info in packed:
        yield _tar_member(info)
    # For tarfile any block that is no header ends the archive, as zeros should.
    if stream.last.strip(b"\0"):
        raise UserError(f"is damaged after {len(packed.members)} members")
    stream.headers = None


def _check_spans(infos):
    """Refuse members of a zip that share bytes: they unpack to far more than the archive holds."""
    spans = sorted((info.header_offset, info.compress_size) for info in infos)
    for (start, size), (following, _) in itertools.pairwise(spans):
        if start + zipfile.sizeFileHeader + size > following:
            raise UserError("is damaged: some of its files overlap")


def _tar_member(info):
    if not (info.isreg() or info.isdir() or info.issym() or info.islnk()):
        raise UserError(f"holds a device, pipe or unknown kind of file, {shown(info.name)}")
    if info.size < 0:
        raise UserError(f"is damaged: {shown(info.name)} has a negative size")
    if len(info.pax_headers) > MAX_PAX:
        raise UserError(f"has more than {MAX_PAX} pax headers for {shown(info.name)}")
    info.pax_headers = {}  # they are read, and could fill the memory
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
        raise UserError(f"holds a device, pipe or unknown kind of file, {shown(info.filename)}")
    if info.flag_bits & 0x2041:  # as a whole, its method, its directory
        raise UserError("is encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UserError(f"packs {shown(info.filename)} by another method than deflate")
    target = None
    if kind == stat.S_IFLNK:
        if info.file_size > MAX_PATH:
            raise UserError(f"holds a link {shown(info.filename)} whose target is too long")
        text = packed.read(info).decode("utf-8", "replace")
        target = _target(info.filename, posixpath.join(posixpath.dirname(info.filename), text))
    folder = info.is_dir() or kind == stat.S_IFDIR
    return _Member(inside(info.filename), 0 if target else info.file_size, folder, target, info)


def _target(name, path):
    """Return where a link leads to. No link is ever created, so ``..`` can be resolved in the text."""
    path = posixpath.normpath(path)
    if len(path) > MAX_PATH:
        raise UserError(f"holds a link {shown(name)} whose target is too long")
    if path.split("/")[0] in ("", ".."):
        raise UserError(f"holds a link {shown(name)} that leads out of the folder")
    return path


def _checked(members, limit):
    """Return the files and links, after a look at all members; a bomb ends while it is listed."""
    listed, size = [], 0
    for count, member in enumerate(members, 1):
        size += member.size
        if count > MAX_MEMBERS:
            raise UserError(f"holds more than {MAX_MEMBERS} files")
        if size > limit:
            raise UserError(f"unpacks to more than {limit >> 20} MiB")
        if not member.folder:
            listed.append(member)
    return listed


def _chosen(listed, strip, only):
    """Return ``[(member, [path to be written, ...]), ...]`` of what ``strip`` and ``only`` leave, in their order."""
    files = {member.path: member for member in listed if member.target is None}
    chosen, unmatched = [], set(only)
    for member in listed:
        path = "/".join(member.path.split("/")[strip:])
        matching = [pattern for pattern in only if fnmatch.fnmatchcase(path, pattern)]
        unmatched.difference_update(matching)
        if path and (matching or not only):
            source = files.get(member.target or member.path)
            if source is None:
                raise UserError(f"holds a link {shown(member.path)} that leads to no file of the archive")
            chosen.append((path, source))
    if unmatched or not chosen:
        missing = " ".join(map(shown, sorted(unmatched)))
        raise UserError(f"holds no file for {missing or f'strip: {strip}'}")
    if clash := collision(path for path, _ in chosen):
        raise UserError(f"holds {shown(clash[0])} beside {shown(clash[1])}")
    copies = {name: [] for name in files}
    for path, source in chosen:
        copies[source.path].append(path)
    return [(files[name], paths) for name, paths in copies.items() if paths]
