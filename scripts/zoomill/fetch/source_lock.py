"""sources.lock: size and digest of files whose cards give none: those of URLs as first taken.

The file is YAML, ``model: {file: {sha256: hex, size: bytes}}``, sorted, and belongs into version control.
"""

import contextlib
import fcntl
import os
import re

import yaml

from zoomill import disk, files
from zoomill.errors import UserError
from zoomill.printable import printable
from zoomill.yaml_file import load_yaml

HEADER = (
    "# Files whose cards give no digest. Those of URLs, as accepted with accept_new_digests, are binding from then\n"
    "# on; those of this machine are as they were taken last.\n"
)


@contextlib.contextmanager
def locked(path):
    """Yield ``path`` opened for reading and appending, created if need be, under an exclusive lock.

    The holder may rename or remove the file, or put another in its place: whoever waited then opens anew.
    """
    while True:
        with open(path, "a+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                    yield file
                    return


def read(path):
    """Return the entries of ``sources.lock``, ``{model: {file: {"sha256": hex, "size": bytes}}}``.

    A file that does not exist has none.

    Raises:
        UserError: when the file holds anything else.
    """
    if not os.path.exists(path):
        return {}
    try:
        entries = load_yaml(path) or {}
        for model, names in entries.items():
            for name, entry in names.items():
                _check(model, name, **entry)
    except (AttributeError, TypeError, ValueError, RecursionError, UserError) as error:
        shape = "model: {file: {sha256: hex, size: bytes}}"
        why = f" ({printable(str(error), 200)})" if isinstance(error, UserError) else ""
        raise UserError(f"{path} is not a table `{shape}`{why}; restore it from version control") from None
    return entries


def _check(model, name, sha256, size):
    texts = isinstance(model, str) and isinstance(name, str)
    if not (texts and re.fullmatch("[0-9a-f]{64}", sha256) and type(size) is int and size >= 0):
        raise ValueError


def record(path, model, found, replaced=()):
    """Make ``found``, ``{file: {"sha256": hex, "size": bytes}}``, the entries of ``model``.

    Several processes may do this at the same time.

    Args:
        path: of sources.lock.
        model: name of the model.
        found: of all of its files whose card gives no digest.
        replaced: names of those that may be others than before.

    Raises:
        UserError: when the file already holds another entry for one of the other names.
    """
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with locked(path):
        entries = read(path)
        known = entries.get(model, {})
        for name, entry in found.items():
            if name not in replaced and known.get(name, entry) != entry:
                raise UserError(f"{name}: {path} holds another digest by now; run again")
        entries[model] = found
        text = yaml.safe_dump(entries, sort_keys=True, default_flow_style=False, allow_unicode=True)
        with disk.naming(path):
            files.write_bytes(path, (HEADER + text).encode(), recorded=False)
