"""What every command does around its work: shut itself in, be watched, and report errors in one line."""

import contextlib
import os
import shutil
import sys
import tempfile

from zoomill import disk, made, sandbox, supervisor
from zoomill.errors import UserError
from zoomill.printable import printable

# Seconds for one step, and megabytes. The workflow's stand in the environment, as they change no output.
LIMITS = {"ZOOMILL_TIME_LIMIT": 300, "ZOOMILL_MEMORY_LIMIT": 8000}
_FILE_SIZE = 1 << 36
# How this process is to be shut in once it knows its files; None where it is not, as in tests.
_shut_in = None
# What this process works on and where it writes: the model, where it was told, and the first of its files or folders.
_subject = _output = "?"


def run(main, argv=None, network=sandbox.NONE):
    """Call ``main(argv)`` in a process that is shut in and watched, and exit: 0, or 1 with one line on stderr.

    Args:
        main: function that calls :func:`parse`, or :func:`shut_in`, before it opens any file.
        argv: list of arguments, None for the process's own.
        network: of :mod:`zoomill.sandbox`.
    """
    seconds, megabytes = (int(os.environ.get(name, usual)) for name, usual in LIMITS.items())
    if network == sandbox.ANY:  # whoever fetches minds the pace of servers
        seconds = None
    try:
        folder = tempfile.mkdtemp(prefix="zoomill-")
    except OSError as error:
        sys.exit(f"error: no folder for temporary files: {error}; set TMPDIR to one with room")
    try:
        supervisor.watch(lambda: _work(main, argv, network, folder), seconds, megabytes)
    except UserError as error:
        sys.exit(_lines(error))
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def parse(parser, argv=None):
    """Return the parsed arguments; from then on the process has only the files that they name, if :func:`run` runs it.

    Args:
        parser: argparse.ArgumentParser, whose arguments are of type :func:`zoomill.made.checked`,
            :func:`zoomill.made.unchecked` or :func:`zoomill.made.output` where they are files.
        argv: list of arguments, None for the process's own.
    """
    args = parser.parse_args(argv)
    shut_in(args)
    return args


def shut_in(args):
    """Give all up but the files that the parsed arguments name, if :func:`run` runs this process."""
    global _subject, _output  # noqa: PLW0603
    reads, writes = made.places()
    file, folder = (os.path.relpath([*places, "?"][0]) for places in ([*reads, *writes], writes))
    model = getattr(args, "model", None)
    title = "" if model in (None, file) else f"{model}: "
    _subject, _output = title + file, title + folder
    supervisor.tell(_subject)
    if _shut_in:
        _shut_in()


def _work(main, argv, network, folder):
    global _shut_in  # noqa: PLW0603
    tempfile.tempdir = os.environ["TMPDIR"] = folder
    if network != sandbox.ANY:  # programs keep caches there, and users their keys
        os.environ["HOME"] = folder
    _limit_files()

    def _shut_in():
        reads, writes = made.places()
        if network == sandbox.ANY:  # a card and settings of the network name files of the user
            reads.append("/")
        sandbox.enter(reads, [*writes, folder], network)

    try:
        main(argv)
    except UserError as error:
        sys.exit(_lines(error))
    except MemoryError:
        raise SystemExit("error: {}".format(printable(f"{_subject}: needs more memory than there is"))) from None
    except OSError as error:
        if not disk.is_told(error):
            raise
        error.filename = error.filename or _output
        raise SystemExit(f"error: {printable(disk.sentence(error))}") from None


def _lines(error):
    """Return what stands on the terminal for a UserError."""
    return "\n".join(f"error: {printable(str(line))}" for line in error.args)


def _limit_files():
    """Let no file grow without end, and no crash leave its memory on the disk."""
    with contextlib.suppress(ImportError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        size = _FILE_SIZE if hard == resource.RLIM_INFINITY else min(hard, _FILE_SIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
