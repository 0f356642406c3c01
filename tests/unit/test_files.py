"""Whole files or none."""

import hashlib
import json
import os
import signal
import subprocess
import sys

import pytest

from zoomill import files


def test_a_file_appears_under_its_name_when_it_is_complete(tmp_path):
    path = tmp_path / "new/folder/a.bin"
    with files.written(path) as temporary:
        with open(temporary, "wb") as file:
            file.write(b"half")
        assert not path.exists()
    assert path.read_bytes() == b"half"
    assert sorted(os.listdir(path.parent)) == [".made", "a.bin"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_leaves_nothing_and_keeps_what_was_there(tmp_path, error):
    path = tmp_path / "a.bin"
    path.write_bytes(b"before")
    with pytest.raises(error), files.written(path) as temporary:
        with open(temporary, "wb") as file:
            file.write(b"half")
        raise error
    assert os.listdir(tmp_path) == ["a.bin"]
    assert path.read_bytes() == b"before"


def test_an_error_before_anything_was_written_is_not_hidden(tmp_path):
    with pytest.raises(ValueError, match="first"), files.written(tmp_path / "a.bin"):
        raise ValueError("first")
    assert os.listdir(tmp_path) == []


def test_a_killed_process_leaves_nothing_under_the_name(tmp_path):
    script = (
        "import os, signal, sys\nfrom zoomill import files\n"
        "with files.written(sys.argv[1]) as temporary:\n"
        "    open(temporary, 'wb').write(b'half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(files.__file__))}
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path / "a.bin")], env=environment)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "a.bin").exists()
    files.write_bytes(tmp_path / "a.bin", b"whole")
    assert sorted(os.listdir(tmp_path)) == [".made", "a.bin"]


def test_json_has_the_same_bytes_for_any_order_of_keys(tmp_path):
    value = {"b": [1, 2.5, None], "a": {"ü": True, "c": "x"}}
    files.write_json(tmp_path / "1.json", value)
    files.write_json(tmp_path / "2.json", dict(reversed(value.items())))
    text = (tmp_path / "1.json").read_bytes()
    assert text == (tmp_path / "2.json").read_bytes()
    assert text.endswith(b"\n}\n") and "ü".encode() in text
    assert files.read_json(tmp_path / "1.json") == value


def test_numbers_that_json_cannot_hold_are_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(ValueError):
        files.write_json(tmp_path / "a.json", {"score": float("nan")})
    assert os.listdir(tmp_path) == []


def test_floats_come_back_exactly(tmp_path):
    files.write_json(tmp_path / "a.json", [0.1, 1e-300, 0.6000000238418579])
    assert json.loads((tmp_path / "a.json").read_text()) == [0.1, 1e-300, 0.6000000238418579]


def test_a_digest_is_that_of_the_whole_file(tmp_path):
    data = bytes(range(256)) * 12345
    (tmp_path / "a.bin").write_bytes(data)
    assert files.digest(tmp_path / "a.bin") == hashlib.sha256(data).hexdigest()
    assert files.digest(tmp_path / "a.bin", "md5") == hashlib.md5(data).hexdigest()
