"""What computes figures, as digests: the code that scores, what runs an artifact, and the environment of both."""

import functools
import hashlib
import importlib.metadata
import os
import re
import sys
from pathlib import Path

from zoomill import files
from zoomill.code_files import code_files
from zoomill.plan import javascript

_REPOSITORY = Path(__file__).resolve().parents[3]
# Its pins are a closure, so that kernels and decoders of pictures are among them.
_ENVIRONMENT = _REPOSITORY / "envs/evaluate.yaml"
_PIN = re.compile(r"^ *- ([\w.-]+)==?(\S+)$", re.MULTILINE)
_SCORING = _REPOSITORY / "scripts/evaluate_source.py"
# What runs an artifact besides the code of a command.
_BESIDE = {
    "evaluate_tfjs": (
        *(f"web/{name}" for name in javascript.NODE_SCRIPTS),
        *("web/package-lock.json", "envs/javascript.yaml"),
    )
}


@functools.cache
def code_digest():
    """Return a digest of the code that scores, the same for source models and artifacts."""
    return _joined(code_files(str(_SCORING)))


@functools.cache
def runner_digest(command):
    """Return a digest of the code by which a command runs what is scored, None for one that is not there."""
    script = _REPOSITORY / f"scripts/{command}.py"
    if not script.exists():
        return None
    scoring = code_files(str(_SCORING))
    beside = [str(_REPOSITORY / name) for name in _BESIDE.get(command, ())]
    return _joined([*{*code_files(str(script))}.difference(scoring), *beside])


def _joined(paths):
    lines = (f"{files.digest(path)}  {os.path.relpath(path, _REPOSITORY)}\n" for path in sorted(paths))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def environment_digest():
    """Return a digest of the packages that figures are to be computed with, by the pins of their environment."""
    return _of_versions(_pins())


def installed_digest():
    """Return that of the versions that this process has of those packages: equal where it is in that environment."""
    return _of_versions({name: _installed(name) for name in _pins()})


def _pins():
    return dict(_PIN.findall(_ENVIRONMENT.read_text(encoding="utf-8")))


def _installed(name):
    if name == "python":
        return "{}.{}".format(*sys.version_info)
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _of_versions(versions):
    lines = "".join(f"{name} {version}\n" for name, version in sorted(versions.items()))
    return hashlib.sha256(lines.encode()).hexdigest()
