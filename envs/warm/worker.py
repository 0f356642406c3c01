"""A process that has imported what is heavy, and forks for each job; see client.py, which starts it.

It dies with the run that it belongs to, and its jobs with it. Without jobs it ends when nobody has asked for a while,
or somebody wants its memory. It runs nothing itself, and imports nothing of this repository but its two modules here.
"""

import atexit
import contextlib
import ctypes
import gc
import importlib
import os
import re
import resource
import select
import signal
import socket
import sys
import time
import traceback
import types

import client

_IDLE = 20  # seconds without a job
_SELECTED = 1024  # FD_SETSIZE of <sys/select.h>
_PATIENCE = 2  # seconds that jobs have to end when the run is over
_GLANCE = 0.5  # seconds between two looks at the run while modules are imported
_OWN_FILES = 16  # the most that are open besides two for each job
_PARENT_DEATH_SIGNAL = 1  # <linux/prctl.h>
_DO_NOT_NEED = 4  # <linux/mman.h>
# In /proc/self/smaps, a part of a file that cannot be written to, and holds no page of our own.
_UNCHANGED = r"^(\w+)-(\w+) r-[x-]p \w+ \S+ [1-9].*(?:\n[A-Z].*)*?\nAnonymous: +0 kB$"
_libc = ctypes.CDLL(None)


class Worker:
    """Takes requests from a socket.

    Args:
        listener: the socket.
        owner: pidfd of the run.
        name: of the socket, which says who may ask.
        modules: what is imported.
    """

    def __init__(self, listener, owner, name, modules):
        self._listener, self._owner, self._name, self._modules = listener, owner, name, modules
        self._jobs = {}  # {pidfd: (number of the process, connection)}
        # As many as select can watch. Who comes too many waits.
        self._most = (min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], _SELECTED) - _OWN_FILES) // 2
        self._wanted = True

    def serve(self):
        """Answer until the run is over, or nobody wants this process; in a job, return its arguments."""
        while self._wanted:
            links = {link: process for process, link in self._jobs.values() if link.fileno() >= 0}
            waited = [self._owner, *self._jobs, *links]
            if len(self._jobs) < self._most:
                waited.append(self._listener)
            ready, _, _ = select.select(waited, [], [], None if self._jobs else _IDLE)
            if self._owner in ready or not ready:
                return None
            for pidfd in filter(self._jobs.__contains__, ready):
                self._finish(pidfd)
            for link in filter(links.__contains__, ready):
                if link.fileno() >= 0:  # that of a job which has just ended is closed, and its number another one's
                    self._pass_on(link, links[link])
            if self._listener in ready and (arguments := self._begin()):
                return arguments
        return None

    def stop(self):
        """Stop all jobs; those that do not stop die with this process."""
        for process, _ in self._jobs.values():
            os.kill(process, signal.SIGTERM)
        end = time.monotonic() + _PATIENCE
        while self._jobs and time.monotonic() < end:
            for pidfd in select.select(list(self._jobs), [], [], _GLANCE)[0]:
                self._finish(pidfd)

    def _begin(self):
        """Start a job for whoever asks; return its arguments in the job, and None elsewhere."""
        link = None
        try:
            link, _ = self._listener.accept()
            with _Files() as files:
                link.settimeout(_PATIENCE)
                arguments = self._receive(link, files)
                parent = os.getpid()
                process = os.fork()
                if not process:
                    self._become_job(parent, link, files)
                    return arguments
        except OSError as error:  # the client has gone, or may not ask; it runs cold if it lives
            print(error, file=sys.stderr, flush=True)
            if link:
                link.close()
            self._wanted = bool(self._jobs)
            return None
        self._jobs[os.pidfd_open(process)] = process, link
        with contextlib.suppress(OSError):  # a client that has gone is noticed in time
            link.sendall(process.to_bytes(4, "big"))
        return None

    def _receive(self, link, files):
        """Return the arguments of a request, and put its files into ``files``.

        Raises:
            OSError: when its sender is not just like the one that started this process; jobs, for one, are shut in.
        """
        peer = int.from_bytes(link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)[:4], sys.byteorder)
        if client.socket_name(peer, self._modules) != self._name:
            raise PermissionError(f"process {peer} may not ask")
        size, given, _, _ = socket.recv_fds(link, 4, 4)
        files += given
        data, size = b"", int.from_bytes(size, "big")
        while len(data) < size and (more := link.recv(size - len(data))):
            data += more
        if len(given) != 4 or len(data) != size:
            raise ConnectionError("a request that is cut short")
        return list(map(os.fsdecode, data.split(b"\0")))

    def _finish(self, pidfd):
        """Tell how a job ended."""
        process, link = self._jobs.pop(pidfd)
        os.close(pidfd)
        _, status = os.waitpid(process, 0)
        with contextlib.suppress(OSError):
            link.sendall(status.to_bytes(4, "big"))
        link.close()

    def _pass_on(self, link, process):
        """Pass the client's signals on; one that is gone stops its job."""
        try:
            received = link.recv(64)
        except OSError:
            received = b""
        if not received:
            link.close()
        for number in received or [signal.SIGTERM]:
            if number in client.FORWARDED:
                os.kill(process, number)

    def _become_job(self, parent, link, files):
        """Close what a job has no business with, and take what the client gave; never return without."""
        try:
            _die_with(parent)
            for pidfd, (_, other) in self._jobs.items():
                os.close(pidfd)
                other.close()
            link.close()
            self._listener.close()
            os.close(self._owner)
            _take_over(files)
        except BaseException:
            traceback.print_exc()
            os._exit(1)


