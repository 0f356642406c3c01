"""The folder that is made, and entries of a card that are refused."""

import os
import pathlib
import subprocess

import pytest

from zoomill import files, made
from zoomill.errors import UserError

from .fetching import COMMAND, DATA, HTML, OTHER, entry, fetch, fetched, flags, outputs, refused, sha, tar_gz


def test_an_archive_is_unpacked_beside_plain_files(server):
    data = tar_gz(**{"a": b"a", "b/c": b"c", "b/d.txt": b"d"})
    server["x"], server["y"] = data, DATA
    packed = entry(server.url + "/x", data=data, name="x", unpack={"strip": 1, "only": ["a", "b/*.txt"]})
    fetch(packed, entry(server.url + "/y", name="b/y"))
    names = sorted(str(path.relative_to("sources/toy")) for path in pathlib.Path("sources/toy").rglob("*.*"))
    assert names == ["b/d.txt"]
    assert sorted(os.listdir("sources/toy/b")) == ["d.txt", "y"]
    assert fetched("a") == b"a"


@pytest.mark.parametrize("name", ["model.bin", "model.bin/x", "x/model.bin"])
def test_an_archive_and_a_plain_file_may_not_collide(server, name):
    data = tar_gz(**{name: b"a"})
    server["x"], server["y"] = data, DATA
    packed = entry(server.url + "/x", data=data, name="x.tar", unpack={"strip": 1})
    plain = "x" if name.startswith("x") else "model.bin"
    assert "as does another file of the card" in refused(packed, entry(server.url + "/y", name=plain))


def test_a_refused_archive_leaves_nothing(server):
    server["x"] = DATA
    message = refused(entry(server.url + "/x", unpack={}))
    assert message.startswith("toy: model.bin: is damaged, or not a tar or zip archive")


def test_an_earlier_output_is_replaced(server):
    server["a"] = DATA
    os.makedirs("sources/toy/old")
    fetch(entry(server.url + "/a"))
    assert os.listdir("sources/toy") == ["model.bin"]


def test_an_earlier_output_does_not_outlive_a_failure(server):
    os.makedirs("sources/toy/old")
    refused(entry(server.url + "/gone"))


def test_the_left_over_of_a_killed_run_is_removed(server):
    os.makedirs("sources/.toy.tmp/half")
    server["a"] = DATA
    fetch(entry(server.url + "/a"))
    assert outputs() == ["toy"]
    assert os.listdir("sources/toy") == ["model.bin"]


def test_an_edit_of_the_output_is_refused_and_does_not_reach_the_cache(server):
    server["a"], server["b"] = DATA, tar_gz(**{"c": b"c"})
    packed = entry(server.url + "/b", data=tar_gz(**{"c": b"c"}), name="b", unpack={"strip": 1})
    fetch(entry(server.url + "/a"), packed)
    for name in ("model.bin", "c"):
        path = pathlib.Path("sources/toy", name)
        assert path.stat().st_mode & 0o777 == 0o444 and path.stat().st_nlink == 1
        path.chmod(0o644)
    with open("sources/toy/model.bin", "r+b") as file:
        file.write(bytes(1000))
    with pytest.raises(UserError, match="^sources/toy/model.bin: was changed after .* --force sources/toy`$"):
        made.checked("sources/toy/c")
    assert pathlib.Path("sources/.cache", sha(DATA)).read_bytes() == DATA
    fetch(entry(server.url + "/a"), packed)
    assert fetched() == DATA and len(server.requests) == 2


def test_the_record_of_the_output_names_the_download(server):
    server["a"] = DATA
    fetch(entry(server.url + "/a"))
    assert files.read_json("sources/.made/toy.json")["read"] == {f".cache/{sha(DATA)}": sha(DATA)}


@pytest.mark.parametrize(
    "name", ["../x", "/x", "a/../../x", "", ".", "./x", "a//b", "a\\b", "a\nb", "x" * 300, "a/" * 300 + "b"]
)
def test_a_name_that_escapes_or_is_odd_is_refused(name):
    assert "toy.yaml" in refused(entry("a", name=name))


@pytest.mark.parametrize("one, other", [("a", "a"), ("a", "A"), ("a", "a/b"), ("x/a/b", "X/a")])
def test_names_that_collide_are_refused(one, other):
    message = refused(entry("a", name=one), entry("a", name=other))
    assert message.endswith("collide; rename one of them in toy.yaml")


@pytest.mark.parametrize(
    "wrong",
    [
        {"sha256": "12"},
        {"sha256": "x" * 64},
        {"sha384": "0" * 96},
        {"sha256": None},
        {"urls": []},
        {"urls": "a"},
        {"urls": ["ftp://host/a"]},
        {"urls": [1]},
        {"name": 1},
        {"unpack": 1},
        {"unpack": {"strip": "x"}},
        {"unpack": {"strip": -1}},
        {"unpack": {"only": "*.pb"}},
        {"size": "300000"},
        {"digest": None},
    ],
)
def test_an_entry_that_cannot_be_meant_is_refused(wrong):
    assert refused({**entry("a"), **wrong}).endswith("; check toy.yaml")


def test_an_entry_without_any_digest_is_refused():
    assert "give one of sha256, sha384, sha512, md5" in refused({"name": "a", "urls": ["http://127.0.0.1:9/a"]})


@pytest.mark.parametrize("body", [HTML, OTHER, DATA])
def test_an_error_is_one_line_and_status_1(server, body):
    server["a"] = body
    command = [*COMMAND, *flags([entry(server.url + "/a", unpack={"strip": 1})])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: toy: model.bin: ")
    assert done.stderr.count("\n") == 1
    assert outputs() == []


def test_a_folder_that_cannot_be_written_is_one_line(server):
    pathlib.Path("sources").write_bytes(b"in the way")
    with pytest.raises(UserError, match=r"^toy: sources/\.cache: "):
        fetch(entry(server.url + "/a"))
