"""A process shut in. Every attempt is also made outside, where it succeeds: else the test would show nothing."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from zoomill import sandbox

pytestmark = pytest.mark.skipif(bool(sandbox.missing()), reason=f"this machine lacks: {sandbox.missing()}")


@pytest.fixture
def places(tmp_path):
    """Folders `read` and `write`, which are granted, and `other`, which is not; each has a file."""
    for name in ("read", "write", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    (tmp_path / "write/link").symlink_to(tmp_path / "other/file")
    return tmp_path


@pytest.fixture
def attempt(places):
    """Return a function that tells whether an attempt succeeds in a process that is shut in, or outside."""

    def attempt(act, network=sandbox.NONE, inside=True):
        child = os.fork()
        if not child:
            status = 3
            try:
                if inside:
                    sandbox.enter([str(places / "read")], [str(places / "write")], network)
                act()
                status = 0
            except OSError:
                status = 4
            finally:
                os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in (0, 4)
        return status == 0

    return attempt


def program(*words):
    """Return an attempt by another program; what fails there is an OSError too."""

    def run():
        if subprocess.run(words, capture_output=True).returncode:
            raise OSError

    return run


def test_what_is_granted_can_be_done(attempt, places):
    assert attempt((places / "read/file").read_text)
    assert attempt(lambda: os.listdir(places / "read"))
    assert attempt(lambda: (places / "write/new").write_text("new"))
    assert attempt(lambda: os.rename(places / "write/new", places / "write/renamed"))
    assert attempt(lambda: os.remove(places / "write/renamed"))
    assert attempt(program(sys.executable, "-c", "import ssl, sqlite3"))


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda p: (p / "other/file").read_text(), id="read a file"),
        pytest.param(lambda p: os.listdir(p / "other"), id="list a folder"),
        pytest.param(lambda p: (p / "other/new").write_text(""), id="make a file"),
        pytest.param(lambda p: (p / "read/new").write_text(""), id="make a file beside an input"),
        pytest.param(lambda p: os.truncate(p / "read/file", 0), id="empty an input"),
        pytest.param(lambda p: os.truncate(p / "other/file", 0), id="truncate a file"),
        pytest.param(lambda p: os.rename(p / "other/file", p / "write/stolen"), id="move a file here"),
        pytest.param(lambda p: os.link(p / "other/file", p / "write/linked"), id="link a file here"),
        pytest.param(lambda p: os.rename(p / "write/file", p / "other/moved"), id="move a file away"),
        pytest.param(lambda p: os.remove(p / "other/file"), id="remove a file"),
        pytest.param(lambda p: os.mkdir(p / "other/folder"), id="make a folder"),
        pytest.param(lambda p: os.symlink(p, p / "other/link"), id="make a symbolic link"),
        pytest.param(lambda p: (p / "write/link").read_text(), id="read by a link"),
        pytest.param(lambda p: program("cat", p / "other/file")(), id="read by a program"),
        pytest.param(
            lambda p: program("cp", "/bin/true", p / "write/x")() or program(p / "write/x")(), id="run a file"
        ),
        pytest.param(lambda p: os.mknod(p / "write/device", 0o20666, os.makedev(1, 1)), id="make a device"),
        pytest.param(lambda p: Path(f"/proc/{os.getppid()}/environ").read_bytes(), id="read another's environment"),
        pytest.param(lambda p: os.kill(os.getppid(), 0), id="signal another process"),
        pytest.param(lambda p: program("unshare", "--user", "true")(), id="make a user namespace"),
    ],
)
def test_what_is_not_granted_cannot_be_done(act, attempt, places):
    assert not attempt(lambda: act(places))
    assert attempt(lambda: act(places), inside=False)


def listening():
    """Return a socket that listens on this machine, outside, and its address."""
    server = socket.create_server(("127.0.0.1", 0))
    return server, server.getsockname()


@pytest.mark.parametrize("network", [sandbox.NONE, sandbox.LOOPBACK])
def test_nobody_outside_can_be_reached(attempt, network):
    server, address = listening()
    connect = lambda: socket.create_connection(address, 2)  # noqa: E731
    with server:
        assert not attempt(connect, network)
        assert attempt(connect, inside=False) and attempt(connect, sandbox.ANY)


def test_without_network_there_are_no_sockets(attempt):
    send = lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9))  # noqa: E731
    assert not attempt(send) and attempt(send, inside=False)


def test_a_network_of_its_own_has_a_loopback(attempt):
    def speak():
        server, address = listening()
        with server:
            socket.create_connection(address, 2)

    assert attempt(speak, sandbox.LOOPBACK) and not attempt(speak, sandbox.NONE)


@pytest.mark.parametrize("layer", ["_landlock", "_seccomp", "_own_network"])
def test_a_layer_that_is_missing_leaves_the_others(layer, attempt, places, monkeypatch):
    server, address = listening()
    monkeypatch.setattr(sandbox, layer, lambda *arguments: False)
    with server:
        assert not attempt(lambda: socket.create_connection(address, 2))
        assert attempt((places / "other/file").read_text) == (layer == "_landlock")


def test_a_process_may_shut_itself_in_again(attempt, places):
    def again():
        sandbox.enter([], [str(places / "write")])
        (places / "write/new").write_text("")

    assert attempt(again)


def test_an_old_kernel_is_told_of(monkeypatch):
    monkeypatch.setattr(sandbox, "_abi", lambda: 0)
    assert sandbox.missing() == ["files are not shut off (the kernel has no Landlock)"]
