"""Artifacts that are folders."""

import os
import subprocess
from pathlib import Path

import pytest

from zoomill import files, folders


@pytest.fixture
def folder(tmp_path):
    """A folder with three files, one of them hidden."""
    for name, text in (("b.bin", "bb"), ("a/c.bin", "c"), (".snakemake_timestamp", "now")):
        (tmp_path / "ir" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "ir" / name).write_text(text)
    return tmp_path / "ir"


def test_the_members_are_sorted_and_hidden_files_are_none(folder):
    assert [os.path.relpath(path, folder) for path in folders.members(folder)] == ["a/c.bin", "b.bin"]
    assert folders.size(folder) == 3


def test_a_file_is_its_own_only_member(folder):
    file = folder / "b.bin"
    assert folders.members(file) == [file]
    assert folders.digest(file) == files.digest(file) and folders.size(file) == 2


def test_the_digest_is_that_of_what_sha256sum_prints(folder):
    printed = subprocess.run(["sha256sum", "a/c.bin", "b.bin"], cwd=folder, capture_output=True, check=True)
    (folder / "printed").write_bytes(printed.stdout)
    expected = files.digest(folder / "printed")
    (folder / "printed").unlink()
    assert folders.digest(folder) == expected


def test_the_digest_depends_on_contents_and_names_and_on_nothing_hidden(folder):
    before = folders.digest(folder)
    (folder / ".snakemake_timestamp").write_text("later")
    assert folders.digest(folder) == before
    (folder / "b.bin").rename(folder / "d.bin")
    renamed = folders.digest(folder)
    (folder / "d.bin").write_text("other")
    assert len({before, renamed, folders.digest(folder)}) == 3


def test_a_written_folder_replaces_the_one_that_stood_there(folder):
    with folders.written(folder) as temporary:
        Path(temporary, "new").touch()
    assert os.listdir(folder) == ["new"] and sorted(os.listdir(folder.parent)) == [".made", "ir"]


def test_a_failure_keeps_the_old_folder_and_leaves_nothing_else(folder):
    with pytest.raises(ZeroDivisionError), folders.written(folder) as temporary:
        Path(temporary, "new").touch()
        raise ZeroDivisionError
    assert (folder / "b.bin").exists() and os.listdir(folder.parent) == ["ir"]
