"""Downloads that are cut off, changed or killed, and what a person sees of them."""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import termios
import time

import pytest
from http_server import Answer

from zoomill.fetch import cache, download, expected_file, progress

from .fetching import (
    BUSY,
    COMMAND,
    DATA,
    HTML,
    LARGE,
    MIB,
    OTHER,
    entry,
    fetch,
    fetched,
    flags,
    in_cache,
    outputs,
    refused,
    sha,
    without_digest,
)


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
    assert server.ranges == [None, *(f"bytes={count * MIB}-" for count in range(1, 6))]
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
    (folder / (f"{name or sha(DATA)}.part")).write_bytes(data)


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


def test_a_log_gets_a_line_of_progress_now_and_then(server, monkeypatch, capfd):
    monkeypatch.setattr(progress, "LOG_INTERVAL", -1)
    server["a"] = LARGE
    fetch(entry(server.url + "/a", data=LARGE))
    out, err = capfd.readouterr()
    assert "toy: model.bin: 4 of 5 MiB\n" in out
    assert err == ""


def test_a_program_gets_events_of_a_download_in_place_of_the_bar(server):
    server["a"] = LARGE
    command = [*COMMAND, *flags([entry(server.url + "/a", data=LARGE)]), "--events-fd", "2"]
    environment = {**os.environ, "ZOOMILL_JSON_PROGRESS": "1"}
    process = subprocess.run(command, env=environment, text=True, capture_output=True, check=True)
    *_, last = map(json.loads, process.stderr.splitlines())
    assert last == {"event": "download", "file": "toy: model.bin", "bytes": len(LARGE), "of": len(LARGE)}


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
    file = expected_file.ExpectedFile(hex=sha(DATA))
    path = cache.Cache("sources/.cache", sys.stderr).fetch(server.url + "/a", file, "toy: model.bin")
    assert pathlib.Path(path).read_bytes() == DATA
    assert len(server.requests) == 1
    assert in_cache() == [sha(DATA)]
