"""Fetch the files of one model: from the cache, mirrors or URLs; checked, unpacked, and put into one folder.

Mirrors stand in the environment variable ZOOMILL_MIRRORS, one folder or base URL a line. They are no flag:
it does not matter where bytes come from, since their digests decide.
"""

import argparse
import csv
import dataclasses
import itertools
import json
import os
import shutil
import unicodedata
from urllib.parse import quote

from zoomill import command, disk, files, made, sandbox
from zoomill.errors import UserError
from zoomill.fetch import archives, expected_file, local_files, mirrors, progress, source_lock
from zoomill.fetch.cache import Cache
from zoomill.fetch.expected_file import Broken, ExpectedFile, Wrong, is_url, public
from zoomill.inputs import samples
from zoomill.printable import printable


@dataclasses.dataclass(frozen=True)
class SourceFile:
    """A file of a card.

    Attributes:
        name: path below the output folder; for an archive, no more than a name.
        urls: http(s) URLs, or paths of local files, in the order in which they are tried.
        expected: its size and digest; for `digest: null` those of sources.lock, if it holds them.
        unpack: arguments of :func:`zoomill.fetch.archives.unpack`, or None for a file that is placed as it is.
        kept: whether its digest stands in sources.lock and not in the card.
        local: whether it is a file of this machine that the card gives no digest of.
        advice: what to do when no source gives it.
    """

    name: str
    urls: list[str]
    expected: ExpectedFile
    unpack: dict | None
    kept: bool
    local: bool
    advice: str


def main(argv=None):
    args = _arguments(argv)
    try:
        _fetch(args)
    except UserError as error:
        raise UserError(printable(f"{args.model}: {error}")) from None
    except OSError as error:
        raise UserError(printable(f"{args.model}: {disk.sentence(error)}")) from None


def _arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="name of the model, for messages and sources.lock")
    parser.add_argument("--files", required=True, help="the card's list of files, as JSON")
    parser.add_argument(
        "--index", type=made.unchecked, nargs="*", default=[], help="CSV of a data set, whose samples are fetched too"
    )
    parser.add_argument("--sample-urls", nargs="*", default=[], help="where they are, with {name} for a sample's name")
    parser.add_argument(
        "--cache", type=made.output_folder, required=True, help="folder of complete and partial downloads"
    )
    parser.add_argument("--lock", type=made.unchecked, required=True, help="sources.lock")
    parser.add_argument(
        "--new-digests",
        type=made.output,
        nargs="?",
        help="sources.lock, for a file whose card says `digest: null`: it is taken as it comes and recorded there",
    )
    parser.add_argument(
        "--local-digests",
        type=made.output,
        nargs="?",
        help="sources.lock, for files of this machine whose card gives no digest: what was taken is recorded there",
    )
    parser.add_argument(
        "--output", type=made.output, required=True, help="folder to make; what stands there is removed"
    )
    parser.add_argument("--progress-fd", type=int, default=2, help="file descriptor of a terminal for the bar")
    parser.add_argument("--events-fd", type=int, default=1, help="file descriptor for JSON lines in place of the bar")
    return command.parse(parser, argv)


def _fetch(args):
    parent, name = os.path.split(os.path.normpath(args.output))
    temporary = os.path.join(parent, f".{name}.tmp")
    _clear(args.output, temporary)
    wanted = _parsed(args)
    for file in wanted:
        if file.expected.hex is None and not args.new_digests:
            raise UserError(
                f"{file.name}: its card gives no digest; fetch it once with: snakemake -j1 {args.output} --config "
                f"accept_new_digests=True, which records the one found in {args.lock}"
            )
    shown = args.events_fd if progress.as_json() else args.progress_fd
    cache = Cache(args.cache, os.fdopen(shown, "w", closefd=False))
    places = mirrors.from_environment(cache.session)
    paths = {file.name: _obtain(file, f"{args.model}: {file.name}", cache, places) for file in wanted}
    os.makedirs(temporary)
    try:
        # Plain files first: nothing of an archive can then stand in their place.
        for file in sorted(wanted, key=lambda file: file.unpack is not None):
            _place(file, paths[file.name], temporary)
        if lock := args.new_digests or args.local_digests:
            taken = {file.name: _entry(paths[file.name]) for file in wanted if file.kept}
            source_lock.record(lock, args.model, taken, {file.name for file in wanted if file.local})
        _protect(temporary)
        made.record(args.output, temporary)
        os.rename(temporary, args.output)
    except BaseException:
        shutil.rmtree(temporary)
        raise


def _clear(output, temporary):
    """Remove an earlier output, and what a killed run left; no output ever stands half-removed."""
    shutil.rmtree(temporary, ignore_errors=True)
    if os.path.lexists(output):
        os.rename(output, temporary)
        shutil.rmtree(temporary)


