"""Servers that lie, drag on or never end: each costs a line, and the next source is asked."""

import email.utils
import pathlib
import time

import pytest
from http_server import Answer

from zoomill.fetch import download, mirrors
from zoomill.fetch import server as web

from .fetching import DATA, MIB, OTHER, entry, fetch, fetched, in_cache, refused, sha, without_digest

OK = b"HTTP/1.1 200 OK\r\n"
MOVED = b"HTTP/1.1 302 Found\r\n"
ANSWERS = {
    "a redirect to half an address": MOVED + b"Location: http://[::1/x\r\n\r\n",
    "a redirect to no address": MOVED + b"Location: http:///\r\n\r\n",
    "a redirect to a port that is none": MOVED + b"Location: http://127.0.0.1:99999999/\r\n\r\n",
    "a redirect that is Latin-1": MOVED + b"Location: /\xff\xfe\r\n\r\n",
    "a redirect to a host that is no name": MOVED + b"Location: http://%s.x/\r\n\r\n" % (b"x" * 70),
    "a redirect to a host of other letters": MOVED + b"Location: http://\xe2\x80\xae\xcc\x81/\r\n\r\n",
    "a redirect to a file": MOVED + b"Location: file:///etc/passwd\r\n\r\n",
    "a redirect to FTP": MOVED + b"Location: ftp://127.0.0.1/x\r\n\r\n",
    "a redirect to data": MOVED + b"Location: data:,x\r\n\r\n",
    "a redirect to itself": MOVED + b"Location: /a\r\n\r\n",
    "a length of 5,000 digits": OK + b"Content-Length: %s\r\n\r\nx" % (b"9" * 5000),
    "a length below zero": OK + b"Content-Length: -1\r\n\r\nx",
    "a length that is no number": OK + b"Content-Length: many\r\n\r\nx",
    "two lengths": OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    "a chunk of a size that is no number": OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nx",
    "a chunk of a size below zero": OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nx",
    "a chunk of a size of 100,000 digits": OK + b"Transfer-Encoding: chunked\r\n\r\n%s\r\n" % (b"1" * 100_000),
    "chunks in gzip": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    "a rest of 5,000 digits": b"HTTP/1.1 206 OK\r\nContent-Range: bytes 0-1/%s\r\n\r\nx" % (b"9" * 5000),
    "a rest that nobody asked for": b"HTTP/1.1 206 OK\r\nContent-Range: bytes 5-9/10\r\n\r\nx",
    "a status that is none": b"HTTP/1.1 abc\r\n\r\n",
    "a status of seven digits": b"HTTP/1.1 2000000 OK\r\n\r\n",
    "no HTTP": b"\0\xff\x1b[31m\r\n\r\n",
    "nothing": b"",
    "bytes that no header may have": OK + b"\0\xff: \x1b\r\n: \r\nContent-Length: 1\r\n\r\nx",
    "a header of 100 kB": OK + b"X: %s\r\n\r\n" % (b"x" * 100_000),
    "1,000 headers": OK + b"X: x\r\n" * 1000 + b"\r\n",
}


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(web, "TIMEOUT", (5, 5))


@pytest.mark.parametrize("raw", ANSWERS.values(), ids=ANSWERS)
def test_after_a_bad_answer_the_next_server_is_asked(server, raw):
    server["a"], server["b"] = Answer(raw=raw), DATA
    fetch(entry(server.url + "/a", server.url + "/b"))
    assert fetched() == DATA
    assert in_cache() == [sha(DATA)]


@pytest.mark.parametrize("raw", ANSWERS.values(), ids=ANSWERS)
def test_a_bad_answer_is_one_printable_line(server, raw):
    server["a"] = Answer(raw=raw)
    message = refused(entry(server.url + "/a"))
    assert message.startswith(f"toy: model.bin: {server.url}/a ")
    assert message.isprintable() and len(message) < 1000


@pytest.mark.parametrize("raw", ANSWERS.values(), ids=ANSWERS)
def test_a_bad_answer_of_a_mirror_is_passed_over(server, monkeypatch, raw):
    server["SHA256SUMS"], server["b"] = Answer(raw=raw), DATA
    monkeypatch.setenv("ZOOMILL_MIRRORS", server.url)
    fetch(entry(server.url + "/b"))
    assert fetched() == DATA


def test_a_server_that_does_not_speak_tls_is_passed_over(server):
    server["b"] = DATA
    fetch(entry(server.url.replace("http:", "https:") + "/a", server.url + "/b"))
    assert fetched() == DATA


def test_a_good_redirect_is_followed(server):
    server["a"] = Answer(raw=MOVED + "Location: b/d%20é\r\n\r\n".encode())
    server["b/d%20%C3%A9"] = DATA
    fetch(entry(server.url + "/a"))
    assert fetched() == DATA


