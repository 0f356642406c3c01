"""What keeps a hostile file from filling the memory or reaching outside its folder."""

import json
import os
from pathlib import Path

from zoomill.errors import UserError

# Protocol buffers and flatbuffers hold signed 32-bit offsets, so no sound file is larger.
BINARY_LIMIT = (1 << 31) - 1
TEXT_LIMIT = 1 << 28


def read(path, limit):
    """Return the bytes of ``path``.

    Raises:
        UserError: when the file has more than ``limit`` bytes.
    """
    size = os.path.getsize(path)
    if size > limit:
        raise UserError(f"{path}: has {size} bytes, more than the {limit} that such a file may have")
    return Path(path).read_bytes()


def parsed(text, path):
    """Return the value of a JSON text.

    Raises:
        UserError: when it is no JSON, is nested too deeply, or has a key twice, of which readers take one or the other.
    """

    def once(pairs):
        value = dict(pairs)
        if len(value) < len(pairs):
            raise ValueError("it has a key twice")
        return value

    try:
        return json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: is truncated or damaged: it holds JSON that cannot be read: {error}") from error


def member(archive, info, path):
    """Return the content of a zip file's member; deflated weights shrink to a half, so much more means a zip bomb.

    Raises:
        UserError: when it unpacks to more than a model of this size has.
    """
    if info.file_size > min(BINARY_LIMIT, 100 * info.compress_size):
        raise UserError(f"{path}: {info.filename} unpacks from {info.compress_size} to {info.file_size} bytes; refused")
    return archive.read(info)


def beside(model, location):
    """Return the path of a file that ``model`` names as a part of itself.

    Raises:
        UserError: when ``location`` leads out of the model's folder, be it by a symbolic link.
    """
    folder = Path(model).parent.resolve()
    path = (folder / location).resolve()
    if not location or "\\" in location or "://" in location or not path.is_relative_to(folder):
        raise UserError(f"{model}: keeps data in {location!r}, which is not inside the model's folder; refused")
    return path


def names_beside(model, paths):
    """Return the names of files that :func:`beside` returned, seen from the model."""
    folder = Path(model).parent.resolve()
    return [path.relative_to(folder).as_posix() for path in paths]


def missing(paths):
    """Return the report's note about files that are not there, as a list of none or one."""
    absent = [path.name for path in paths if not path.exists()]
    return [f"{len(absent)} of {len(paths)} files with weights missing: {', '.join(absent)}"] if absent else []
