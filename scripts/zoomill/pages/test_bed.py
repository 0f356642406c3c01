"""Serving the test bed, web/, with models of a folder of results, to this machine alone."""

import contextlib
import glob
import os
import threading

from zoomill import files
from zoomill.errors import UserError
from zoomill.plan import javascript
from zoomill.tfjs import static_server

# One of its own, as a browser keeps what it is told of a dropped model by the address of the page.
PORT = 8117
REGISTRY = "models.json"
_PAGE = "web/index.html"
# At most so many names in a line.
_NAMED = 4


def check(results):
    """Check that a folder holds results for pages.

    Raises:
        UserError: when it does not.
    """
    if not os.path.isdir(results):
        raise UserError(f"{results}: there is no such folder; a run makes it, or name one that was copied")
    if not os.path.isfile(os.path.join(results, REGISTRY)):
        raise UserError(f"{results}: holds no {REGISTRY}; a run with `tfjs` in config.yaml makes it")


def unlisted(results):
    """Return a line about models that a folder holds and its registry does not name, nothing where there are none.

    They were built for themselves, while the registry is of the configuration.

    Raises:
        UserError: when the registry is none.
    """
    path = os.path.join(results, REGISTRY)
    try:
        entries = [entry for section in files.read_json(path)["newer"].values() for entry in section]
        named = {variant["modelPath"] for entry in entries for variant in entry["variants"].values()}
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: is no registry of models; a run with `tfjs` in config.yaml makes it") from error
    found = sorted(os.path.relpath(path, results) for path in glob.glob(f"{glob.escape(results)}/*/*.tfjs"))
    # Those that TensorFlow.js runs like Keras are a second form of what is listed.
    left = [path for path in found if path not in named and not os.path.basename(path).startswith("layers.")]
    names = ", ".join(left[:_NAMED]) + (f" and {len(left) - _NAMED} more" if len(left) > _NAMED else "")
    advice = "drop their folders on the page, or add them to `models` and `tfjs` in config.yaml and run"
    return [f"not in {REGISTRY}: {names}; {advice}"] if left else []


def missing(root):
    """Return those JavaScript packages that are not installed, as the workflow's own targets.

    Args:
        root: folder of the repository.
    """
    paths = [f"{javascript.FOLDER}/{name}" for name in javascript.BROWSER]
    return [path for path in paths if not os.path.exists(os.path.join(root, path))]


@contextlib.contextmanager
def served(root, results, port=None):
    """Serve as long as the block runs, and yield the address of the page.

    Args:
        root: folder of the repository, whose page and packages are served.
        results: the folder.
        port: of the address; None for :data:`PORT`, or where that is taken any that is free.

    Raises:
        UserError: when the port cannot be had.
    """
    folders = {static_server.TRUSTED: os.path.join(root, "web"), "results": results}
    folders["javascript"] = os.path.join(root, javascript.FOLDER)
    with contextlib.ExitStack() as stack:
        try:
            address = stack.enter_context(static_server.serve(folders, PORT if port is None else port))
        except (OSError, OverflowError) as error:
            if port is not None:
                reason = getattr(error, "strerror", None) or "a port is a number from 0 to 65535"
                raise UserError(f"--port {port}: cannot be had: {reason}") from error
            address = stack.enter_context(static_server.serve(folders))
        yield f"{address}/{_PAGE}"


def wait():
    """Return when a person ends the program."""
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
