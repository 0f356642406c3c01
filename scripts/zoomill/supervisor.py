"""Work in a child process, and what watches it from outside: time, memory, number of processes, and how it ends.

Native code that hangs, crashes or eats the memory cannot be stopped from inside. Must run under Python 3.7.
"""

import contextlib
import os
import select
import signal
import sys
import time
import traceback

from zoomill import sandbox
from zoomill.errors import UserError

_GLANCE = 0.25  # seconds between two looks at the memory
_PROCESSES = 1024  # more than Chromium starts on any machine
# The end of a pipe to the process that watches this one, which reads lines from it; None where nobody watches.
_watcher = None


def watch(work, seconds=None, megabytes=None):
    """Call ``work()`` in a child process; whatever that starts ends with it.

    Call it before TensorFlow has started threads: the child is forked.

    Args:
        work: function without arguments.
        seconds: how long it may take, from its start or from its last :func:`step`; None for any time.
        megabytes: how much memory it and its own children may take, without what they share; None for any.

    Raises:
        UserError: when it took too much, or was ended by a signal. It begins with what :func:`tell` told.
        SystemExit: with the child's status, when that is not 0; the child has then said why.
    """
    reader, writer = os.pipe()
    sandbox.adopt_orphans()
    others, before = _descendants(os.getpid()), signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    child = os.fork()
    if not child:
        os.close(reader)
        _child(work, writer)
    os.close(writer)
    try:
        subject, status = _look_on(child, reader, seconds, megabytes)
    finally:
        _end(others)
        os.close(reader)
        signal.signal(signal.SIGTERM, before)
    if isinstance(status, str):
        raise UserError(subject + status)
    if os.WIFSIGNALED(status):
        raise UserError(subject + ended_by(os.WTERMSIG(status)))
    if status:
        sys.exit(os.WEXITSTATUS(status))


def tell(subject):
    """Tell the watching process what this one works on, for the case that it ends without a word."""
    _write(subject.replace("\n", " "))


def step():
    """Tell the watching process that this one gets on: the time that is left begins anew."""
    _write("")


def ended_by(number):
    """Return words for the end of a process by a signal.

    Raises:
        ValueError: when there is no signal of that number.
    """
    name = signal.Signals(number).name
    words = {
        "SIGKILL": "was killed, most likely since the machine has not enough memory",
        "SIGSEGV": "crashed in native code",
        "SIGBUS": "crashed in native code",
        "SIGFPE": "crashed in native code",
        "SIGILL": "needs an instruction that this processor lacks",
        "SIGABRT": "was given up by native code; see above",
        "SIGTERM": "was told to stop",
    }
    return f"{words.get(name, 'was stopped')} (signal {number}, {name})"


def _write(line):
    if _watcher is not None:
        os.write(_watcher, line.encode(errors="replace") + b"\n")


def _child(work, writer):
    """Do the work and leave this process, never this function."""
    global _watcher  # noqa: PLW0603
    _watcher, status = writer, 1
    try:
        sandbox.follow_parent()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        work()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except KeyboardInterrupt:
        status = 130
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _look_on(child, reader, seconds, megabytes):
    """Return what the child told that it works on, and its status or why it had to be stopped."""
    begun, subject, rest = time.monotonic(), "", b""
    while True:
        if select.select([reader], [], [], _GLANCE)[0]:
            received = os.read(reader, 65536)
            begun = time.monotonic()
            *lines, rest = (rest + received).split(b"\n")
            told = [line.decode() for line in lines if line]
            subject = f"{told[-1]}: " if told else subject
            if not received:  # its end of the pipe is closed
                time.sleep(_GLANCE / 100)
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return subject, status
        if seconds and time.monotonic() - begun > seconds:
            return subject, f"stopped after the time limit of {seconds:g} s; raise `time_limit` in config.yaml"
        family = _descendants(os.getpid())
        if megabytes and sum(map(_memory, family)) > megabytes << 20:
            return subject, f"stopped at the memory limit of {megabytes:g} MB; raise `memory_limit` in config.yaml"
        if len(family) > _PROCESSES:
            return subject, f"stopped since it started more than {_PROCESSES} processes"


def _end(others):
    """Kill all descendants of this process but ``others``; those whose parents are gone are its own children."""
    while True:
        family = set(_descendants(os.getpid())).difference(others)
        if not family:
            return
        for process in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):  # not our own child, but its parent's, which is killed too
                os.waitpid(process, 0)


def _descendants(process):
    """Return the numbers of all processes below one."""
    found = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{process}/task"):
            with contextlib.suppress(OSError), open(f"/proc/{process}/task/{thread}/children") as file:
                found += map(int, file.read().split())
    return found + [further for child in found for further in _descendants(child)]


def _memory(process):
    """Return the bytes of memory that a process has for itself."""
    with contextlib.suppress(OSError, ValueError), open(f"/proc/{process}/statm") as file:
        _, resident, shared, *_ = map(int, file.read().split())
        return (resident - shared) * os.sysconf("SC_PAGE_SIZE")
    return 0
