"""The fetch command against a real server on the loopback interface, good and bad."""

import hashlib
import io
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tarfile
import termios
import time

import pytest
import yaml
from http_server import Answer, Server

import fetch_source
from zoomill import cache, download, progress, wanted
from zoomill.errors import UserError

MIB = 1 << 20
DATA = random.Random(1).randbytes(300_000)
OTHER = random.Random(2).randbytes(len(DATA))
LARGE = random.Random(3).randbytes(5 * MIB + 17)
HTML = b"\n<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>\n"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 300000\n" % (b"0" * 64)
COMMAND = [sys.executable, fetch_source.__file__]
BUSY = Answer(status=503)


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


def flags(entries, model="toy", accept=False):
    folders = ["--cache", "sources/.cache", "--lock", "sources.lock", "--output", "sources/" + model]
    more = ["--accept-new-digests"] if accept else []
    return ["--model", model, "--files", json.dumps(entries), *folders, *more]


def fetch(*entries, **more):
    fetch_source.main(flags(entries, **more))


def refused(*entries, **more):
    """Fetch, which must fail and leave no output, and return the message."""
    with pytest.raises(UserError) as caught:
        fetch(*entries, **more)
    assert len(str(caught.value).splitlines()) == 1
    assert outputs() == []
    return str(caught.value)


def outputs():
    return [path.name for path in pathlib.Path("sources").glob("*") if path.name != ".cache"]


def fetched(name="model.bin"):
    return pathlib.Path("sources/toy", name).read_bytes()


def in_cache():
    return sorted(path.name for path in pathlib.Path("sources/.cache").glob("*"))


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
def test_a_file_is_cached_under_its_digest(server, algorithm):
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
    assert "model.bin: a " in refused(entry("a"))
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
    assert server.paths == ["gone", "good"]


def test_all_failed_sources_are_summed_up(server):
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
    assert message.endswith("check the network connection, or name a mirror in ZOOMILL_MIRRORS")


def test_a_password_in_a_url_is_not_told(server, capfd):
    message = refused(entry(server.url.replace("//", "//user:secret@") + "/gone"))
    assert "secret" not in message + "".join(capfd.readouterr())


# Mirrors


def mirror(listed=DATA, content=DATA, algorithm="sha256", path="zoo/a.bin"):
    folder = pathlib.Path("mirror")
    (folder / "zoo").mkdir(parents=True)
    (folder / "zoo/a.bin").write_bytes(content)
    lines = ["# a comment", "%s  zoo/other" % ("0" * 64), "%s  %s" % (sha(listed, algorithm), path)]
    (folder / ("%sSUMS" % algorithm.upper())).write_text("\n".join(lines) + "\n")
    return "mirror"


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_a_mirror_folder_comes_before_the_urls(server, monkeypatch, algorithm):
    monkeypatch.setenv("ZOOMILL_MIRRORS", mirror(algorithm=algorithm))
    fetch({"name": "model.bin", "urls": [server.url + "/a"], algorithm: sha(DATA, algorithm)})
    assert fetched() == DATA
    assert server.requests == []
    assert os.stat("mirror/zoo/a.bin").st_nlink == 1


def test_a_mirror_may_be_a_base_url(server, monkeypatch):
    server["m/SHA256SUMS"] = ("%s *zoo%%20/a b.bin\r\n" % sha(DATA)).encode()
    server["m/zoo%2520/a%20b.bin"] = DATA
    monkeypatch.setenv("ZOOMILL_MIRRORS", server.url + "/m/")
    fetch(entry(server.url + "/a"))
    assert fetched() == DATA
    assert server.paths == ["m/SHA256SUMS", "m/zoo%2520/a%20b.bin"]


def test_mirrors_are_tried_in_order(server, monkeypatch):
    for name in ("one", "two"):
        server[name + "/SHA256SUMS"] = ("%s  a\n" % sha(DATA)).encode()
    server["two/a"] = DATA
    monkeypatch.setenv("ZOOMILL_MIRRORS", "\n%s/one\n\n%s/two\n" % (server.url, server.url))
    fetch(entry(server.url + "/a"))
    assert fetched() == DATA
    assert server.paths == ["one/SHA256SUMS", "one/a", "two/SHA256SUMS", "two/a"]