def test_a_password_is_sent_along_to_the_same_server_alone(server):
    seen, session = [], web.Session()
    session.auth = None
    session.hooks["response"].append(lambda answer, **_: seen.append(answer.request.headers.get("Authorization")))
    with_password = server.url.replace("//", "//user:secret@")
    server["a"] = Answer(status=302, headers={"Location": server.url + "/b"})
    server["b"] = Answer(status=302, headers={"Location": server.url.replace("127.0.0.1", "localhost") + "/c"})
    server["c"] = DATA
    with web.answer(session, with_password + "/a", {}, web.Pace()) as response:
        assert response.status_code == 200
    assert [value is not None for value in seen] == [True, True, False]


@pytest.mark.parametrize(
    "start",
    [
        OK + b"Content-Length: 300000\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n",
        OK,
        b"HTTP/1.1 ",
        b"",
    ],
    ids=["content", "a chunk", "a header", "a status", "nothing"],
)
def test_a_server_of_a_byte_now_and_then_is_given_up_for_the_next(server, monkeypatch, start):
    monkeypatch.setattr(web, "WINDOW", 0.3)
    server["a"], server["b"] = Answer(raw=start, endless=b"1", pause=0.02), DATA
    fetch(entry(server.url + "/a", server.url + "/b"))
    assert fetched() == DATA
    assert server.paths[:2] == ["a", "b"] and server.paths.count("a") == 1


def test_a_server_that_sends_a_little_for_each_request_is_given_up(server, monkeypatch):
    monkeypatch.setattr(web, "WINDOW", 0.3)

    class Slow(Answer):
        drop_after = property(lambda self: time.sleep(0.05) or 1, lambda self, value: None)

    server["a"], server["b"] = Slow(DATA), DATA
    fetch(entry(server.url + "/a", server.url + "/b"))
    assert server.paths.count("a") < 20 and server.paths[-1] == "b"


@pytest.mark.parametrize(
    "start, again",
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: x\r\n"),
    ],
    ids=["interim answers", "trailers"],
)
def test_what_never_comes_to_content_is_given_up(server, monkeypatch, start, again):
    monkeypatch.setattr(web, "WINDOW", 0.3)
    server["a"], server["b"] = Answer(raw=start, endless=again), DATA
    fetch(entry(server.url + "/a", server.url + "/b"))
    assert fetched() == DATA


def test_a_server_that_is_fast_on_the_whole_may_rest(server, monkeypatch):
    monkeypatch.setattr(web, "WINDOW", 0.2)
    monkeypatch.setattr(web, "MIN_RATE", 10)
    server["a"] = Answer(raw=OK + b"Content-Length: 300000\r\n\r\n", endless=DATA[:30_000], pause=0.05)
    fetch(entry(server.url + "/a", data=DATA[:30_000] * 10))
    assert fetched() == DATA[:30_000] * 10


def test_a_redirect_with_content_without_end_is_followed(server):
    server["a"] = Answer(raw=MOVED + b"Location: /b\r\n\r\n", endless=bytes(MIB))
    server["b"] = DATA
    fetch(entry(server.url + "/a"))
    assert server.requests[0].sent < 20 * MIB


@pytest.mark.parametrize("size", [{}, {"size": None}])
def test_content_without_end_is_cut(server, monkeypatch, size):
    room = iter([1 << 40, 1 << 40])
    monkeypatch.setattr(download.disk, "free", lambda folder: next(room, 0))
    server["a"] = Answer(raw=OK + b"\r\n", endless=bytes(MIB))
    message = refused(entry(server.url + "/a", **size))
    assert ("gave more than the expected 300000 bytes" if not size else "and the disk is nearly full") in message
    assert server.sent < 20 * MIB
    assert in_cache() == []


def test_a_file_larger_than_the_disk_is_not_begun(server, monkeypatch):
    monkeypatch.setattr(download.disk, "free", lambda folder: 1000)
    server["a"] = DATA
    assert "has 300000 bytes, but the disk has room for 1000" in refused(entry(server.url + "/a", size=None))
    assert server.sent < len(DATA) or in_cache() == []


@pytest.mark.parametrize("answer", [Answer(raw=OK + b"\r\n", endless=bytes(MIB)), bytes(5000)])
def test_a_list_of_a_mirror_is_bounded(server, monkeypatch, capfd, answer):
    monkeypatch.setattr(mirrors, "MAX_LIST", 4000)
    monkeypatch.setenv("ZOOMILL_MIRRORS", server.url)
    server["SHA256SUMS"], server["a"] = answer, DATA
    fetch(entry(server.url + "/a"))
    assert fetched() == DATA
    assert "has a SHA256SUMS of more than 0 MiB" in capfd.readouterr().out
    assert server.requests[0].sent < 20 * MIB


@pytest.mark.parametrize("make", ["mkfifo", "ln -s /dev/zero", "mkdir", "ln -s SHA256SUMS"])
def test_a_list_of_a_mirror_that_is_no_file_is_passed_over(server, monkeypatch, capfd, make):
    import subprocess

    pathlib.Path("mirror").mkdir()
    subprocess.run([*make.split(), "SHA256SUMS"], cwd="mirror", check=True)
    monkeypatch.setenv("ZOOMILL_MIRRORS", "mirror")
    server["a"] = DATA
    fetch(entry(server.url + "/a"))
    assert "toy: model.bin: mirror has " in capfd.readouterr().out


