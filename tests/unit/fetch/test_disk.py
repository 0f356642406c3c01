"""Disks that are full or may not be written, local files that are none, and a lock that is no lock."""

import os
import pathlib
import resource
import subprocess

import pytest
from conftest import missing

from .fetching import (
    COMMAND,
    DATA,
    LARGE,
    MIB,
    entry,
    fetch,
    fetched,
    flags,
    in_cache,
    outputs,
    refused,
    sha,
    tar_gz,
    without_digest,
)


def limited(*entries, size=100_000, **more):
    """Run the command with a limit on the size of files, which is refused as a full disk is; return its error line."""
    done = subprocess.run(
        [*COMMAND, *flags(entries, **more)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert outputs() == []
    return done.stderr.strip()


def test_a_download_that_the_disk_refuses_is_named_and_taken_up_later(server):
    server["a"] = DATA
    part = f"sources/.cache/{sha(DATA)}.part"
    assert limited(entry(server.url + "/a")) == (
        f"error: toy: {part}: File too large; raise the limit on the size of files (`ulimit -f`) and run again"
    )
    assert pathlib.Path(part).read_bytes() == DATA[:100_000]
    fetch(entry(server.url + "/a"))
    assert fetched() == DATA
    assert server.ranges == [None, "bytes=100000-"]


@pytest.mark.parametrize("unpack", [None, {"strip": 1}])
def test_an_output_that_the_disk_refuses_is_named(server, unpack):
    data = tar_gz(**{"inside.bin": bytes(MIB)}) if unpack else LARGE
    server["a"] = data
    file = entry(server.url + "/a", data=data, **({"unpack": unpack} if unpack else {}))
    fetch(file)
    subprocess.run(["rm", "-r", "sources/toy"], check=True)
    name = "inside.bin" if unpack else "model.bin"
    assert limited(file).startswith(f"error: toy: sources/.toy.tmp/{name}: File too large; ")
    assert sorted(os.listdir("sources")) in ([".cache"], [".cache", ".made"])


@pytest.fixture
def small_disk():
    """Let the folder ``sources`` be a disk of 500 kB."""
    pathlib.Path("sources").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=500k", "none", "sources"]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        missing("nothing can be mounted here")
    yield
    subprocess.run(["umount", "sources"], check=True)


@pytest.mark.parametrize("unpack", [None, {"strip": 1}])
def test_a_disk_that_is_full_is_one_line(server, small_disk, unpack):
    data = tar_gz(**{"inside.bin": bytes(MIB)}) if unpack else DATA
    server["a"] = data
    message = refused(entry(server.url + "/a", data=data, **({"unpack": unpack} if unpack else {})))
    full = "toy: sources/.toy.tmp/model.bin: No space left on device; make room there and run again"
    assert message.startswith("toy: model.bin: unpacks to 1 MiB, but the disk has room for 0" if unpack else full)
    assert in_cache() == [sha(data)]


def test_a_download_for_which_the_disk_has_no_room_is_not_begun(server, small_disk):
    server["a"] = LARGE
    message = refused(entry(server.url + "/a", server.url + "/b", data=LARGE))
    assert message.endswith(".part: No space left on device; make room there and run again")
    assert len(server.requests) == 1


@pytest.mark.parametrize("place", ["cache", "new-digests", "output"])
def test_a_place_that_cannot_be_written_is_one_line(server, place):
    server["a"] = DATA
    arguments = flags([without_digest(server.url + "/a")], accept=True)
    path = {"cache": "/proc/cache", "new-digests": "/proc/sources.lock", "output": "/proc/toy"}[place]
    arguments[arguments.index("--" + place) + 1] = path
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: toy: /proc/")


@pytest.mark.parametrize("make", ["mkfifo", "mkdir", "ln -s /dev/zero", "ln -s /dev/stdin", "ln -s a"])
def test_a_local_source_that_is_no_file_is_one_line(make):
    subprocess.run([*make.split(), "a"], check=True)
    assert "model.bin: a is no file that can be read" in refused(entry("a"))


@pytest.mark.parametrize("path", ["/dev/zero", "/proc/self/pagemap", "/proc/kcore", "x" * 5000, "/proc/self/mem"])
@pytest.mark.parametrize("accept", [False, True])
def test_a_local_source_without_end_is_one_line(path, accept):
    refused(without_digest(path) if accept else entry(path, size=None), accept=accept)


@pytest.mark.parametrize("url", ["a\0b", "a\nb", "\ud800", "http://x/\ud800", "http://x/\x1b[2J"])
def test_a_url_that_no_text_holds_is_one_line(url):
    assert refused(entry(url)).endswith("; check toy.yaml")


def test_a_local_source_longer_than_its_size_is_read_no_further(tmp_path):
    with open("a", "wb") as file:
        file.truncate(1 << 40)
    assert "a has 1099511627776 bytes" in refused(entry("a"))


WRONG_LOCKS = [
    "- 1",
    "text",
    "1",
    "toy: [1]",
    "toy: {model.bin: [sha256, size]}",
    "toy: {model.bin: {sha256: '%s', size: true}}" % ("0" * 64),
    "toy: {model.bin: {sha256: '%s', size: -1}}" % ("0" * 64),
    "toy: {model.bin: {sha256: '%s', size: 1, more: 1}}" % ("0" * 64),
    "toy: {model.bin: {sha256: %s, size: 1}}" % ("1" * 64),
    "toy: {1: {sha256: '%s', size: 1}}" % ("0" * 64),
    "[" * 5000,
    "toy: {{model.bin: {{sha256: '{}', size: {}}}}}".format("0" * 64, "9" * 5000),
    "\0",
    "!!python/object/apply:os.system [x]",
]


@pytest.mark.parametrize("text", WRONG_LOCKS)
def test_a_lock_of_another_form_is_one_line(text):
    pathlib.Path("sources.lock").write_text(text)
    message = refused(without_digest("a"))
    assert message.startswith("toy: sources.lock is not a table") and len(message) < 500


def test_a_lock_that_is_a_folder_is_one_line():
    pathlib.Path("sources.lock").mkdir()
    assert "sources.lock" in refused(without_digest("a"))