def test_the_list_of_a_mirror_is_read_once_for_all_files(server, monkeypatch):
    server["SHA256SUMS"] = ("%s  a\n%s  b\n" % (sha(DATA), sha(OTHER))).encode()
    server["a"], server["b"] = DATA, OTHER
    monkeypatch.setenv("ZOOMILL_MIRRORS", server.url)
    fetch(entry("x", name="a"), entry("x", name="b", data=OTHER))
    assert server.paths == ["SHA256SUMS", "a", "b"]


def test_a_mirror_that_lies_is_reported_and_passed_over(server, monkeypatch, capfd):
    monkeypatch.setenv("ZOOMILL_MIRRORS", mirror(content=OTHER))
    server["a"] = DATA
    fetch(entry(server.url + "/a"))
    assert fetched() == DATA
    out, err = capfd.readouterr()
    assert "toy: model.bin: mirror/zoo/a.bin gave sha256 %s, expected %s" % (sha(OTHER), sha(DATA)) in out
    assert err == ""


@pytest.mark.parametrize("path", ["../secret", "/secret", "zoo/../../secret", "zoo\\..\\secret"])
def test_a_mirror_path_that_escapes_is_refused(server, monkeypatch, path):
    pathlib.Path("secret").write_bytes(DATA)
    monkeypatch.setenv("ZOOMILL_MIRRORS", mirror(path=path))
    assert "mirror lists a file outside itself" in refused(entry(server.url + "/gone"))


@pytest.mark.parametrize("place", ["nowhere", "http://127.0.0.1:9/zoo", "{url}/m"])
def test_a_mirror_without_a_list_is_reported_and_passed_over(server, monkeypatch, capfd, place):
    place = place.format(url=server.url)
    monkeypatch.setenv("ZOOMILL_MIRRORS", place)
    server["a"] = DATA
    fetch(entry(server.url + "/a"))
    assert fetched() == DATA
    assert "toy: model.bin: %s " % place in capfd.readouterr().out


def test_a_mirror_without_a_list_is_asked_once_for_all_files(server, monkeypatch):
    server["a"], server["b"] = DATA, OTHER
    monkeypatch.setenv("ZOOMILL_MIRRORS", server.url)
    fetch(entry(server.url + "/a", name="a"), entry(server.url + "/b", name="b", data=OTHER))
    assert server.paths == ["SHA256SUMS", "a", "b"]


def test_a_file_without_digest_is_not_asked_of_a_mirror(server, monkeypatch):
    server["a"] = DATA
    monkeypatch.setenv("ZOOMILL_MIRRORS", server.url)
    fetch(without_digest(server.url + "/a"), accept=True)
    assert server.paths == ["a"]


# Cut off and taken up


def test_a_cut_off_download_is_resumed(server):
    server["a"] = [Answer(DATA, drop_after=100_000), DATA]
    fetch(entry(server.url + "/a"))
    assert fetched() == DATA
    assert [(request.range, request.if_range) for request in server.requests] == [
        (None, None),
        ("bytes=100000-", '"1"'),
    ]
    assert server.sent == len(DATA)


def test_a_server_that_drops_at_every_megabyte_sends_each_byte_once(server):
    server["a"] = Answer(LARGE, drop_after=MIB)
    fetch(entry(server.url + "/a", data=LARGE))
    assert fetched() == LARGE
    assert server.ranges == [None, *("bytes=%d-" % (count * MIB) for count in range(1, 6))]
    assert server.sent == len(LARGE)


@pytest.mark.parametrize("length", [True, False])
def test_a_body_short_of_its_size_is_resumed_without_a_digest(server, length):
    server["a"] = [Answer(DATA, drop_after=100_000, length=length), DATA]
    fetch(without_digest(server.url + "/a", size=len(DATA)), accept=True)
    assert fetched() == DATA
    assert server.ranges == [None, "bytes=100000-"]


def test_last_modified_vouches_where_the_etag_is_weak(server):
    answer = {"etag": 'W/"1"', "modified": "Wed, 21 Oct 2015 07:28:00 GMT"}
    server["a"] = [Answer(DATA, drop_after=100_000, **answer), Answer(DATA, **answer)]
    fetch(entry(server.url + "/a"))
    assert server.requests[1].if_range == answer["modified"]


def test_without_digest_nothing_is_resumed_that_no_validator_vouches_for(server):
    server["a"] = [Answer(DATA, etag=None, drop_after=100_000), DATA]
    fetch(without_digest(server.url + "/a"), accept=True)
    assert fetched() == DATA
    assert server.ranges == [None, None]


