"""Run ``python SCRIPT ARGUMENT …`` in a fork of a process that has imported what is heavy, or as it is.

Every job calls this in place of python, so it must start in milliseconds: it is run without the site's packages, and
imports nothing but what is built in. Must run under Python 3.7.

The warm process is found by a socket in the folder that ZOOMILL_WARM names. The socket's name is a digest of all that a
process hands down to those it starts, so that a job gets a fork of one that was started just like itself. Whoever comes
first starts it.
"""

import _blake2
import _signal
import _socket
import errno
import fcntl
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(HERE)

from heavy import IMPORTS, LARGE  # noqa: E402

STREAMS = (0, 1, 2)
FORWARDED = (_signal.SIGINT, _signal.SIGTERM)
_NUMBER = 4  # bytes of a number on the socket
# Of /proc/PID/status: what a process cannot hide, and hands down.
_STATUS = b"Umask Uid Gid Groups SigBlk SigIgn CapInh CapPrm CapEff CapBnd CapAmb NoNewPrivs Seccomp Seccomp_filters"
_STATUS = {name + b":" for name in (_STATUS + b" Cpus_allowed Mems_allowed").split()}


def handed_down(process):
    """Return the digest of what a process hands down to those it starts, besides its files and its folder.

    A process that is shut in, as our own jobs are, has another one than the process that started it.

    Args:
        process: its number.

    Raises:
        OSError: when it is gone, or somebody else's.
    """
    digest = _blake2.blake2b(digest_size=16)
    for name in ("environ", "limits", "cgroup", "status"):
        with open(f"/proc/{process}/{name}", "rb") as file:
            text = file.read()
        if name == "status":
            text = b"\n".join(line for line in text.splitlines() if line.partition(b"\t")[0] in _STATUS)
        digest.update(b"%d\n%s" % (len(text), text))
    digest.update(b"%d" % os.getpriority(os.PRIO_PROCESS, process))
    return digest.hexdigest()


def socket_name(process, modules):
    """Return the name of the socket of a warm process that has imported modules and was started like ``process``."""
    words = handed_down(process), os.uname()[1], sys.executable, modules
    return _blake2.blake2b(repr(words).encode(), digest_size=16).hexdigest()


def main():
    """Take this process's place in a warm one, or replace it by a cold one."""
    script = sys.argv[1] if len(sys.argv) > 1 else ""
    command, end = os.path.splitext(os.path.basename(script))
    owner, _, path = os.environ.get("ZOOMILL_WARM", "").partition(":")
    modules = IMPORTS.get(command)
    if path and modules and end == ".py" and os.path.exists(script):
        if _signal.getsignal(_signal.SIGINT) != _signal.SIG_IGN:
            _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
        try:
            link, job = ask(owner, path, modules)
        except OSError as error:
            note(path, f"{command} runs cold: {error}")
        else:
            follow(link, job)
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])


def note(path, line):
    """Leave a line in the log of the folder, where that is possible."""
    try:
        with open(f"{path}/log", "a") as log:
            log.write(line + "\n")
    except OSError:
        pass


def ask(owner, path, modules):
    """Have the job started; return the socket that tells of it, and the number of its process.

    Raises:
        OSError: when it has not been started.
    """
    only_streams()
    folder = private_folder(path)
    name = socket_name(os.getpid(), modules)
    try:
        return request(reach(folder, name, owner, modules))
    except ConnectionError:  # the warm process was about to end
        return request(reach(folder, name, owner, modules))


def request(link):
    """Send the request; return the socket and the number of the job's process.

    Raises:
        OSError: when no job has been started.
    """
    here = os.open(".", os.O_RDONLY)
    arguments = b"\0".join(map(os.fsencode, sys.argv[1:]))
    files = b"".join(number.to_bytes(_NUMBER, sys.byteorder) for number in (*STREAMS, here))
    link.sendmsg([len(arguments).to_bytes(_NUMBER, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)])
    link.sendall(arguments)
    os.close(here)
    job = receive(link)
    if job is None:
        raise ConnectionAbortedError("the warm process is gone, or refused it; see the logs beside this one")
    return link, job


