"""A web server on this machine alone that hands out the files of given folders."""

import contextlib
import http.server
import os
import threading
import urllib.parse


class _Handler(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *args, folders, **kwargs):
        self._folders = folders
        super().__init__(*args, **kwargs)

    def translate_path(self, path):
        """Return the file that an address means; one that is outside the folders, also by a link, does not exist."""
        name, _, rest = urllib.parse.unquote(urllib.parse.urlsplit(path).path).lstrip("/").partition("/")
        root = os.path.realpath(self._folders.get(name, os.devnull))
        file = os.path.realpath(f"{root}/{rest}")
        inside = os.path.commonpath([root, file]) == root
        return file if inside and os.path.isfile(file) else os.devnull + "/"  # which can be no file

    def end_headers(self):
        # Both together allow WebAssembly with threads.
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()

    def log_message(self, *args):
        """Say nothing."""


@contextlib.contextmanager
def serve(folders):
    """Serve folders on 127.0.0.1 as long as the block runs, and yield the address, without a slash at the end.

    Args:
        folders: ``{name: folder}``; a file of it is at ``/name/file``.
    """

    def handler(*args):
        return _Handler(*args, folders=folders)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
