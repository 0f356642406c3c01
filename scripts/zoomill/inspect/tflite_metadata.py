"""What the Task Library's writers put into a .tflite file: a buffer of metadata, and a ZIP of files at the end."""

import io
import re
import zipfile

from zoomill import label_files
from zoomill.errors import UserError

ENTRY = "TFLITE_METADATA"
# A ZIP with labels is far smaller; what is before is not looked at.
_TAIL = 1 << 22
_LABELS = re.compile(r"[^/]*label[^/]*\.txt", re.I)


def packed(data):
    """Return ``{name: function that returns its content}`` of the files in the ZIP at the end of a .tflite file.

    Args:
        data: content of the file.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data[-_TAIL:]))
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return {}
    return {info.filename: lambda info=info: _content(archive, info) for info in archive.infolist()}


def labels(data):
    """Return the labels that are packed into a .tflite file, without a background, and their offset.

    Args:
        data: content of the file.

    Returns:
        List of text, what to add to a column's number for its label, and sentences about what was found; no labels
        where there is not one file of them that can be read.
    """
    found = packed(data)
    names = [name for name in found if name.isprintable() and _LABELS.fullmatch(name.rpartition("/")[2])]
    if len(names) > 1:
        return [], 0, [f"the source has several files of labels packed in, and none is taken: {', '.join(names)[:300]}"]
    try:
        for name in names:
            read, offset = label_files.split(label_files.parse(found[name](), name))
            return read, offset, [f"labels are those of {name}, which is packed into the source"]
    except UserError as error:
        return [], 0, [f"labels that are packed into the source are not taken: {error}"]
    return [], 0, []


def _content(archive, info):
    if info.file_size > label_files.MOST_BYTES:
        raise UserError(f"{info.filename}: has {info.file_size} bytes")
    try:
        return archive.read(info)
    except Exception as error:  # zipfile raises many kinds for a damaged or encrypted member
        raise UserError(f"{info.filename}: cannot be unpacked: {error}") from error