def _parsed(args):
    """Return the card's files as :class:`SourceFile`, with the digests of sources.lock filled in."""
    locked = source_lock.read(args.lock).get(args.model, {})
    card = f"{args.model}.yaml"
    try:
        entries = [*json.loads(args.files), *_samples(args)]
        # Of what could not be read when the run was planned, the reason is told here.
        found = [local_files.found(entry) if local_files.is_own(entry) else [entry] for entry in entries]
        parsed = [_source_file(entry, locked, card) for entry in itertools.chain(*found)]
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError, csv.Error) as error:
        raise UserError(f"its list of files cannot be read ({error!r}); check {card}") from None
    except UserError as error:
        raise UserError(f"{error}; check {card}") from None
    if clash := archives.collision(file.name for file in parsed):
        raise UserError("the files {} and {} collide; rename one of them in {}".format(*clash, card))
    return parsed


def _samples(args):
    """Return the samples of an index as entries of a card's list of files."""
    return [
        {
            "name": sample.name,
            "urls": [
                url.replace("{name}", quote(sample.name) if is_url(url) else sample.name) for url in args.sample_urls
            ],
            "size": sample.bytes,
            "sha256": sample.sha256,
        }
        for index in args.index
        for sample in samples.read_index(index)
    ]


def _source_file(entry, locked, card):
    name, urls = entry["name"], entry["urls"]
    if not name or archives.inside(name) != name:
        raise UserError(f"the name {archives.shown(name)} is not a plain relative path")
    if not urls or isinstance(urls, str) or not all(map(_is_source, urls)):
        raise UserError(f"{name}: `urls` is not a list of http(s) URLs and paths")
    unpack = entry.get("unpack")
    if unpack is not None:
        strip, only = unpack.get("strip", 0), unpack.get("only", [])
        if not (isinstance(strip, int) and strip >= 0 and isinstance(only, list)):
            raise UserError(f"{name}: `unpack` is not {{strip: number, only: [pattern, ...]}}")
        unpack = {"strip": strip, "only": only}
    expected = expected_file.of_entry(entry, locked.get(name, {}))
    advice = f"check the URL in {card}"
    if "local" in entry:
        advice = "it was changed since the run began, or cannot be read; run again"
    elif "digest" in entry:
        advice += ", or delete the file's entry from sources.lock to take another one"
    return SourceFile(name, urls, expected, unpack, bool({"digest", "local"} & entry.keys()), "local" in entry, advice)


def _is_source(url):
    plain = all(unicodedata.category(letter) not in ("Cc", "Cs") for letter in url)
    return plain and (url.startswith(("http://", "https://")) or not is_url(url))


def _obtain(file, label, cache, places):
    """Return the path of a file in the cache, fetched from the first mirror or URL that gives it."""
    if file.expected.algorithm == "md5":
        progress.log(label, "is checked by size and md5 only, which is weak; give its sha256 in the card")
    try:
        if path := cache.find(file.expected, label):
            return path
    except Wrong as error:
        raise UserError(f"{file.name}: in the cache, {error}; {file.advice}") from None
    failures, sentences = [], []
    for source in [*places, *file.urls]:
        location = None
        try:
            location = source.find(file.expected) if isinstance(source, mirrors.Mirror) else source
            if location is not None:
                path = cache.fetch(location, file.expected, label)
                progress.log(label, f"came from {public(location)}")
                return path
        except (Broken, Wrong) as error:
            failures.append(error)
            sentences.append(f"{public(location or source.place)} {error}")
            progress.log(label, sentences[-1])
    advice = file.advice
    if all(isinstance(failure, Broken) for failure in failures):
        advice = "check the network connection, or name a folder that has it in `mirrors` of config.yaml"
    raise UserError("{}: {}; {}".format(file.name, "; ".join(sentences), advice))


def _place(file, path, folder):
    """Put a file of the cache, or what it holds, into a folder, read-only; an edit there cannot reach the cache."""
    destination = os.path.join(folder, file.name)
    made.checked(path)
    if file.unpack is not None:
        try:
            archives.unpack(path, folder, **file.unpack)
        except UserError as error:
            raise UserError(f"{file.name}: {error}; check the file and its `unpack`") from None
        return
    os.makedirs(os.path.dirname(destination), exist_ok=True)
    with disk.naming(destination):
        files.copy(path, destination)


def _protect(folder):
    """Make all files of a folder read-only; the folders stay writable, so that everything can be removed."""
    for parent, _, names in os.walk(folder):
        for name in names:
            os.chmod(os.path.join(parent, name), 0o444)


def _entry(path):
    return {"sha256": os.path.basename(path), "size": os.path.getsize(path)}


if __name__ == "__main__":
    command.run(main, network=sandbox.ANY)
