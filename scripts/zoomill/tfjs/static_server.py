"""A web server on this machine alone that hands out the files of given folders.

It answers no page but its own: whoever lets another name lead here (DNS rebinding) is refused, and so is whoever asks
from a page of elsewhere. Pages may load nothing from elsewhere and run no script but files of these folders and what
stands in the pages of TRUSTED.
"""

import base64
import contextlib
import hashlib
import http.server
import mimetypes
import os
import re
import sys
import threading
import urllib.parse

TRUSTED = "web"  # the folder whose pages may hold scripts and styles

_POLICY = {
    "default-src": "'none'",
    # TensorFlow.js and LiteRT.js compile WebAssembly, and start its threads from blobs.
    "script-src": "'self' 'wasm-unsafe-eval' blob:",
    "worker-src": "'self' blob:",
    "connect-src": "'self' blob:",
    "img-src": "'self' blob: data:",
    "media-src": "'self' blob:",
    "style-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
_HEADERS = {
    # What is rebuilt while a page is open is asked for anew.
    "Cache-Control": "no-cache",
    # Both together allow WebAssembly with threads.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_INLINE = re.compile(rb"<(script|style)\b(?![^>]*\bsrc=)[^>]*>(.*?)</\1>", re.DOTALL)


# Python's own table of types only: those of the machine may not be read, and differ.
mimetypes.init([])


class _Handler(http.server.SimpleHTTPRequestHandler):
    timeout = 60  # seconds for a request to arrive

    def __init__(self, *args, folders, **kwargs):
        self._folders = folders
        super().__init__(*args, **kwargs)

    def parse_request(self):
        """Read a request; return whether it is to be answered."""
        if not super().parse_request():
            return False
        own = [f"{name}:{self.server.server_port}" for name in ("127.0.0.1", "localhost")]
        if self.headers.get_all("Host", []) not in [[name] for name in own]:
            self.send_error(421)
            return False
        return True

    def translate_path(self, path):
        """Return the file that an address means; one that is outside the folders, also by a link, does not exist."""
        name, _, rest = urllib.parse.unquote(urllib.parse.urlsplit(path).path).lstrip("/").partition("/")
        root = os.path.realpath(self._folders.get(name, os.devnull))
        file = os.path.realpath(f"{root}/{rest}" if "\0" not in rest else os.devnull)
        inside = os.path.commonpath([root, file]) == root
        return file if inside and os.path.isfile(file) else os.devnull + "/"  # which can be no file

    def end_headers(self):
        self.send_header("Content-Security-Policy", self._policy())
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def _policy(self):
        """Return the policy for what is handed out: on a page of TRUSTED, what stands in it may run."""
        policy, file = dict(_POLICY), self.translate_path(getattr(self, "path", ""))
        trusted = os.path.realpath(self._folders.get(TRUSTED, os.devnull))
        if file.endswith(".html") and os.path.commonpath([trusted, file]) == trusted:
            with open(file, "rb") as page:
                for kind, text in _INLINE.findall(page.read()):
                    digest = base64.b64encode(hashlib.sha256(text).digest()).decode()
                    policy[f"{kind.decode()}-src"] += f" 'sha256-{digest}'"
        return "; ".join(f"{name} {value}" for name, value in policy.items())

    def log_message(self, *args):
        """Say nothing."""


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Say nothing of a page that is closed before all of it was sent, and the usual of everything else."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextlib.contextmanager
def serve(folders, port=0):
    """Serve folders on 127.0.0.1 as long as the block runs, and yield the address, without a slash at the end.

    Args:
        folders: ``{name: folder}``; a file of it is at ``/name/file``.
        port: of the address, 0 for any that is free.

    Raises:
        OSError: when the port cannot be had.
    """

    def handler(*args):
        return _Handler(*args, folders=folders)

    with _Server(("127.0.0.1", port), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