def follow(link, job):
    """Pass signals on to the job, and end this process as it ends."""

    def forward(number, _):
        try:
            link.send(bytes([number]))
        except OSError:  # the socket tells that the job is gone
            pass

    for number in FORWARDED:
        if _signal.getsignal(number) != _signal.SIG_IGN:
            _signal.signal(number, forward)
    # Who measures this process finds there whom to measure: see scripts/zoomill/plan/warm.py.
    with open("/proc/self/comm", "w") as file:
        file.write(f"warm {job}")
    end_like(receive(link))


def only_streams():
    """Raise an OSError unless stdin, stdout and stderr, and no other file, were handed to this process."""
    for number in STREAMS:
        os.fstat(number)
    given = {int(name) for name in os.listdir("/proc/self/fd")}.difference(STREAMS)
    for number in given:
        try:
            if os.get_inheritable(number):
                raise OSError(errno.EMFILE, f"file {number} is open")
        except OSError as error:
            if error.errno != errno.EBADF:  # that of the list itself
                raise


def private_folder(path):
    """Return a descriptor of the folder of sockets, which is made if it is not there.

    Raises:
        OSError: when anybody else can get into it.
    """
    try:
        os.makedirs(path, 0o700)
    except FileExistsError:
        pass
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    found = os.fstat(folder)
    if found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise OSError(errno.EPERM, "the folder is not ours alone", path)
    return folder


def reach(folder, name, owner, modules):
    """Return a socket that is connected with the warm process of that name; it is started if there is none."""
    try:
        return connect(folder, name)
    except (FileNotFoundError, ConnectionRefusedError):
        pass
    lock = os.open("lock", os.O_RDWR | os.O_CREAT, 0o600, dir_fd=folder)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        return connect(folder, name)
    except FileNotFoundError:
        pass
    except ConnectionRefusedError:
        refusal = os.open(name, os.O_PATH, dir_fd=folder)
        if os.fstat(refusal).st_mode & 0o170000 == 0o100000:  # a file: it was tried, and cannot be
            raise OSError(errno.ENOTSUP, f"see {name}") from None
        os.unlink(name, dir_fd=folder)
    if modules in LARGE:
        make_room(folder)
    start(folder, name, owner, modules)
    link = connect(folder, name)
    os.close(lock)
    return link


def make_room(folder):
    """Have warm processes end that have no job: they do when somebody comes whom they do not serve."""
    for name in os.listdir(folder):
        try:
            connect(folder, name).close()
        except OSError:  # another file, or one that nobody listens to
            pass


def place(folder, name):
    """Return a path that is short enough for the address of a socket."""
    return f"/proc/self/fd/{folder}/{name}"


def connect(folder, name):
    """Return a socket that is connected with the one of that name, or raise an OSError."""
    link = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    link.connect(place(folder, name))
    return link


def start(folder, name, owner, modules):
    """Start the warm process, detached; whoever connects from now on waits until it has imported its modules."""
    listener = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    listener.bind(place(folder, name))
    listener.listen(128)
    log = os.open(f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600, dir_fd=folder)
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for number, stream in zip((nothing, log, log), STREAMS):
            os.dup2(number, stream)
        for number in (listener.fileno(), folder):
            os.set_inheritable(number, True)
        given = [str(listener.fileno()), str(folder), name, owner]
        os.execv(sys.executable, [sys.executable, os.path.join(HERE, "worker.py"), *given, *modules])
    finally:
        os._exit(1)


def receive(link):
    """Return the next number that the warm process sends, or None when it is gone."""
    received = b""
    while len(received) < _NUMBER:
        try:
            more = link.recv(_NUMBER - len(received))
        except ConnectionResetError:
            return None
        if not more:
            return None
        received += more
    return int.from_bytes(received, "big")


def end_like(status):
    """End this process with the wait status of another one; as if killed, when that is None."""
    number = _signal.SIGKILL if status is None else os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    if number is None:
        os._exit(os.WEXITSTATUS(status))
    if number != _signal.SIGKILL:
        _signal.signal(number, _signal.SIG_DFL)
    os.kill(os.getpid(), number)


if __name__ == "__main__":
    main()
