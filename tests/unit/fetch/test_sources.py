"""Sources and mirrors, and the order in which they are asked."""

import os
import pathlib
import shutil
from urllib.parse import quote

import pytest

import fetch_source
from zoomill.fetch import local_files, source_lock
from zoomill.inputs import samples

from .fetching import (
    DATA,
    HTML,
    LFS,
    OTHER,
    entry,
    fetch,
    fetched,
    flags,
    in_cache,
    mirror,
    refused,
    sha,
    without_digest,
)


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_a_file_is_cached_under_its_digest(server, algorithm):
    server["a"] = DATA
    digest = sha(DATA, algorithm)
    fetch({"name": "model.bin", "urls": [server.url + "/a"], algorithm: digest.upper()})
    assert fetched() == DATA
    assert in_cache() == [digest]


def test_a_name_may_have_folders(server):
    server["a"] = DATA
    fetch(entry(server.url + "/a", name="saved_model/variables/x"))
    assert fetched("saved_model/variables/x") == DATA


def test_a_local_file_is_copied_and_left_alone():
    pathlib.Path("starter").mkdir()
    pathlib.Path("starter/a").write_bytes(DATA)
    fetch(entry("starter/a"))
    assert fetched() == DATA
    assert os.stat("starter/a").st_nlink == 1