@pytest.mark.parametrize("drop", [None, 100_000])
def test_what_comes_without_a_length_gets_no_new_digest(server, drop):
    server["a"] = Answer(DATA, length=False, drop_after=drop)
    message = refused(without_digest(server.url + "/a"), accept=True)
    assert "/a does not say where the file ends; give its `size` or `sha256` in the card" in message
    assert not pathlib.Path("sources.lock").exists()
    assert in_cache() == []


def test_a_rest_of_an_unknown_whole_gets_no_new_digest(server):
    tagged = b'ETag: "1"\r\nTransfer-Encoding: chunked\r\n'
    rest = b"HTTP/1.1 206 OK\r\n" + tagged + b"Content-Range: bytes 3-3/*\r\n\r\n1\r\nd\r\n0\r\n\r\n"
    server["a"] = [Answer(raw=OK + tagged + b"\r\n3\r\nabc\r\n"), Answer(raw=rest)]
    assert "does not say where the file ends" in refused(without_digest(server.url + "/a"), accept=True)


def test_chunks_that_end_prove_the_whole(server):
    server["a"] = Answer(DATA, chunked=True)
    fetch(without_digest(server.url + "/a"), accept=True)
    assert fetched() == DATA


def test_chunks_that_do_not_end_prove_nothing(server):
    server["a"] = Answer(DATA, chunked=True, ranges=False, drop_after=100_000)
    assert "broke off after" in refused(without_digest(server.url + "/a"), accept=True)
    assert not pathlib.Path("sources.lock").exists()


@pytest.mark.parametrize(
    "text",
    ["[]", "{}", "1", "null", '"x"', "{", "\xff", '{"url": 1, "etag": 2, "modified": 3, "size": "4"}', "[" * 60_000]
    + ['{"url": "x", "etag": null, "modified": null, "size": 1, "more": 1}', '"%s"' % ("x" * 100_000)],
)
def test_a_damaged_note_of_a_part_is_thrown_away_with_it(server, text):
    folder = pathlib.Path("sources/.cache")
    folder.mkdir(parents=True)
    (folder / (sha(DATA) + ".part")).write_bytes(OTHER[:1000])
    (folder / (sha(DATA) + ".part.json")).write_text(text, encoding="latin-1")
    server["a"] = DATA
    fetch(entry(server.url + "/a"))
    assert server.ranges == [None]
    assert in_cache() == [sha(DATA)]


def test_a_validator_that_cannot_be_sent_back_is_forgotten(server):
    head = OK + b'Content-Length: 300000\r\nETag: "\x1b"\r\nLast-Modified: %s\r\n\r\n' % (b"1" * 300)
    server["a"] = [Answer(raw=head + DATA[:1000]), DATA]
    fetch(entry(server.url + "/a"))
    assert server.requests[1].range == "bytes=1000-" and server.requests[1].if_range is None


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_busy_server_is_given_the_time_that_it_asks_for(server, monkeypatch, status, form):
    slept = []
    monkeypatch.setattr(download.time, "sleep", slept.append)
    value = "30" if form == "seconds" else email.utils.formatdate(time.time() + 30, usegmt=True)
    server["a"] = [Answer(status=status, headers={"Retry-After": value}), DATA]
    fetch(entry(server.url + "/a"))
    assert fetched() == DATA
    assert len(slept) == 1 and 25 < slept[0] <= 30


@pytest.mark.parametrize("value", ["121", "9" * 5000, "Fri, 31 Dec 2100 23:59:59 GMT"])
def test_a_busy_server_that_asks_for_more_is_left_for_the_next(server, value):
    server["a"], server["b"] = Answer(status=503, headers={"Retry-After": value}), DATA
    fetch(entry(server.url + "/a", server.url + "/b"))
    assert server.paths == ["a", "b"]


@pytest.mark.parametrize("value", ["soon", "-5", "1e9", "", "Fri, 31 Dec 2010 23:59:59 GMT", "Fri, 99 Foo 99999 99:99"])
def test_a_busy_server_that_asks_for_nothing_sound_is_asked_as_any_other(server, value):
    server["a"] = [Answer(status=503, headers={"Retry-After": value}), DATA]
    fetch(entry(server.url + "/a"))
    assert fetched() == DATA


def test_a_reason_phrase_does_not_reach_the_terminal(server, capfd):
    server["a"] = Answer(raw=b"HTTP/1.1 404 \x1b[2J\x07%s\r\n\r\n" % (b"x" * 5000))
    server["b"] = [Answer(raw=b"HTTP/1.1 503 \x1b[2J\r\n\r\n"), DATA]
    fetch(entry(server.url + "/a", server.url + "/b"))
    out = capfd.readouterr().out
    assert out.replace("\n", "").isprintable() and "\\x1b[2J\\x07xxx" in out and len(out) < 2000


def test_the_alarm_is_that_of_others_again(server):
    import signal

    server["a"] = DATA
    fetch(entry(server.url + "/a"))
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
