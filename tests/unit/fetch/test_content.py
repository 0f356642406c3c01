"""Wrong content, what is cached, and files without a digest."""

import os
import pathlib
import subprocess

import pytest
import yaml
from http_server import Answer

from zoomill.fetch import download

from .fetching import (
    COMMAND,
    DATA,
    HTML,
    LARGE,
    LFS,
    OTHER,
    entry,
    fetch,
    fetched,
    flags,
    in_cache,
    mirror,
    refused,
    sha,
    tar_gz,
    without_digest,
)


def test_a_wrong_digest_leaves_nothing(server):
    server["a"] = OTHER
    message = refused(entry(server.url + "/a"))
    for part in ("toy", "model.bin", server.url + "/a", sha(OTHER), sha(DATA), "toy.yaml"):
        assert part in message
    assert in_cache() == []


@pytest.mark.parametrize("length", [True, False])
@pytest.mark.parametrize("body, name", [(HTML, "an HTML page"), (LFS, "a Git LFS pointer")])
@pytest.mark.parametrize("size", [{}, {"size": None}, {"size": 10}])
def test_what_is_no_model_is_named(server, body, name, length, size):
    server["a"] = Answer(body, length=length)
    expected = "toy: model.bin: %s/a answered with %s instead of the file; check the URL in toy.yaml"
    assert refused(entry(server.url + "/a", **size)) == expected % (server.url, name)
    assert in_cache() == []


@pytest.mark.parametrize("body", [HTML, LFS, b""])
def test_what_is_no_model_gets_no_new_digest(server, body):
    server["a"] = body
    assert "answered with a" in refused(without_digest(server.url + "/a"), accept=True)
    assert not os.path.exists("sources.lock")


def test_a_page_with_the_right_digest_is_what_was_asked_for(server):
    server["a"] = HTML
    fetch(entry(server.url + "/a", data=HTML))
    assert fetched() == HTML


@pytest.mark.parametrize("size", [len(DATA) - 1, len(DATA) + 1])
def test_an_announced_size_that_is_wrong_ends_the_download(server, size):
    server["a"] = DATA
    message = refused(entry(server.url + "/a", size=size))
    assert f"/a has 300000 bytes, expected {size}" in message
    assert in_cache() == []


def test_more_bytes_than_expected_end_the_download(server):
    server["a"] = Answer(LARGE, length=False)
    assert "/a gave more than the expected 300000 bytes" in refused(entry(server.url + "/a"))
    assert in_cache() == []


def test_md5_needs_a_size(server):
    message = refused({"name": "model.bin", "urls": [server.url + "/a"], "md5": sha(DATA, "md5")})
    assert "md5 alone is too weak; give the `size` as well" in message
    assert server.requests == []


def test_md5_with_size_is_marked_as_weak(server, capfd):
    server["a"] = DATA
    digest = sha(DATA, "md5")
    fetch({"name": "model.bin", "urls": [server.url + "/a"], "size": len(DATA), "md5": digest})
    assert in_cache() == [digest]
    assert "md5 only, which is weak" in capfd.readouterr().out


def test_what_is_cached_needs_no_network(server, monkeypatch):
    server["a"], server["b"] = DATA, tar_gz(x=b"x")
    packed = entry(server.url + "/b", data=server.answers["/b"][0].data, name="b.tar.gz", unpack={"strip": 1})
    fetch(entry(server.url + "/a"), packed)
    requests = len(server.requests)
    server.close()
    monkeypatch.setenv("ZOOMILL_MIRRORS", server.url)
    monkeypatch.setattr(download.requests.Session, "request", None)
    fetch(entry(server.url + "/a"), packed)
    assert (fetched(), fetched("x")) == (DATA, b"x")
    assert len(server.requests) == requests


def test_a_changed_cached_file_is_fetched_again(server, capfd):
    server["a"] = DATA
    fetch(entry(server.url + "/a"))
    pathlib.Path("sources/.cache", sha(DATA)).write_bytes(OTHER)
    fetch(entry(server.url + "/a"))
    assert fetched() == DATA
    assert "was changed" in capfd.readouterr().out


def test_a_cached_file_must_have_the_size_of_the_card(server):
    server["a"] = DATA
    fetch(entry(server.url + "/a"))
    assert "has 300000 bytes, expected 5" in refused(entry(server.url + "/a", size=5))


def lock():
    return yaml.safe_load(pathlib.Path("sources.lock").read_text())


def test_a_file_without_digest_is_refused(server):
    message = refused(without_digest(server.url + "/a"))
    assert message.startswith("toy: model.bin: its card gives no digest; fetch it once with: snakemake -j1 ")
    assert server.requests == []


def test_an_accepted_digest_is_recorded_and_binding(server):
    server["a"] = DATA
    fetch(without_digest(server.url + "/a"), accept=True)
    assert lock() == {"toy": {"model.bin": {"sha256": sha(DATA), "size": len(DATA)}}}
    assert in_cache() == [sha(DATA)]
    server["a"] = OTHER
    fetch(without_digest(server.url + "/a"))
    assert fetched() == DATA
    assert len(server.requests) == 1
    pathlib.Path("sources/.cache", sha(DATA)).unlink()
    for accept in (False, True):
        message = refused(without_digest(server.url + "/a"), accept=accept)
        assert sha(OTHER) in message
        assert "delete the file's entry from sources.lock" in message
    assert lock()["toy"]["model.bin"]["sha256"] == sha(DATA)


def test_a_locked_file_comes_from_a_mirror(server, monkeypatch):
    text = f"toy: {{model.bin: {{sha256: '{sha(DATA)}', size: {len(DATA)}}}}}"
    pathlib.Path("sources.lock").write_text(text)
    monkeypatch.setenv("ZOOMILL_MIRRORS", mirror())
    fetch(without_digest(server.url + "/a"))
    assert fetched() == DATA
    assert server.requests == []


def test_a_failed_fetch_records_nothing(server):
    server["a"] = DATA
    refused(without_digest(server.url + "/a"), entry(server.url + "/gone", data=OTHER, name="b"), accept=True)
    refused(without_digest(server.url + "/a", unpack={}), accept=True)
    assert not os.path.exists("sources.lock")


def test_processes_record_side_by_side(server):
    server["a"] = DATA
    models = [f"model_{number}" for number in range(8)]
    commands = [[*COMMAND, *flags([without_digest(server.url + "/a")], model=m, accept=True)] for m in models]
    processes = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
    assert {process.wait() for process in processes} == {0}
    assert list(lock()) == models


@pytest.mark.parametrize("text", ["[1]", "toy: 1", "toy: {a: {sha256: x, size: 1}}", "toy: {a: {}}", "{"])
def test_a_damaged_lock_is_refused(text):
    pathlib.Path("sources.lock").write_text(text)
    assert "sources.lock is not a table" in refused(entry("a"))
