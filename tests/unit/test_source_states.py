"""Where sources are before a run; nothing is asked of the network."""

import hashlib
import json

import pytest

from zoomill.plan.downloads import Downloads
from zoomill.plan.source_states import SourceStates

DIGEST = hashlib.sha256(b"model").hexdigest()
URL = "https://user:secret@example.org/zoo/model.bin"


@pytest.fixture
def state(tmp_path, monkeypatch):
    """Return a function from entries of a card to where its source is, in a folder with a mirror."""
    monkeypatch.chdir(tmp_path)
    for name in ("here/model.bin", "mirror/model.bin"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"model")
    (tmp_path / "mirror/SHA256SUMS").write_text(f"{DIGEST}  model.bin\n{'1' * 64}  gone.bin\n")

    def tell(*entries, mirrors=(), accept=False):
        config = {"mirrors": list(mirrors), "accept_new_digests": accept}
        catalogue = {"toy": {"source": {"files": [{"name": "a", **entry} for entry in entries]}}}
        return SourceStates(Downloads(config, catalogue, {}, lambda path: path), config).of("toy")

    tell.folder = tmp_path
    return tell


def url(digest=DIGEST):
    return {"urls": [URL], "sha256": digest}


def test_what_is_in_no_folder_of_this_machine_is_to_be_fetched_from_its_server(state):
    assert state(url()) == "to be fetched from https://example.org"
    assert state(url("1" * 64), mirrors=["mirror", "nowhere"]) == "to be fetched from https://example.org"
    told = state(url(), mirrors=["https://me:secret@zoo.example"])
    assert told == "perhaps in the mirror https://zoo.example, else to be fetched from https://example.org"


def test_a_folder_with_the_digest_and_the_cache_come_before(state):
    assert state(url(), mirrors=["mirror"]) == "in the mirror mirror"
    (state.folder / "sources/.cache").mkdir(parents=True)
    (state.folder / "sources/.cache" / DIGEST).write_bytes(b"model")
    assert state(url(), mirrors=["mirror"]) == "in the cache"
    assert (
        state(url(), url("2" * 64)) == "1 of 2 files in the cache; 1 of 2 files to be fetched from https://example.org"
    )


def test_a_source_that_stands_is_there(state):
    (state.folder / "sources/toy").mkdir(parents=True)
    assert state(url()) == "is there"


def test_a_local_file_is_copied_or_not_to_be_had_and_a_retrained_one_is_another(state):
    own = {"urls": ["here/model.bin"]}
    assert state(own) == state({**own, "sha256": DIGEST}) == "to be copied from here"
    for digest in ({}, {"sha256": DIGEST}):
        assert state({"urls": ["none.bin"], **digest}) == "not to be had: none.bin is not there"
    (state.folder / "sources/toy").mkdir(parents=True)
    lock = {"toy": {"a": {"sha256": DIGEST, "size": 5}}}
    (state.folder / "sources.lock").write_text(json.dumps(lock))
    assert state(own) == "is there"
    (state.folder / "here/model.bin").write_bytes(b"MODEL")
    assert state(own) == "to be copied from here"
    (state.folder / "here/model.bin").unlink()
    assert state(own) == "not to be had: here/model.bin is not there"


def test_a_url_without_a_digest_is_not_to_be_had_unless_it_is_accepted_or_pinned(state):
    unknown = {"urls": [URL], "digest": None}
    assert state(unknown).startswith("not to be had: nobody has published a digest")
    assert state(unknown, accept=True) == "to be fetched from https://example.org"
    (state.folder / "sources.lock").write_text(json.dumps({"toy": {"a": {"sha256": DIGEST, "size": 5}}}))
    assert state(unknown, mirrors=["mirror"]) == "in the mirror mirror"