def test_a_server_that_ignores_ranges_starts_again(server):
    server["a"] = [Answer(DATA, drop_after=100_000), Answer(DATA, ranges=False)]
    fetch(entry(server.url + "/a"))
    assert fetched() == DATA
    assert server.ranges == [None, "bytes=100000-"]


def test_a_server_that_drops_and_ignores_ranges_is_given_up(server):
    server["a"] = Answer(DATA, ranges=False, drop_after=100_000)
    assert "broke off after 100000 bytes" in refused(entry(server.url + "/a"))
    assert len(server.requests) == 1 + download.ATTEMPTS


def test_a_server_without_progress_is_given_up(server):
    server["a"] = BUSY
    assert "answered 503 Service Unavailable" in refused(entry(server.url + "/a"))
    assert len(server.requests) == download.ATTEMPTS
    assert in_cache() == []


def test_progress_resets_the_count_of_failures(server):
    server["a"] = [BUSY] * 3 + [Answer(DATA, drop_after=100_000)] + [BUSY] * 3 + [DATA]
    fetch(entry(server.url + "/a"))
    assert fetched() == DATA


def test_a_changed_etag_between_tries_restarts(server):
    server["a"] = [Answer(OTHER, drop_after=100_000), Answer(DATA, etag='"2"')]
    fetch(without_digest(server.url + "/a"), accept=True)
    assert fetched() == DATA
    assert [request.if_range for request in server.requests] == [None, '"1"']
    assert server.sent == 100_000 + len(DATA)


@pytest.mark.parametrize("content_range", ["bytes 0-299999/300000", "bytes 100000-299999/300001", "nonsense"])
def test_a_rest_in_the_wrong_place_is_not_used(server, content_range):
    server["a"] = [Answer(DATA, drop_after=100_000), Answer(DATA, content_range=content_range), DATA]
    fetch(entry(server.url + "/a"))
    assert fetched() == DATA
    assert server.ranges == [None, "bytes=100000-", None]


def test_a_rest_with_another_etag_is_not_used(server):
    # The second server neither knows If-Range nor that its file is another one.
    answers = [Answer(OTHER, drop_after=100_000), Answer(DATA, etag='"2"', modified='"1"'), Answer(DATA)]
    server["a"] = answers
    fetch(without_digest(server.url + "/a"), accept=True)
    assert fetched() == DATA


def test_a_refused_range_restarts(server):
    server["a"] = [Answer(DATA, drop_after=100_000), Answer(status=416), DATA]
    fetch(entry(server.url + "/a"))
    assert fetched() == DATA
    assert server.ranges == [None, "bytes=100000-", None]


def test_the_next_url_takes_up_what_the_first_began(server):
    server["a"] = [Answer(DATA, drop_after=100_000), BUSY]
    server["b"] = DATA
    fetch(entry(server.url + "/a", server.url + "/b"))
    assert fetched() == DATA
    assert server.sent == len(DATA)


def test_pieces_that_make_no_whole_are_fetched_again(server):
    server["a"] = [Answer(OTHER, drop_after=100_000), BUSY]
    server["b"] = DATA
    fetch(entry(server.url + "/a", server.url + "/b"))
    assert fetched() == DATA
    assert server.ranges[-2:] == ["bytes=100000-", None]


def left_over(data, name=None):
    folder = pathlib.Path("sources/.cache")
    folder.mkdir(parents=True)
    (folder / ("%s.part" % (name or sha(DATA)))).write_bytes(data)


def test_a_left_over_beginning_is_resumed(server):
    left_over(DATA[:100_000])
    server["a"] = DATA
    fetch(entry(server.url + "/a"))
    assert fetched() == DATA
    assert server.ranges == ["bytes=100000-"]
    assert in_cache() == [sha(DATA)]


def test_a_left_over_whole_needs_no_request(server):
    left_over(DATA)
    fetch(entry(server.url + "/a"))
    assert fetched() == DATA
    assert server.requests == []


@pytest.mark.parametrize("data", [DATA + b"x", OTHER, OTHER[:100_000]])
def test_a_wrong_left_over_restarts(server, data):
    left_over(data)
    server["a"] = DATA
    fetch(entry(server.url + "/a"))
    assert fetched() == DATA
    assert server.ranges[-1] is None


def test_a_source_that_fails_leaves_what_another_has_begun(server):
    left_over(DATA[:100_000])
    server["a"], server["b"], server["c"] = HTML, OTHER + b"x", DATA
    fetch(entry("missing", *(server.url + path for path in ("/gone", "/a", "/b", "/c"))))
    assert server.requests[-1].range == "bytes=100000-"


