"""The cache: a folder of complete files named by their digests, each checked before it counts.

What has come of a file so far stands there too, as ``<digest>.part``; without a digest the sha256 of the URL is the
name.
"""

import hashlib
import os

from zoomill import files
from zoomill.fetch import download, partial_file, server
from zoomill.fetch.expected_file import Wrong
from zoomill.fetch.progress import log


class Cache:
    """A folder of complete files and the means to fill it; processes may share it.

    Args:
        folder: made when the first file is fetched.
        bar: text file that the progress bar goes to, where that is a terminal.
    """

    def __init__(self, folder, bar):
        self.folder, self.bar = folder, bar
        self.session = server.Session()

    def find(self, expected, label):
        """Return the path of a file, its digest computed anew, or None; a file that was changed is removed.

        Raises:
            Wrong: when the file has the digest, but not the size that ``expected`` gives.
        """
        path = os.path.join(self.folder, expected.hex or "")
        if expected.hex is None or not os.path.exists(path):
            return None
        if files.digest(path, expected.algorithm) != expected.hex:
            log(label, f"was changed in {self.folder} and is fetched again")
            os.remove(path)
            return None
        if expected.size not in (None, os.path.getsize(path)):
            raise Wrong(f"has {os.path.getsize(path)} bytes, expected {expected.size}")
        return path

    def fetch(self, location, expected, label):
        """Fetch a file and return its path, ``<folder>/<digest>``.

        Args:
            location: a http(s) URL, or the path of a file, which is copied.
            expected: a :class:`ExpectedFile`.
            label: model and file, for log and progress bar.

        Raises:
            Broken: when the source cannot be reached; what came of the file is kept for the next run.
            Wrong: when it gives anything but the file; what it gave is not kept.
        """
        os.makedirs(self.folder, exist_ok=True)
        stem = expected.hex or hashlib.sha256(location.encode()).hexdigest()
        with partial_file.opened(os.path.join(self.folder, stem + ".part"), location, expected) as part:
            # Another process may have been quicker.
            if path := self.find(expected, label):
                part.remove()
                return path
            if expected.hex is None or part.mistake():
                download.fill(part, self.session, label, self.bar)
                if part.mixed and part.mistake():
                    log(label, "does not fit together from the pieces of several attempts; starting again")
                    part.clear()
                    download.fill(part, self.session, label, self.bar)
                if mistake := part.mistake():
                    part.reject(mistake)
            return part.keep(self.folder)
