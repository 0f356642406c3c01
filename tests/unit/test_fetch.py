"""The fetch command against a real server on the loopback interface, good and bad."""

import hashlib
import io
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tarfile
import threading
import time

import fetch_source
import pytest
import yaml
from http_server import Resource, Server

from zoomill import download
from zoomill.errors import UserError

MIB = 1 << 20
DATA = random.Random(1).randbytes(300_000)
OTHER = random.Random(2).randbytes(len(DATA))
LARGE = random.Random(3).randbytes(5 * MIB + 17)
HTML = b"\n<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>\n"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 300000\n" % (b"0" * 64)
COMMAND = [sys.executable, str(pathlib.Path(fetch_source.__file__))]


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(download, "BACKOFF", 0)
    monkeypatch.delenv("ZOOMILL_MIRRORS", raising=False)


@pytest.fixture
def server():
    with Server() as running:
        yield running


def sha(data, algorithm="sha256"):
    return hashlib.new(algorithm, data).hexdigest()


def entry(*urls, data=DATA, name="model.bin", **more):
    return {"name": name, "urls": list(urls), "size": len(data), "sha256": sha(data), **more}


def without_digest(*urls, name="model.bin", **more):
    return {"name": name, "urls": list(urls), "digest": None, **more}


def flags(*entries, model="toy", more=()):
    fixed = ["--cache", "sources/.cache", "--lock", "sources.lock", "--output", "sources/" + model]
    return ["--model", model, "--files", json.dumps(entries), *fixed, *more]


def fetch(*entries, **more):
    fetch_source.main(flags(*entries, **more))


def refused(*entries, **more):
    """Fetch, which must fail without an output, and return the message."""
    with pytest.raises(UserError) as caught:
        fetch(*entries, **more)
    assert "\n" not in str(caught.value)
    assert not [name for name in os.listdir("sources") if name != ".cache"] if os.path.isdir("sources") else True
    return str(caught.value)


def fetched(name="model.bin", model="toy"):
    return pathlib.Path("sources", model, name).read_bytes()


def in_cache():
    return sorted(os.listdir("sources/.cache"))


def ranges(server):
    return [request.range for request in server.requests]