class _Files(list):
    """Descriptors that are closed in the end."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for number in self:
            os.close(number)
        self.clear()


def _take_over(files):
    """Give this process the client's folder and streams, and a random state of its own."""
    *streams, folder = files
    os.fchdir(folder)
    for number, stream in zip(streams, client.STREAMS, strict=True):
        os.dup2(number, stream)
    if "numpy.random" in sys.modules:  # that of Python sees to it itself
        sys.modules["numpy.random"].seed()


def _die_with(parent):
    _libc.prctl(_PARENT_DEATH_SIGNAL, ctypes.c_ulong(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:  # it died before
        os._exit(1)


def _run(arguments):
    """Run a script as ``python SCRIPT ARGUMENT …`` does, and leave this process."""
    script = os.path.abspath(arguments[0])
    sys.argv = arguments
    sys.path.insert(0, os.path.dirname(script))
    module = types.ModuleType("__main__")
    module.__file__ = script
    sys.modules["__main__"] = module
    status = 1
    try:
        with open(script, "rb") as file:
            code = compile(file.read(), script, "exec")
        exec(code, module.__dict__)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException as error:
        traceback.print_exception(type(error), error, error.__traceback__.tb_next)
        if isinstance(error, KeyboardInterrupt):
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        with contextlib.suppress(BaseException):
            atexit._run_exitfuncs()
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status & 0xFF)


def _import(modules, owner):
    """Import the modules, unless the run ends in between.

    Raises:
        RuntimeError: when they leave threads behind, which a fork would lose.
    """

    def look(*_):
        if select.select([owner], [], [], 0)[0]:
            os._exit(0)

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, _GLANCE, _GLANCE)
    for name in modules:
        importlib.import_module(name)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    child = os.fork()  # which libraries prepare for: OpenBLAS stops its threads
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    threads = len(os.listdir("/proc/self/task"))
    if threads > 1:
        raise RuntimeError(f"{' '.join(modules)}: {threads} threads run, so this process cannot be forked")
    gc.collect()
    gc.freeze()
    _let_go()


def _let_go():
    """Give up the pages of files that are as in the file: a fork finds those that it needs where the kernel keeps them.

    They are most of the memory of a process that has imported TensorFlow.
    """
    with open("/proc/self/smaps") as file:
        unchanged = re.findall(_UNCHANGED, file.read(), re.MULTILINE)
    for place in unchanged:
        begin, end = (int(address, 16) for address in place)
        _libc.madvise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), _DO_NOT_NEED)


def main():
    """Serve jobs, and run one in each fork."""
    listener, folder, name, owner, *modules = sys.argv[1:]
    listener, folder = socket.socket(fileno=int(listener)), int(folder)
    for number in (listener.fileno(), folder):
        os.set_inheritable(number, False)
    # Whoever imports modules of these names means others.
    del sys.modules["client"], sys.modules["heavy"]
    sys.path[:] = [path for path in sys.path if path != client.HERE]
    try:
        owner = os.pidfd_open(int(owner))
        _import(modules, owner)
    except Exception:
        traceback.print_exc()
        os.symlink(f"{name}.log", f"{name}.cold", dir_fd=folder)
        os.rename(f"{name}.cold", name, src_dir_fd=folder, dst_dir_fd=folder)
        os._exit(1)
    worker = Worker(listener, owner, name, tuple(modules))
    if arguments := worker.serve():
        os.close(folder)
        _run(arguments)
    with contextlib.suppress(OSError):
        os.unlink(name, dir_fd=folder)
    worker.stop()
    os._exit(0)


main()
