"""A process shut in: what it may read and write, and that it has no network. There is no way back out.

Every layer stands alone, and what the kernel lacks is left out (:func:`missing` says what):

- Landlock, for files, TCP, signals and abstract sockets (kernel.org/doc/html/latest/userspace-api/landlock.html);
- a network namespace of its own, as root or through a user namespace;
- seccomp, for sockets and for calls that no network needs: tracing, mounting, kernel modules, io_uring and their like.

Must run under Python 3.7.
"""

import contextlib
import ctypes
import errno
import fcntl
import os
import platform
import signal
import socket
import struct
import sys

# What a process may use of the network.
NONE, LOOPBACK, ANY = "none", "loopback", "any"

# What every program needs of the system: its libraries, fonts, and what the C library looks up.
_SYSTEM = (
    *("/usr", "/lib", "/lib64", "/bin", "/sbin", "/opt", "/nix/store", "/sys", "/var/cache/fontconfig"),
    *("/etc/alternatives", "/etc/fonts", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime"),
    *("/etc/group", "/etc/hosts", "/etc/nsswitch.conf", "/etc/passwd", "/etc/ssl", "/etc/chromium", "/etc/chromium.d"),
    # Not all of /proc: Landlock lets the environments of other processes be read there.
    *("/proc/cpuinfo", "/proc/filesystems", "/proc/loadavg", "/proc/meminfo", "/proc/stat", "/proc/sys"),
    *("/proc/uptime", "/proc/version"),
)
_DEVICES = tuple(f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom"))
_CODE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# <linux/landlock.h>: rights over files in the order of their bits, with the ABI that brought the later ones.
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_MAKE_DEVICES = 1 << 6 | 1 << 11  # character and block devices
_TRUNCATE, _IOCTL_DEVICE = 1 << 14, 1 << 15
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: 1 << 13, 3: _TRUNCATE, 5: _IOCTL_DEVICE}
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEVICE  # those that a plain file can have
_TCP, _SCOPES = 3, 3  # bind and connect (ABI 4); abstract sockets and signals (ABI 6)
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on all machines
_BENEATH = 1

# <linux/prctl.h>, <linux/sched.h>, <linux/sockios.h>
_PARENT_DEATH_SIGNAL, _SECCOMP, _NO_NEW_PRIVILEGES, _SUBREAPER = 1, 22, 38, 36
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_SET_FLAGS, _UP = 0x8914, 1

# Calls refused everywhere, and `socket`, by machine: <asm/unistd.h>, and the constant of <linux/audit.h>.
_CALLS = {
    "x86_64": (
        0xC000003E,
        (101, 155, 165, 166, 167, 169, 175, 176, 246, 248, 249, 250, 272, 298, 304, 308, 310, 311, 313, 321, 323, 425),
        41,
    ),
    "aarch64": (
        0xC00000B7,
        (39, 40, 41, 97, 104, 105, 106, 117, 142, 217, 218, 219, 224, 241, 265, 268, 270, 271, 273, 280, 282, 425),
        198,
    ),
}
_X32 = 0x40000000  # calls of the other ABI of x86_64 begin here

_libc = ctypes.CDLL(None, use_errno=True)


def enter(reads, writes, network=NONE):
    """Shut this process, and whatever it starts from now on, in.

    Args:
        reads: files and folders that it may read, besides the program's own code, its environment and the system's
            libraries.
        writes: folders that it may also change; those that are not there are made.
        network: :data:`NONE`, :data:`LOOPBACK` (a network of its own, with nobody else in it), or :data:`ANY`.
    """
    for folder in writes:
        with contextlib.suppress(OSError):  # whoever writes there says why that is not possible
            os.makedirs(folder, exist_ok=True)
    if network != ANY and _own_network() and network == LOOPBACK:
        _raise_loopback()
    _prctl(_NO_NEW_PRIVILEGES, 1)
    # Chromium asks about processes of its own.
    _landlock([*reads, *_environment(), *(["/proc"] if network == LOOPBACK else [])], writes, network)
    _seccomp(network)


def missing():
    """Return a phrase for each layer that this machine lacks."""
    lacking = []
    if _abi() < 1:
        lacking.append("files are not shut off (the kernel has no Landlock)")
    if platform.machine() not in _CALLS:
        lacking.append(f"system calls are not filtered (unknown machine {platform.machine()})")
    if _abi() < 4 and platform.machine() not in _CALLS:
        lacking.append("the network is not shut off")
    return lacking


def follow_parent():
    """Let this process be killed when its parent ends."""
    _prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def adopt_orphans():
    """Become the parent of whatever descendants lose theirs, so that none of them can be lost."""
    _prctl(_SUBREAPER, 1)


def _environment():
    """Return what the program is made of: the system, Python, and the folders of programs and of libraries."""
    folders = [f"{_CODE}/{name}" for name in ("scripts", "web", "envs")]
    folders += [sys.prefix, sys.base_prefix, os.path.realpath(sys.executable)]
    for variable in ("PATH", "LD_LIBRARY_PATH"):
        folders += filter(os.path.isabs, os.environ.get(variable, "").split(os.pathsep))
    return [*_SYSTEM, f"/proc/{os.getpid()}", *folders]


def _own_network():
    """Move into a network namespace of one's own; return whether that is possible."""
    if _libc.unshare(_NEW_NETWORK) == 0:
        return True
    user, group = os.getuid(), os.getgid()
    if _libc.unshare(_NEW_USER | _NEW_NETWORK):
        return False
    # A process may name itself only, and its group only after it gave up changing groups.
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        with contextlib.suppress(OSError), open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    return True


def _raise_loopback():
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SET_FLAGS, struct.pack("16sh14x", b"lo", _UP))