@pytest.mark.parametrize("number, status", [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_a_killed_download_is_completed_by_the_next_run(server, number, status):
    server["a"] = [Answer(DATA, hold_after=100_000), DATA]
    arguments = [*COMMAND, *flags([entry(server.url + "/a")])]
    part = pathlib.Path("sources/.cache", sha(DATA) + ".part")
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        while process.poll() is None and not (part.exists() and part.stat().st_size == 100_000):
            time.sleep(0.01)
        process.send_signal(number)
        assert process.stderr.read() == b""
    assert process.returncode == status
    assert outputs() == []
    fetch(entry(server.url + "/a"))
    assert fetched() == DATA
    assert (server.requests[-1].range, server.requests[-1].if_range) == ("bytes=100000-", '"1"')
    assert in_cache() == [sha(DATA)]


def test_processes_that_want_the_same_file_fetch_it_once(server):
    server["a"] = Answer(LARGE)
    commands = [[*COMMAND, *flags([entry(server.url + "/a", data=LARGE)], model=str(n))] for n in range(3)]
    processes = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert sorted(outputs()) == ["0", "1", "2"]
    assert len(server.requests) == 1


# What a person sees


def test_a_log_gets_a_line_of_progress_now_and_then(server, monkeypatch, capfd):
    monkeypatch.setattr(progress, "LOG_INTERVAL", -1)
    server["a"] = LARGE
    fetch(entry(server.url + "/a", data=LARGE))
    out, err = capfd.readouterr()
    assert "toy: model.bin: 4 of 5 MiB\n" in out
    assert err == ""


def test_a_terminal_gets_a_bar_with_rate_and_time_left(server):
    server["a"] = LARGE
    ours, theirs = os.openpty()
    # As wide as a window; tqdm shows nothing on a terminal without columns.
    termios.tcsetwinsize(theirs, (24, 100))
    command = [*COMMAND, *flags([entry(server.url + "/a", data=LARGE)])]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=theirs, check=True)
    os.close(theirs)
    shown = os.read(ours, 4000).decode()
    os.close(ours)
    assert re.search(r"toy: model.bin: .*/5\.00M \[.*<.*B/s\]", shown)


def test_a_file_that_another_process_has_fetched_meanwhile_is_taken(server):
    server["a"] = DATA
    fetch(entry(server.url + "/a"))
    file = wanted.Wanted(hex=sha(DATA))
    path = cache.Cache("sources/.cache", sys.stderr).fetch(server.url + "/a", file, "toy: model.bin")
    assert pathlib.Path(path).read_bytes() == DATA
    assert len(server.requests) == 1
    assert in_cache() == [sha(DATA)]


# Wrong content


def test_a_wrong_digest_leaves_nothing(server):
    server["a"] = OTHER
    message = refused(entry(server.url + "/a"))
    for part in ("toy", "model.bin", server.url + "/a", sha(OTHER), sha(DATA), "models/toy.yaml"):
        assert part in message
    assert in_cache() == []


@pytest.mark.parametrize("length", [True, False])
@pytest.mark.parametrize("body, name", [(HTML, "an HTML page"), (LFS, "a Git LFS pointer")])
@pytest.mark.parametrize("size", [{}, {"size": None}, {"size": 10}])
def test_what_is_no_model_is_named(server, body, name, length, size):
    server["a"] = Answer(body, length=length)
    expected = "toy: model.bin: %s/a answered with %s instead of the file; check the URL in models/toy.yaml"
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
    assert "/a has 300000 bytes, expected %d" % size in message
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


# The cache


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


# Files without digest


def lock():
    return yaml.safe_load(pathlib.Path("sources.lock").read_text())


def test_a_file_without_digest_is_refused(server):
    message = refused(without_digest(server.url + "/a"))
    assert message.startswith("toy: model.bin: its card gives no digest; fetch it once with --config accept_new_")
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
    text = "toy: {model.bin: {sha256: '%s', size: %d}}" % (sha(DATA), len(DATA))
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
    models = ["model_%d" % number for number in range(8)]
    commands = [[*COMMAND, *flags([without_digest(server.url + "/a")], model=m, accept=True)] for m in models]
    processes = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
    assert {process.wait() for process in processes} == {0}
    assert list(lock()) == models


@pytest.mark.parametrize("text", ["[1]", "toy: 1", "toy: {a: {sha256: x, size: 1}}", "toy: {a: {}}", "{"])
def test_a_damaged_lock_is_refused(text):
    pathlib.Path("sources.lock").write_text(text)
    assert "sources.lock is not a table" in refused(entry("a"))


# The output


def test_an_archive_is_unpacked_beside_plain_files(server):
    data = tar_gz(**{"a": b"a", "b/c": b"c", "b/d.txt": b"d"})
    server["x"], server["y"] = data, DATA
    packed = entry(server.url + "/x", data=data, name="x", unpack={"strip": 1, "only": ["a", "b/*.txt"]})
    fetch(packed, entry(server.url + "/y", name="b/y"))
    files = sorted(str(path.relative_to("sources/toy")) for path in pathlib.Path("sources/toy").rglob("*.*"))
    assert files == ["b/d.txt"]
    assert sorted(os.listdir("sources/toy/b")) == ["d.txt", "y"]
    assert fetched("a") == b"a"


@pytest.mark.parametrize("name", ["model.bin", "model.bin/x", "x/model.bin"])
def test_an_archive_and_a_plain_file_may_not_collide(server, name):
    data = tar_gz(**{name: b"a"})
    server["x"], server["y"] = data, DATA
    packed = entry(server.url + "/x", data=data, name="x.tar", unpack={"strip": 1})
    plain = "x" if name.startswith("x") else "model.bin"
    assert "as does another file of the card" in refused(packed, entry(server.url + "/y", name=plain))


def test_a_refused_archive_leaves_nothing(server):
    server["x"] = DATA
    message = refused(entry(server.url + "/x", unpack={}))
    assert message.startswith("toy: model.bin: is damaged, or not a tar or zip archive")


def test_an_earlier_output_is_replaced(server):
    server["a"] = DATA
    os.makedirs("sources/toy/old")
    fetch(entry(server.url + "/a"))
    assert os.listdir("sources/toy") == ["model.bin"]


def test_an_earlier_output_does_not_outlive_a_failure(server):
    os.makedirs("sources/toy/old")
    refused(entry(server.url + "/gone"))


def test_the_left_over_of_a_killed_run_is_removed(server):
    os.makedirs("sources/.toy.tmp/half")
    server["a"] = DATA
    fetch(entry(server.url + "/a"))
    assert outputs() == ["toy"]
    assert os.listdir("sources/toy") == ["model.bin"]


@pytest.mark.parametrize(
    "name", ["../x", "/x", "a/../../x", "", ".", "./x", "a//b", "a\\b", "a\nb", "x" * 300, "a/" * 300 + "b"]
)
def test_a_name_that_escapes_or_is_odd_is_refused(name):
    assert "models/toy.yaml" in refused(entry("a", name=name))


@pytest.mark.parametrize("one, other", [("a", "a"), ("a", "A"), ("a", "a/b"), ("x/a/b", "X/a")])
def test_names_that_collide_are_refused(one, other):
    message = refused(entry("a", name=one), entry("a", name=other))
    assert message.endswith("collide; rename one of them in models/toy.yaml")


@pytest.mark.parametrize(
    "wrong",
    [
        {"sha256": "12"},
        {"sha256": "x" * 64},
        {"sha384": "0" * 96},
        {"sha256": None},
        {"urls": []},
        {"urls": "a"},
        {"urls": ["ftp://host/a"]},
        {"urls": [1]},
        {"name": 1},
        {"unpack": 1},
        {"unpack": {"strip": "x"}},
        {"unpack": {"strip": -1}},
        {"unpack": {"only": "*.pb"}},
        {"size": "300000"},
        {"digest": None},
    ],
)
def test_an_entry_that_cannot_be_meant_is_refused(wrong):
    assert refused({**entry("a"), **wrong}).endswith("; check models/toy.yaml")


def test_an_entry_without_any_digest_is_refused():
    assert "give one of sha256, sha384, sha512, md5" in refused({"name": "a", "urls": ["a"]})


@pytest.mark.parametrize("body", [HTML, OTHER, DATA])
def test_an_error_is_one_line_and_status_1(server, body):
    server["a"] = body
    command = [*COMMAND, *flags([entry(server.url + "/a", unpack={"strip": 1})])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: toy: model.bin: ")
    assert done.stderr.count("\n") == 1
    assert outputs() == []


def test_a_folder_that_cannot_be_written_is_one_line(server):
    pathlib.Path("sources").write_bytes(b"in the way")
    with pytest.raises(UserError, match=r"^toy: sources/\.cache: "):
        fetch(entry(server.url + "/a"))