def tar_gz(**members):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo("top/" + name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return packed.getvalue()


# Sources and their order


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_a_url_is_fetched_and_cached_under_its_digest(server, algorithm):
    server["a"] = DATA
    digest = sha(DATA, algorithm)
    fetch({"name": "model.bin", "urls": [server.url + "/a"], algorithm: digest.upper()})
    assert fetched() == DATA
    assert in_cache() == [digest]


def test_a_name_may_have_folders(server):
    server["a"] = DATA
    fetch(entry(server.url + "/a", name="saved_model/variables/x"))
    assert fetched("saved_model/variables/x") == DATA


def test_a_local_file_is_copied_and_left_alone():
    pathlib.Path("starter").mkdir()
    pathlib.Path("starter/a").write_bytes(DATA)
    fetch(entry("starter/a"))
    assert fetched() == DATA
    assert os.stat("starter/a").st_nlink == 1


@pytest.mark.parametrize("content", [OTHER, DATA[:-1], DATA + b"x", b""])
def test_a_local_file_is_verified_as_well(content):
    pathlib.Path("a").write_bytes(content)
    assert "a " in refused(entry("a"))
    assert in_cache() == []
    assert pathlib.Path("a").read_bytes() == content


def test_a_missing_local_file_is_named():
    assert "starter/a is no file that can be read" in refused(entry("starter/a"))


def test_a_local_lfs_pointer_is_named():
    pathlib.Path("a").write_bytes(LFS)
    assert "a is a Git LFS pointer instead of the file" in refused(entry("a"))


def test_the_next_url_is_tried(server):
    server["good"] = DATA
    fetch(entry(server.url + "/gone", server.url + "/good"))
    assert fetched() == DATA
    assert [request.path for request in server.requests] == ["/gone", "/good"]


def test_all_urls_are_summed_up_in_one_line(server):
    server["html"], server["wrong"] = HTML, OTHER
    message = refused(entry(*(server.url + path for path in ("/gone", "/html", "/wrong"))))
    assert message.startswith("toy: model.bin: %s/gone answered 404 Not Found; " % server.url)
    assert "/html answered with an HTML page instead of the file; " in message
    assert "/wrong gave sha256 %s, expected %s; " % (sha(OTHER), sha(DATA)) in message
    assert message.endswith("; check the URL in models/toy.yaml")


def test_a_server_that_is_not_there_is_a_matter_of_the_network(server):
    server.close()
    message = refused(entry(server.url + "/a"))
    assert message.startswith("toy: model.bin: %s/a did not answer (Connection refused); " % server.url)
    assert "check the network connection" in message


def test_a_password_in_a_url_is_not_told(server, capfd):
    message = refused(entry(server.url.replace("//", "//user:secret@") + "/gone"))
    assert "secret" not in message + "".join(capfd.readouterr())


# Mirrors


def mirror_folder(listed=DATA, content=DATA, algorithm="sha256", path="zoo/a.bin"):
    folder = pathlib.Path("mirror")
    (folder / "zoo").mkdir(parents=True)
    (folder / "zoo/a.bin").write_bytes(content)
    line = "%s  %s\n" % (sha(listed, algorithm), path)
    (folder / ("%sSUMS" % algorithm.upper())).write_text("# a comment\n%s  zoo/other\n%s" % ("0" * 64, line))
    return folder


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_a_mirror_folder_comes_before_the_urls(server, monkeypatch, algorithm):
    monkeypatch.setenv("ZOOMILL_MIRRORS", str(mirror_folder(algorithm=algorithm)))
    digest = {algorithm: sha(DATA, algorithm)}
    fetch({"name": "model.bin", "urls": [server.url + "/a"], "size": len(DATA), **digest})
    assert fetched() == DATA
    assert server.requests == []
    assert os.stat("mirror/zoo/a.bin").st_nlink == 1


def test_a_mirror_may_be_a_base_url(server, monkeypatch):
    server["m/SHA256SUMS"] = ("%s *some%%20where/a b.bin\r\n" % sha(DATA)).encode()
    server["m/some%2520where/a%20b.bin"] = DATA
    monkeypatch.setenv("ZOOMILL_MIRRORS", server.url + "/m/")
    fetch(entry(server.url + "/a"))
    assert fetched() == DATA
    assert "/a" not in [request.path for request in server.requests]


def test_mirrors_are_tried_in_order(server, monkeypatch):
    for name in ("one", "two"):
        server[name + "/SHA256SUMS"] = ("%s  a\n" % sha(DATA)).encode()
        server[name + "/a"] = DATA
    monkeypatch.setenv("ZOOMILL_MIRRORS", "\n%s/one\n\n%s/two\n" % (server.url, server.url))
    fetch(entry(server.url + "/a"))
    assert {request.path for request in server.requests} == {"/one/SHA256SUMS", "/one/a"}


def test_the_list_of_a_mirror_is_read_once_for_all_files(server, monkeypatch):
    server["SHA256SUMS"] = ("%s  a\n%s  b\n" % (sha(DATA), sha(OTHER))).encode()
    server["a"], server["b"] = DATA, OTHER
    monkeypatch.setenv("ZOOMILL_MIRRORS", server.url)
    fetch(entry("x", name="a"), entry("x", name="b", data=OTHER))
    assert [request.path for request in server.requests] == ["/SHA256SUMS", "/a", "/b"]


def test_a_mirror_that_lies_is_reported_and_passed_over(server, monkeypatch, capfd):
    monkeypatch.setenv("ZOOMILL_MIRRORS", str(mirror_folder(content=OTHER)))
    server["a"] = DATA
    fetch(entry(server.url + "/a"))
    assert fetched() == DATA
    out, err = capfd.readouterr()
    assert "toy: model.bin: mirror/zoo/a.bin gave sha256 %s, expected %s" % (sha(OTHER), sha(DATA)) in out
    assert err == ""


@pytest.mark.parametrize("path", ["../secret", "/secret", "zoo/../../secret", "zoo\\..\\secret"])
def test_a_mirror_path_that_escapes_is_refused(server, monkeypatch, capfd, path):
    pathlib.Path("secret").write_bytes(DATA)
    monkeypatch.setenv("ZOOMILL_MIRRORS", str(mirror_folder(path=path)))
    assert "mirror lists a file outside itself" in refused(entry(server.url + "/gone"))


@pytest.mark.parametrize("place", ["nowhere", "http://127.0.0.1:9/zoo", "{}/m"])
def test_a_broken_mirror_is_passed_over(server, monkeypatch, capfd, place):
    place = place.format(server.url)
    monkeypatch.setenv("ZOOMILL_MIRRORS", place)
    server["a"] = DATA
    fetch(entry(server.url + "/a"))
    assert fetched() == DATA
    assert "toy: model.bin: %s " % place in capfd.readouterr().out


# Cut off and taken up


def test_a_cut_off_download_is_resumed(server):
    server["a"] = Resource(DATA, drop_after=100_000, drops=1)
    fetch(entry(server.url + "/a"))
    assert fetched() == DATA
    assert [(request.range, request.if_range) for request in server.requests] == [
        (None, None),
        ("bytes=100000-", '"1"'),
    ]
    assert server.sent() == len(DATA)


def test_a_server_that_drops_at_every_megabyte_gives_the_file_once(server):
    server["a"] = Resource(LARGE, drop_after=MIB)
    fetch(entry(server.url + "/a", data=LARGE))
    assert fetched() == LARGE
    assert ranges(server) == [None, *("bytes=%d-" % (count * MIB) for count in range(1, 6))]
    assert server.sent() == len(LARGE)


@pytest.mark.parametrize("length", [True, False])
def test_a_cut_off_body_without_digest_but_with_size_is_resumed(server, length):
    server["a"] = Resource(DATA, drop_after=100_000, drops=1, length=length)
    fetch(without_digest(server.url + "/a", size=len(DATA)), more=["--accept-new-digests"])
    assert fetched() == DATA
    assert ranges(server) == [None, "bytes=100000-"]


def test_last_modified_vouches_where_the_etag_is_weak(server):
    date = "Wed, 21 Oct 2015 07:28:00 GMT"
    server["a"] = Resource(DATA, etag='W/"1"', modified=date, drop_after=100_000, drops=1)
    fetch(entry(server.url + "/a"))
    assert server.requests[1].if_range == date


def test_what_nothing_vouches_for_is_not_resumed(server):
    server["a"] = Resource(DATA, etag=None, drop_after=100_000, drops=1)
    fetch(without_digest(server.url + "/a"), more=["--accept-new-digests"])
    assert fetched() == DATA
    assert ranges(server) == [None, None]


def test_a_server_that_ignores_ranges_starts_again(server):
    server["a"] = Resource(DATA, ranges=False, drop_after=100_000, drops=1)
    fetch(entry(server.url + "/a"))
    assert fetched() == DATA
    assert ranges(server) == [None, "bytes=100000-"]


def test_a_server_that_drops_and_ignores_ranges_is_given_up(server):
    server["a"] = Resource(DATA, ranges=False, drop_after=100_000)
    assert "broke off after 100000 bytes" in refused(entry(server.url + "/a"))
    assert len(server.requests) == 1 + download.ATTEMPTS


def test_a_server_without_progress_is_given_up(server):
    server["a"] = Resource(DATA, statuses=[503] * 10)
    assert "answered 503 Service Unavailable" in refused(entry(server.url + "/a"))
    assert len(server.requests) == download.ATTEMPTS


def test_a_busy_server_is_asked_again(server):
    server["a"] = Resource(DATA, statuses=[503, 429, 500])
    fetch(entry(server.url + "/a"))
    assert fetched() == DATA


def test_progress_resets_the_count_of_failures(server):
    server["a"] = Resource(DATA, statuses=[503] * 3, drop_after=100_000, drops=1)
    threading.Thread(target=_busy_after_the_first_piece, args=(server,), daemon=True).start()
    fetch(entry(server.url + "/a"))
    assert fetched() == DATA


def _busy_after_the_first_piece(server):
    while not server.sent():
        time.sleep(0.001)
    server["a"].statuses += [503] * 2


def test_a_changed_etag_between_tries_restarts(server):
    server["a"] = Resource(OTHER, drop_after=100_000)
    server["a"].statuses = []
    with Server(a=Resource(DATA)) as _:
        pass
    partial(server, OTHER)
    server["a"] = Resource(DATA, etag='"2"')
    fetch(without_digest(server.url + "/a"), more=["--accept-new-digests"])
    assert fetched() == DATA
    last = server.requests[-1]
    assert (last.range, last.if_range, last.sent) == ("bytes=100000-", '"1"', len(DATA))
