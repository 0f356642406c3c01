"""Servers and mirrors that answer nonsense, too slowly, or without an end; a good server stands behind each."""

import socket
import threading
import time

from attacks.attack import attack

GOOD = b"the right bytes"


class Server:
    """Give every connection to a function of ``(connection, request)``; a context manager."""

    def __init__(self, answer):
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._socket.close()

    def _serve(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection):
        with connection:
            try:
                request = b""
                while b"\r\n\r\n" not in request and (part := connection.recv(65536)):
                    request += part
                self._answer(connection, request)
            except OSError:
                return  # the client went away


def good(connection, request):
    """Answer with the right bytes."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(GOOD), GOOD))


def says(answer):
    """Return a function that answers with these bytes."""
    return lambda connection, request: connection.sendall(answer)


def register(name, answer, **flags):
    """Register an attack of a server; nothing is made for it."""

    def make(place):
        """Nothing: the server is the attack."""

    make.__name__ = name
    attack("server", answer=answer, **flags)(make)


def drip(connection, request):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(1)


def drip_headers(connection, request):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X: y\r\n")
        time.sleep(1)


def endless_headers(connection, request):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X: y\r\n" * 1000)


def endless_list(connection, request):
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while True:
        connection.sendall((b"0" * 64 + b"  a\n") * 10_000)


EMPTY = b"Content-Length: 0\r\nConnection: close\r\n\r\n"
FOUND = b"HTTP/1.1 302 Found\r\nLocation: %s\r\n" + EMPTY
OK = b"HTTP/1.1 200 OK\r\n"
for title, target in {
    "half an address": b"http://[::1/x",
    "what is no ASCII": b"http://\xe2\x80\xa8\xff/",
    "a port of words": b"http://a:b/",
    "a file": b"file:///etc/hostname",
}.items():
    register(f"redirects to {title}", says(FOUND % target))
register("redirects without an end", says(FOUND % b"/again"))
register("length of 5000 digits", says(OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nx"))
register("negative length", says(OK + b"Content-Length: -5\r\n\r\nx"))
register("reason with escape sequences", says(b"HTTP/1.1 404 \x1b[2J\x1b]0;owned\x07gone\r\n" + EMPTY))
register("no HTTP at all", says(b"\x00\xff" * 1000))
register("status of letters", says(b"HTTP/1.1 abc OK\r\n" + EMPTY))
register("gzip that is none", says(OK + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"))
register("one byte a second", drip)
register("one header a second", drip_headers)
register("headers without an end", endless_headers)
register("mirror whose list never ends", endless_list, mirror=True)
register("mirror that redirects to half an address", says(FOUND % b"http://[::1/x"), mirror=True)
