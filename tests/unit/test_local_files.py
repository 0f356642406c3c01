"""Files of this machine that a card names without a digest: a file, a folder or a pattern, as they are now."""

import hashlib
from pathlib import Path

import pytest
from refusals import refusal

from zoomill.fetch import local_files


@pytest.fixture
def folder(tmp_path):
    """A folder with files at two depths."""
    for name in ("a.bin", "b.bin", "notes.txt", "deep/a.bin"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def names(*urls, name="."):
    """Return the names of the files that an entry stands for, after checking what is said of each."""
    found = local_files.found({"name": name, "urls": list(map(str, urls))})
    for one in found:
        (path,) = one["urls"]
        data = Path(path).read_bytes()
        assert (one["size"], one["sha256"], one["local"]) == (len(data), hashlib.sha256(data).hexdigest(), True)
    return [one["name"] for one in found]


def test_a_folder_stands_for_all_of_its_files_and_a_pattern_for_those_that_fit(folder):
    assert names(folder) == ["a.bin", "b.bin", "deep/a.bin", "notes.txt"]
    assert names(folder, name="x/y") == ["x/y/a.bin", "x/y/b.bin", "x/y/deep/a.bin", "x/y/notes.txt"]
    assert names(f"{folder}/*.bin", name="x") == ["x/a.bin", "x/b.bin"]
    assert names(folder / "a.bin", name="model.bin") == ["model.bin"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(folder):
    (folder / "[1].bin").write_text("x")
    assert names(folder / "[1].bin", name="model.bin") == ["model.bin"]


def test_the_first_place_that_is_there_counts(folder):
    assert names(folder / "none", folder / "deep") == ["a.bin"]


@pytest.mark.parametrize(
    "place, message",
    [
        ("none.bin", "none.bin is not there"),
        ("*.none", "*.none stands for no files"),
        ("empty", "empty stands for no files"),
        ("/dev/null", "/dev/null is no file"),
        ("pointer", "pointer is a Git LFS pointer instead of the file"),
        ("/proc/self/mem", "/proc/self/mem is an empty file"),
        ("/", "/ stands for more than 200 files"),
    ],
)
def test_what_is_not_there_is_told_in_one_line(folder, place, message):
    (folder / "empty").mkdir()
    (folder / "pointer").write_text("version https://git-lfs.github.com/spec/v1\n")
    assert refusal(local_files.found, {"name": ".", "urls": [str(folder / place)]}).endswith(message)


def test_a_file_that_cannot_be_read_and_a_folder_of_too_many_are_told(folder, monkeypatch):
    def denied(path):
        raise PermissionError(13, "Permission denied", path)

    path = str(folder / "a.bin")
    message = refusal(local_files.found, {"name": "a", "urls": [path]}, denied)
    assert message == f"{path} cannot be read (Permission denied)"
    monkeypatch.setattr(local_files, "_MOST", 3)
    assert "stands for more than 3 files" in refusal(local_files.found, {"name": "a", "urls": [str(folder)]})


def test_a_file_that_never_ends_is_read_up_to_its_size():
    assert local_files.digest("/proc/self/environ") == hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize(
    "entry, own",
    [
        ({"urls": ["a", "/b"]}, True),
        ({"urls": ["a"], "digest": None}, True),
        ({"urls": ["a"], "sha256": "0" * 64}, False),
        ({"urls": ["https://example.org/a"], "digest": None}, False),
        ({"urls": ["a", "https://example.org/a"], "digest": None}, False),
    ],
)
def test_only_files_of_this_machine_without_a_digest_are_taken_as_they_are(entry, own):
    assert local_files.is_own(entry) is own


def test_what_changed_is_told_with_both_digests_and_a_first_time_is_no_change():
    now = [
        {"name": name, "sha256": digest * 64, "local": True} for name, digest in (("a", "1"), ("b", "2"), ("d", "4"))
    ]
    before = {name: {"sha256": digest * 64} for name, digest in (("a", "1"), ("b", "3"), ("c", "3"), ("url", "5"))}
    told = local_files.changes([*now, {"name": "url", "digest": None}], before)
    assert told == [f"b {'3' * 12} → {'2' * 12}", f"c {'3' * 12} → gone", f"d new → {'4' * 12}"]
    assert local_files.changes(now, {}) == []
