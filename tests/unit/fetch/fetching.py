"""What the tests of the fetch command share: contents, entries of a card, and the command itself."""

import hashlib
import io
import json
import pathlib
import random
import sys
import tarfile

import pytest
from http_server import Answer

import fetch_source
from zoomill.errors import UserError

MIB = 1 << 20
DATA = random.Random(1).randbytes(300_000)
OTHER = random.Random(2).randbytes(len(DATA))
LARGE = random.Random(3).randbytes(5 * MIB + 17)
HTML = b"\n<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>\n"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 300000\n" % (b"0" * 64)
COMMAND = [sys.executable, fetch_source.__file__]
BUSY = Answer(status=503)


def sha(data, algorithm="sha256"):
    return hashlib.new(algorithm, data).hexdigest()


def entry(*urls, data=DATA, name="model.bin", **more):
    return {"name": name, "urls": list(urls), "size": len(data), "sha256": sha(data), **more}


def without_digest(*urls, name="model.bin", **more):
    return {"name": name, "urls": list(urls), "digest": None, **more}


def flags(entries, model="toy", accept=False):
    folders = ["--cache", "sources/.cache", "--lock", "sources.lock", "--output", "sources/" + model]
    more = ["--new-digests", "sources.lock"] if accept else []
    return ["--model", model, "--files", json.dumps(entries), *folders, *more]


def fetch(*entries, **more):
    fetch_source.main(flags(entries, **more))


def refused(*entries, **more):
    """Fetch, which must fail and leave no output, and return the message."""
    with pytest.raises(UserError) as caught:
        fetch(*entries, **more)
    assert len(str(caught.value).splitlines()) == 1
    assert outputs() == []
    return str(caught.value)


def outputs():
    return [path.name for path in pathlib.Path("sources").glob("*") if path.name not in (".cache", ".made")]


def fetched(name="model.bin"):
    return pathlib.Path("sources/toy", name).read_bytes()


def in_cache():
    return sorted(path.name for path in pathlib.Path("sources/.cache").glob("*"))


def tar_gz(**members):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo("top/" + name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return packed.getvalue()


def mirror(listed=DATA, content=DATA, algorithm="sha256", path="zoo/a.bin"):
    folder = pathlib.Path("mirror")
    (folder / "zoo").mkdir(parents=True)
    (folder / "zoo/a.bin").write_bytes(content)
    lines = ["# a comment", "%s  zoo/other" % ("0" * 64), f"{sha(listed, algorithm)}  {path}"]
    (folder / (f"{algorithm.upper()}SUMS")).write_text("\n".join(lines) + "\n")
    return "mirror"
