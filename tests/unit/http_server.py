"""A real HTTP server on the loopback interface that misbehaves on demand."""

import dataclasses
import http.server
import re
import threading


@dataclasses.dataclass
class Resource:
    """What a path answers, and what is wrong with it.

    Attributes:
        data: the whole body.
        etag, modified: validators, None to send none.
        statuses: answers for the first requests, in order, before the good ones.
        ranges: whether ``Range`` (and ``If-Range``) is understood.
        drop_after: bytes of body after which an answer is cut off, None for never.
        drops: how many answers are cut off, None for all.
        length: False sends no Content-Length and ends the body by closing the connection.
        content_range: sent in place of the true one.
        hold_after: bytes of body after which an answer stands still until the server is closed.
    """

    data: bytes
    etag: str | None = '"1"'
    modified: str | None = None
    statuses: list[int] = dataclasses.field(default_factory=list)
    ranges: bool = True
    drop_after: int | None = None
    drops: int | None = None
    length: bool = True
    content_range: str | None = None
    hold_after: int | None = None


@dataclasses.dataclass
class Request:
    """A request as it arrived, and the number of body bytes sent in answer."""

    path: str
    range: str | None
    if_range: str | None
    sent: int = 0


class Server:
    """Serve ``resources``, a dict of :class:`Resource` (or bytes) by path, and note every request.

    Use it as a context manager; ``server.url`` has no slash at the end.
    """

    def __init__(self, **resources):
        self.resources = {}
        self.requests = []
        self.released = threading.Event()
        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._http.owner = self
        self.url = "http://127.0.0.1:%d" % self._http.server_port
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        for name, resource in resources.items():
            self[name] = resource

    def __setitem__(self, name, resource):
        self.resources["/" + name] = resource if isinstance(resource, Resource) else Resource(resource)

    def __getitem__(self, name):
        return self.resources["/" + name]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.released.set()
        self._http.shutdown()
        self._http.server_close()

    def sent(self):
        """Return the number of body bytes sent so far."""
        return sum(request.sent for request in self.requests)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        owner = self.server.owner
        self.request_seen = Request(self.path, self.headers["Range"], self.headers["If-Range"])
        owner.requests.append(self.request_seen)
        resource = owner.resources.get(self.path)
        if resource is None:
            return self._plain(404)
        if resource.statuses:
            return self._plain(resource.statuses.pop(0))
        start = self._start(resource)
        if start is not None and start >= len(resource.data):
            return self._plain(416)
        self._headers(resource, start)
        self._body(resource, resource.data[start or 0 :])

    def _plain(self, status):
        body = b"<html>no</html>"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _start(self, resource):
        """Return where the rest begins that was asked for, None for the whole body."""
        found = re.fullmatch(r"bytes=(\d+)-", self.headers["Range"] or "")
        valid = self.headers["If-Range"] in (None, resource.etag, resource.modified)
        return int(found[1]) if resource.ranges and found and valid else None

    def _headers(self, resource, start):
        size = len(resource.data)
        self.send_response(200 if start is None else 206)
        if start is not None:
            true = "bytes %d-%d/%d" % (start, size - 1, size)
            self.send_header("Content-Range", resource.content_range or true)
        if resource.length:
            self.send_header("Content-Length", str(size - (start or 0)))
        else:
            self.send_header("Connection", "close")
        if resource.etag:
            self.send_header("ETag", resource.etag)
        if resource.modified:
            self.send_header("Last-Modified", resource.modified)
        self.end_headers()

    def _body(self, resource, body):
        cut = resource.drop_after is not None and resource.drops != 0
        if cut:
            body = body[: resource.drop_after]
            resource.drops = resource.drops and resource.drops - 1
            self.close_connection = True
        if resource.hold_after is not None:
            self._send(body[: resource.hold_after])
            self.server.owner.released.wait()
            self.close_connection = True
        else:
            self._send(body)

    def _send(self, body):
        try:
            self.wfile.write(body)
            self.request_seen.sent += len(body)
        except ConnectionError:
            self.close_connection = True