def _abi():
    """Return the version of Landlock, 0 without."""
    return max(0, _libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(1)))


def _landlock(reads, writes, network):
    abi = _abi()
    if not abi:
        return
    handled = sum(bits for version, bits in _FILE_RIGHTS.items() if version <= abi)
    tcp = _TCP if abi >= 4 and network == NONE else 0
    scopes = _SCOPES if abi >= 6 else 0
    attributes = struct.pack("QQQ", handled, tcp, scopes)[: 8 if abi < 4 else 16 if abi < 6 else 24]
    ruleset = _libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint(0))
    if ruleset < 0:
        _fail("landlock_create_ruleset")
    for path in reads:
        _allow(ruleset, path, handled & _READ)
    for path in _DEVICES:
        _allow(ruleset, path, handled & (_READ_FILE | _WRITE_FILE | _IOCTL_DEVICE))
    for path in writes:
        _allow(ruleset, path, handled & ~(_EXECUTE | _MAKE_DEVICES | _IOCTL_DEVICE))
    if _libc.syscall(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint(0)):
        _fail("landlock_restrict_self")
    os.close(ruleset)


def _allow(ruleset, path, rights):
    """Grant rights over a file, or over a folder and all that is in it; what is not there needs none."""
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    if not os.path.isdir(path):
        rights &= _OF_FILES
    rule = struct.pack("=Qi", rights, place)
    if _libc.syscall(_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(_BENEATH), rule, ctypes.c_uint(0)):
        _fail(f"landlock_add_rule: {path}")
    os.close(place)


def _seccomp(network):
    """Refuse calls by a filter of classic BPF, which sees number and machine of each call."""
    if platform.machine() not in _CALLS:
        return
    machine, refused, create_socket = _CALLS[platform.machine()]
    if network == NONE:
        refused = (*refused, create_socket)
    load, equal, greater, end = 0x20, 0x15, 0x35, 0x06
    refuse, allow = 0x00050000 | errno.EPERM, 0x7FFF0000
    steps = [(load, 0, 0, 4), (equal, 1, 0, machine), (end, 0, 0, refuse), (load, 0, 0, 0)]
    steps += [(greater, len(refused) + 1, 0, _X32)]
    steps += [(equal, len(refused) - i, 0, number) for i, number in enumerate(refused)]
    steps += [(end, 0, 0, allow), (end, 0, 0, refuse)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(code))
    if _libc.prctl(_SECCOMP, 2, program):
        _fail("prctl(PR_SET_SECCOMP)")


def _prctl(option, value):
    if _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0):
        _fail(f"prctl({option})")


def _fail(what):
    code = ctypes.get_errno()
    raise OSError(code, f"{what}: {os.strerror(code)}")
