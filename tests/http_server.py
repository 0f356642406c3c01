"""A real HTTP server on the loopback interface that misbehaves on demand."""

import contextlib
import dataclasses
import http.server
import re
import threading


@dataclasses.dataclass
class Answer:
    """What a path answers, and what is wrong with it.

    Attributes:
        data: the whole body.
        status: anything but 200 is sent with a short web page instead of ``data``.
        etag, modified: validators, None to send none.
        ranges: whether ``Range`` and ``If-Range`` are understood.
        drop_after: bytes of body after which the connection is closed, None for never.
        length: False sends no Content-Length and ends the body by closing the connection.
        content_range: sent in place of the true one.
        hold_after: bytes of body after which the answer stands still until the server is closed.
        chunked: whether the body is sent in chunks.
        headers: more of them.
        raw: bytes that are sent as they are in place of a whole answer.
        endless: bytes that follow ``raw`` again and again, for as long as someone reads.
        pause: seconds before each of them.
    """

    data: bytes = b""
    status: int = 200
    etag: str | None = '"1"'
    modified: str | None = None
    ranges: bool = True
    drop_after: int | None = None
    length: bool = True
    content_range: str | None = None
    hold_after: int | None = None
    chunked: bool = False
    headers: dict = dataclasses.field(default_factory=dict)
    raw: bytes | None = None
    endless: bytes = b""
    pause: float = 0


@dataclasses.dataclass
class Request:
    """A request as it arrived, and the number of body bytes sent in answer."""

    path: str
    range: str | None
    if_range: str | None
    sent: int = 0


class Server:
    """Answer requests and note them in ``requests``; a context manager.

    ``server["a/b"] = answer`` sets what ``server.url + "/a/b"`` gives: bytes, an :class:`Answer`, or a list
    of them for one request after the other, of which the last stays. Other paths are not found.
    """

    def __init__(self):
        self.requests = []
        self.answers = {}
        self.released = threading.Event()
        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._http.daemon_threads = True
        self._http.owner = self
        # A client that goes away is part of the tests.
        self._http.handle_error = lambda *_: None
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def __setitem__(self, name, answers):
        answers = answers if isinstance(answers, list) else [answers]
        self.answers["/" + name] = [Answer(one) if isinstance(one, bytes) else one for one in answers]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.released.set()
        self._http.shutdown()
        self._http.server_close()

    @property
    def paths(self):
        return [request.path.removeprefix("/") for request in self.requests]

    @property
    def ranges(self):
        return [request.range for request in self.requests]

    @property
    def sent(self):
        """Bytes of all bodies so far."""
        return sum(request.sent for request in self.requests)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        owner = self.server.owner
        self.seen = Request(self.path, self.headers["Range"], self.headers["If-Range"])
        owner.requests.append(self.seen)
        answers = owner.answers.get(self.path, [Answer(status=404)])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer.raw is not None:
            self._raw(answer)
            return
        start = self._start(answer)
        if start is not None and start >= len(answer.data):
            answer = Answer(status=416)
        if answer.status != 200:
            self._headers(answer, {"Content-Length": 13, **answer.headers}, answer.status)
            self.wfile.write(b"<html></html>")
            return
        size = len(answer.data)
        fields = {"ETag": answer.etag, "Last-Modified": answer.modified, **answer.headers}
        if start is not None:
            fields["Content-Range"] = answer.content_range or f"bytes {start}-{size - 1}/{size}"
        if answer.chunked:
            fields["Transfer-Encoding"] = "chunked"
        elif answer.length:
            fields["Content-Length"] = size - (start or 0)
        self.close_connection = answer.drop_after is not None or not answer.length
        self._headers(answer, fields, 200 if start is None else 206)
        body = answer.data[start or 0 :]
        if answer.chunked:
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        self._body(answer, body[: answer.drop_after])

    def _raw(self, answer):
        self.close_connection = True
        with contextlib.suppress(ConnectionError):
            self.wfile.write(answer.raw)
            while answer.endless and not self.server.owner.released.wait(answer.pause):
                self.wfile.write(answer.endless)
                self.seen.sent += len(answer.endless)

    def _start(self, answer):
        """Return where the rest begins that is asked for, None for the whole body."""
        found = re.fullmatch(r"bytes=(\d+)-", self.seen.range or "")
        valid = self.seen.if_range in (None, answer.etag, answer.modified)
        return int(found[1]) if answer.ranges and found and valid and answer.status == 200 else None

    def _headers(self, answer, fields, status):
        self.send_response(status)
        for name, value in fields.items():
            if value is not None:
                self.send_header(name, str(value))
        self.end_headers()

    def _body(self, answer, body):
        try:
            # Counted first: the client may look as soon as the bytes have come.
            self.seen.sent += len(body[: answer.hold_after])
            self.wfile.write(body[: answer.hold_after])
            if answer.hold_after is not None:
                self.server.owner.released.wait()
                self.close_connection = True
        except ConnectionError:
            self.close_connection = True
