"""The file that stands for all that a command is made of."""

import os

import pytest

from zoomill import code_files
from zoomill.plan import code_digest


@pytest.fixture
def digest(tmp_path, monkeypatch):
    """Return a function that looks at a command and its module as a new process does: the file's text and time."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/command.py").write_text("import module\n")
    (tmp_path / "scripts/module.py").write_text("VALUE = 1\n")
    os.utime(tmp_path / "scripts/command.py", (5, 5))
    os.utime(tmp_path / "scripts/module.py", (7, 7))

    def look():
        for cached in (code_files.code_files, code_files._imports, code_files.text, code_digest._digest):
            cached.cache_clear()
        path = tmp_path / code_digest.of("scripts/command.py")
        return path.read_text(), path.stat().st_mtime

    look.folder = tmp_path
    return look


def test_it_lists_each_file_with_its_digest_and_is_first_as_old_as_the_youngest(digest):
    text, time = digest()
    assert [line.split("  ")[1] for line in text.splitlines()] == ["command.py", "module.py"] and time == 7


def test_an_edit_that_keeps_size_and_time_is_seen(digest):
    before, path = digest(), digest.folder / "scripts/module.py"
    path.write_text("VALUE = 2\n")
    os.utime(path, (7, 7))
    text, time = digest()
    assert text != before[0] and time > before[1]


def test_a_touch_a_moved_folder_and_another_command_change_nothing(digest):
    before = digest()
    os.utime(digest.folder / "scripts/module.py")
    (digest.folder / "scripts/other.py").write_text("VALUE = 3\n")
    assert digest() == before
    moved = digest.folder / "moved"
    os.mkdir(moved)
    for name in ("scripts", ".snakemake"):
        os.rename(digest.folder / name, moved / name)
    os.chdir(moved)
    assert (moved / code_digest.of("scripts/command.py")).read_text() == before[0]


def test_one_that_is_broken_is_written_again_and_nothing_is_left_beside_it(digest):
    before = digest()[0]
    path = digest.folder / ".snakemake/code/command"
    path.write_bytes(b"\xff")
    assert digest()[0] == before
    assert os.listdir(path.parent) == ["command"]


def test_one_that_is_right_is_not_written(digest, monkeypatch):
    before = digest()
    monkeypatch.setattr(code_digest, "_write", None)
    assert digest() == before