def test_a_folder_and_a_pattern_of_files_are_copied_by_their_absolute_paths(tmp_path):
    for name in ("export/a", "export/variables/b"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(DATA)
    fetch({"name": ".", "urls": [f"{tmp_path}/export"]}, {"name": "more", "urls": [f"{tmp_path}/export/*"]})
    assert {fetched(name) for name in ("a", "variables/b", "more/a")} == {DATA}


def test_a_local_file_without_a_digest_is_taken_as_it_is_and_recorded():
    own = {"name": "model.bin", "urls": ["a"]}
    for content in (DATA, OTHER):
        pathlib.Path("a").write_bytes(content)
        fetch_source.main([*flags([own]), "--local-digests", "sources.lock"])
        assert fetched() == content
        assert source_lock.read("sources.lock") == {
            "toy": {"model.bin": {"sha256": sha(content), "size": len(content)}}
        }


def test_a_pinned_digest_of_a_url_stays_when_a_local_file_beside_it_is_another(server):
    server["a"] = DATA
    entries = [without_digest(f"{server.url}/a", name="far"), {"name": "near", "urls": ["b"]}]
    pathlib.Path("b").write_bytes(DATA)
    fetch(*entries, accept=True)
    pathlib.Path("b").write_bytes(OTHER)
    fetch_source.main([*flags(entries), "--local-digests", "sources.lock"])
    digests = {name: entry["sha256"] for name, entry in source_lock.read("sources.lock")["toy"].items()}
    assert digests == {"far": sha(DATA), "near": sha(OTHER)}


def test_a_local_file_that_changes_after_it_was_hashed_is_told():
    (planned,) = local_files.found({"name": "model.bin", "urls": [__file__]})
    pathlib.Path("a").write_bytes(DATA)
    message = refused({**planned, "urls": ["a"], "size": len(DATA)})
    assert message.startswith("toy: model.bin: a gave sha256 ")
    assert message.endswith("; it was changed since the run began, or cannot be read; run again")


@pytest.mark.parametrize("content", [OTHER, DATA[:-1], DATA + b"x", b""])
def test_a_local_file_is_verified_as_well(content):
    pathlib.Path("a").write_bytes(content)
    assert "model.bin: a " in refused(entry("a"))
    assert in_cache() == []
    assert pathlib.Path("a").read_bytes() == content


def test_a_missing_local_file_is_named():
    assert "starter/a is no file that can be read" in refused(entry("starter/a"))


def test_a_local_lfs_pointer_is_named():
    pathlib.Path("a").write_bytes(LFS)
    assert "a is a Git LFS pointer instead of the file" in refused(entry("a"))


def test_the_next_url_is_tried(server):
    server["good"] = DATA
    fetch(entry(server.url + "/gone", server.url + "/good"))
    assert fetched() == DATA
    assert server.paths == ["gone", "good"]


def test_all_failed_sources_are_summed_up(server):
    server["html"], server["wrong"] = HTML, OTHER
    message = refused(entry(*(server.url + path for path in ("/gone", "/html", "/wrong"))))
    assert message.startswith(f"toy: model.bin: {server.url}/gone answered 404 Not Found; ")
    assert "/html answered with an HTML page instead of the file; " in message
    assert f"/wrong gave sha256 {sha(OTHER)}, expected {sha(DATA)}; " in message
    assert message.endswith("; check the URL in toy.yaml")


def test_a_server_that_is_not_there_is_a_matter_of_the_network(server):
    server.close()
    message = refused(entry(server.url + "/a"))
    assert message.startswith(f"toy: model.bin: {server.url}/a did not answer (Connection refused); ")
    assert message.endswith("check the network connection, or name a folder that has it in `mirrors` of config.yaml")


def test_a_password_in_a_url_is_not_told(server, capfd):
    message = refused(entry(server.url.replace("//", "//user:secret@") + "/gone"))
    assert "secret" not in message + "".join(capfd.readouterr())


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_a_mirror_folder_comes_before_the_urls(server, monkeypatch, algorithm):
    monkeypatch.setenv("ZOOMILL_MIRRORS", mirror(algorithm=algorithm))
    fetch({"name": "model.bin", "urls": [server.url + "/a"], algorithm: sha(DATA, algorithm)})
    assert fetched() == DATA
    assert server.requests == []
    assert os.stat("mirror/zoo/a.bin").st_nlink == 1


def test_a_mirror_may_be_a_base_url(server, monkeypatch):
    server["m/SHA256SUMS"] = (f"{sha(DATA)} *zoo%20/a b.bin\r\n").encode()
    server["m/zoo%2520/a%20b.bin"] = DATA
    monkeypatch.setenv("ZOOMILL_MIRRORS", server.url + "/m/")
    fetch(entry(server.url + "/a"))
    assert fetched() == DATA
    assert server.paths == ["m/SHA256SUMS", "m/zoo%2520/a%20b.bin"]


def test_mirrors_are_tried_in_order(server, monkeypatch):
    for name in ("one", "two"):
        server[name + "/SHA256SUMS"] = (f"{sha(DATA)}  a\n").encode()
    server["two/a"] = DATA
    monkeypatch.setenv("ZOOMILL_MIRRORS", f"\n{server.url}/one\n\n{server.url}/two\n")
    fetch(entry(server.url + "/a"))
    assert fetched() == DATA
    assert server.paths == ["one/SHA256SUMS", "one/a", "two/SHA256SUMS", "two/a"]


def test_the_list_of_a_mirror_is_read_once_for_all_files(server, monkeypatch):
    server["SHA256SUMS"] = (f"{sha(DATA)}  a\n{sha(OTHER)}  b\n").encode()
    server["a"], server["b"] = DATA, OTHER
    monkeypatch.setenv("ZOOMILL_MIRRORS", server.url)
    fetch(entry("x", name="a"), entry("x", name="b", data=OTHER))
    assert server.paths == ["SHA256SUMS", "a", "b"]


def test_a_mirror_that_lies_is_reported_and_passed_over(server, monkeypatch, capfd):
    monkeypatch.setenv("ZOOMILL_MIRRORS", mirror(content=OTHER))
    server["a"] = DATA
    fetch(entry(server.url + "/a"))
    assert fetched() == DATA
    out, err = capfd.readouterr()
    assert f"toy: model.bin: mirror/zoo/a.bin gave sha256 {sha(OTHER)}, expected {sha(DATA)}" in out
    assert err == ""


@pytest.mark.parametrize("path", ["../secret", "/secret", "zoo/../../secret", "zoo\\..\\secret"])
def test_a_mirror_path_that_escapes_is_refused(server, monkeypatch, path):
    pathlib.Path("secret").write_bytes(DATA)
    monkeypatch.setenv("ZOOMILL_MIRRORS", mirror(path=path))
    assert "mirror lists a file outside itself" in refused(entry(server.url + "/gone"))


@pytest.mark.parametrize("place", ["nowhere", "http://127.0.0.1:9/zoo", "{url}/m"])
def test_a_mirror_without_a_list_is_reported_and_passed_over(server, monkeypatch, capfd, place):
    place = place.format(url=server.url)
    monkeypatch.setenv("ZOOMILL_MIRRORS", place)
    server["a"] = DATA
    fetch(entry(server.url + "/a"))
    assert fetched() == DATA
    assert f"toy: model.bin: {place} " in capfd.readouterr().out


def test_a_mirror_without_a_list_is_asked_once_for_all_files(server, monkeypatch):
    server["a"], server["b"] = DATA, OTHER
    monkeypatch.setenv("ZOOMILL_MIRRORS", server.url)
    fetch(entry(server.url + "/a", name="a"), entry(server.url + "/b", name="b", data=OTHER))
    assert server.paths == ["SHA256SUMS", "a", "b"]


def test_a_file_without_digest_is_not_asked_of_a_mirror(server, monkeypatch):
    server["a"] = DATA
    monkeypatch.setenv("ZOOMILL_MIRRORS", server.url)
    fetch(without_digest(server.url + "/a"), accept=True)
    assert server.paths == ["a"]


@pytest.mark.parametrize("name", ["two words.npy", "100%25.npy"])
def test_a_sample_of_a_folder_is_named_as_it_is_and_that_of_a_server_is_quoted(server, name):
    pathlib.Path("samples").mkdir()
    pathlib.Path("samples", name).write_bytes(DATA)
    server[f"zoo/{quote(name)}"] = DATA
    index = samples.index_text([samples.Sample(name, len(DATA), sha(DATA), "")])
    pathlib.Path("index.csv").write_text(index)
    for place in (os.path.abspath("samples"), f"{server.url}/zoo"):
        fetch_source.main([*flags([]), "--index", "index.csv", "--sample-urls", f"{place}/{{name}}"])
        assert fetched(name) == DATA
        shutil.rmtree("sources/.cache")
