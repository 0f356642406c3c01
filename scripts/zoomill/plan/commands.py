"""Commands of scripts/ that the front door runs in processes of their own, shut in as in a run."""

import json
import os
import subprocess
import sys

from zoomill.errors import UserError
from zoomill.yaml_file import load_yaml


def line(root, name, *arguments):
    """Return the command line of a command of scripts/, ``root`` being the repository's folder."""
    return [sys.executable, os.path.join(root, f"scripts/{name}.py"), *map(str, arguments)]


def inspect(root, path, weights=None):
    """Return the report about a model file: see :mod:`zoomill.inspect.report`.

    Raises:
        UserError: what the command says when the file is refused.
    """
    flags = ["--weights", weights] if weights else []
    command = line(root, "inspect_model", path, "--json", "-", *flags)
    process = subprocess.run(command, capture_output=True, check=False)
    if process.returncode:
        said = process.stderr.decode(errors="replace").splitlines() or [f"{path}: cannot be inspected"]
        raise UserError(said[-1].removeprefix("error: "))
    return json.loads(process.stdout)


def fetch(root, name, entries, folder):
    """Fetch files as the card ``name`` would, into ``<folder>/files``; the workflow's cache keeps them for the build.

    Args:
        root: folder of the repository.
        name: of the model, for messages.
        entries: files as a card lists them.
        folder: an existing one, empty but for what was fetched before.

    Returns:
        The folder, and ``{file: {"size": bytes, "sha256": digest}}`` of those whose entry has ``digest: null``.

    Raises:
        SystemExit: when that fails; the command has then said why.
    """
    output, lock = os.path.join(folder, "files"), os.path.join(folder, "lock")
    flags = ("--model", name, "--files", json.dumps(entries), "--cache", os.path.join(root, "sources/.cache"))
    command = line(root, "fetch_source", *flags, "--lock", lock, "--new-digests", lock, "--output", output)
    status = subprocess.run(command, stdout=sys.stderr, check=False).returncode
    if status:
        sys.exit(status)
    return output, load_yaml(lock).get(name, {}) if os.path.exists(lock) else {}
