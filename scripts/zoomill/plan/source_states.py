"""Where the sources of models are before a run: there, cached, in a mirror, to be fetched, or not to be had."""

import os
from urllib.parse import urlsplit

from zoomill.errors import UserError
from zoomill.fetch import expected_file, local_files, source_lock
from zoomill.fetch.expected_file import Broken, Wrong, is_url, public
from zoomill.fetch.mirrors import Mirror


class SourceStates:
    """What is known of sources without asking the network; paths begin at the working directory.

    Args:
        downloads: :class:`zoomill.plan.downloads.Downloads`.
        config: the configuration.
        folder: of the sources, with the cache in it.
        lock: path of sources.lock.

    Raises:
        UserError: when sources.lock cannot be read.
    """

    def __init__(self, downloads, config, folder="sources", lock="sources.lock"):
        self._downloads, self._config, self._folder = downloads, config, folder
        self._locked = source_lock.read(lock)
        self._mirrors = [Mirror(place, None) for place in config["mirrors"]]

    def undigested(self, model):
        """Return why a model's source would be refused for want of a digest, or None."""
        known = self._locked.get(model, {})
        unknown = [
            file["name"]
            for file in self._downloads.listed(model)
            if "digest" in file and not local_files.is_own(file) and file["name"] not in known
        ]
        if not unknown or self._config["accept_new_digests"] or self._is_there(model):
            return None
        return (
            f"{model}: nobody has published a digest of {unknown[0]}; to fetch it all the same and keep the digest "
            f"found in sources.lock: snakemake -j1 sources/{model} --config accept_new_digests=True"
        )

    def changes(self, model):
        """Return a line for files of this machine that are not what was taken of a model before, or None."""
        entries = self._downloads.entries(model)
        told = not any(map(local_files.is_own, entries)) and local_files.changes(entries, self._locked.get(model, {}))
        return f"{model}: a new source: {', '.join(told)}" if told else None

    def of(self, model):
        """Return where the source of a model is, one text."""
        missing = any(map(local_files.is_own, self._downloads.entries(model)))
        if self._is_there(model) and not missing and not self.changes(model):
            return "is there"
        found, entries = {}, self._downloads.entries(model)
        for file in entries:
            state, place = self._of_file(model, file)
            found.setdefault(state, []).append(place)
        whole = {state: f"{state} {', '.join(dict.fromkeys(places))}".rstrip() for state, places in found.items()}
        if len(found) == 1:
            return next(iter(whole.values()))
        return "; ".join(f"{len(found[state])} of {len(entries)} files {text}" for state, text in whole.items())

    def _is_there(self, model):
        return os.path.isdir(os.path.join(self._folder, model))

    def _of_file(self, model, file):
        """Return the state of a file and its place."""
        if local_files.is_own(file):
            return "not to be had:", _why(file)
        expected = expected_file.of_entry(file, self._locked.get(model, {}).get(file["name"], {}))
        if expected.hex is None and not self._config["accept_new_digests"]:
            return "not to be had:", "nobody has published a digest, and accept_new_digests is false"
        if expected.hex and os.path.exists(os.path.join(self._folder, ".cache", expected.hex)):
            return "in the cache", ""
        for mirror in self._mirrors:
            if not is_url(mirror.place) and _holds(mirror, expected):
                return "in the mirror", mirror.place
        servers = [public(mirror.place) for mirror in self._mirrors if is_url(mirror.place)]
        state, place = _first(file["urls"])
        return (f"perhaps in the mirror {', '.join(servers)}, else {state}" if servers else state), place


def _why(file):
    try:
        local_files.found(file)
    except UserError as error:
        return str(error)
    return "could not be read"


def _holds(mirror, expected):
    """Tell whether a folder has a file."""
    try:
        return os.path.exists(mirror.find(expected) or "")
    except (Broken, Wrong):
        return False


def _first(urls):
    """Return the state of a file that is neither cached nor in a mirror: the first URL or path that may give it."""
    for url in urls:
        if is_url(url):
            return "to be fetched from", f"{urlsplit(url).scheme}://{urlsplit(public(url)).netloc}"
        if os.path.isfile(url):
            return "to be copied from", os.path.dirname(url) or os.curdir
    return "not to be had:", f"{urls[0]} is not there"
