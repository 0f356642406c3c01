"""YAML of strangers: what JSON can hold is read as it stands, everything else is one line with its number, soon."""

import os
import subprocess
import sys

import pytest
import yaml
from conftest import REPOSITORY

from zoomill.errors import UserError
from zoomill.yaml_file import load_yaml


def bomb(start, levels=9, width=10):
    """Return a text whose aliases stand for ``width ** levels`` values."""
    lines = [f"a0: &a0 {start}"]
    for level in range(levels):
        lines.append(f"a{level + 1}: &a{level + 1} [{','.join([f'*a{level}'] * width)}]")
    return "\n".join(lines) + "\n"


@pytest.fixture
def read(tmp_path):
    """Return a function that reads text or bytes as models/x.yaml."""

    def load(content):
        path = tmp_path / "x.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load_yaml(path, "models/x.yaml")

    return load


REFUSED = {
    "an alias bomb": (bomb("[lol]"), "its aliases repeat more than 50,000 characters, line 6"),
    "a bomb of one long text": (bomb("x" * 40000, 1), "its aliases repeat more than 50,000 characters, line 2"),
    "a bomb of mappings": (bomb("{x: 1}"), "its aliases repeat more than 50,000 characters, line 6"),
    "an alias inside of itself": ("a: &a\n  - *a\n", "*a stands inside of what it stands for, line 2"),
    "an alias of nothing": ("a: 1\nb: *c\n", "nothing is called &c, line 2"),
    "a key twice": ("a: 1\nb: 2\na: 3\n", "the key a stands there twice, line 3"),
    "a key twice further in": ("a:\n  b: 2\n  'b': 3\n", "the key b stands there twice, line 3"),
    "an integer as a key": ("a: 1\n1: 2\n", "the key 1 is no text; put it in quotes, line 2"),
    "null as a key": ("? \n: 2\n", "the key None is no text; put it in quotes, line 1"),
    "a truth value as a key": ("a: 1\non: 2\n", "the key True is no text; put it in quotes, line 2"),
    "a list as a key": ("[a, b]: 2\n", "the key ['a', 'b'] is no text; put it in quotes, line 1"),
    "a mapping as a key": ("? {a: 1}\n: 2\n", "the key {'a': 1} is no text; put it in quotes, line 1"),
    "deep lists": ("a: " + "[" * 100_000, "has more than 32 levels, line 1"),
    "deep mappings": ("{a: " * 5000, "has more than 32 levels, line 1"),
    "deep items": ("- " * 5000, "has more than 32 levels, line 1"),
    "many values": ("[" + "a," * 200_000 + "]", "has more than 100,000 values, line 1"),
    "a large file": ("a: " + "b" * (3 << 20), "has more than 2,097,152 bytes"),
    "thousands of digits": ("a: 1\nb: " + "9" * 5000, f"{'9' * 40} is no number, line 2"),
    "an integer beyond 64 bits": (f"a: {1 << 64}", f"{1 << 64} is no number of 64 bits, line 1"),
    "digits of base 60": ("a: 1" + ":59" * 20, f"1{':59' * 20} is no number of 64 bits, line 1"),
    "no digits at all": ("a: 0x_", "0x_ is no number, line 1"),
    "infinity": ("a: .inf", ".inf is no number of 64 bits, line 1"),
    "an overflow": ("a: 1.0e+400", "1.0e+400 is no number of 64 bits, line 1"),
    "no number": ("a: .nan", ".nan is no number of 64 bits, line 1"),
    "a Python object": ("a: !!python/object/apply:os.mkdir [marker]", "the tag tag:yaml.org,2002:python/object/apply:"),
    "a tag of YAML": ("a: 1\nb: !!binary aGk=", "the tag tag:yaml.org,2002:binary is not allowed"),
    "a tag of one's own": ("a: !foo b", "the tag !foo is not allowed; write the value without it, line 1"),
    "a set": ("a: !!set {b}", "the tag tag:yaml.org,2002:set is not allowed"),
    "no UTF-8": (b"a: 1\nb: \xff\xfe\n", "is no UTF-8 text, line 2"),
    "UTF-16": ("a: 1".encode("utf-16"), "is no UTF-8 text, line 1"),
    "a control character": (b"a: 1\nb: \x00\n", "the character U+0000 is no text, line 2"),
    "an escape sequence": ('a: 1\nb: "\\e[2J"\n', "the character U+001B is no text, line 2"),
    "an escaped zero": ('a: "\\0"\n', "the character U+0000 is no text, line 1"),
    "an escaped carriage return": ('a: "x\\ry"\n', "the character U+000D is no text, line 1"),
    "a line separator": ('a: "x\\u2028y"\n', "the character U+2028 is no text, line 1"),
    "a turned direction": ("a: x\u202ey\n", "the character U+202E is no text, line 1"),
    "an escape sequence in a key": ('"\\e": 1\n', "the character U+001B is no text, line 1"),
    "several documents": ("a: 1\n---\nb: 2\n", "a second document begins, line 2"),
    "a syntax error": ("a: [1\nb: 2\n", "is no valid YAML in line "),
    "a tab": ("a: 1\n\tb: 2\n", "is no valid YAML in line 2, column 1"),
}


@pytest.mark.parametrize(("content", "message"), REFUSED.values(), ids=REFUSED)
def test_what_json_cannot_hold_or_no_card_needs_is_refused_in_one_line(read, content, message):
    with pytest.raises(UserError) as caught:
        read(content)
    assert str(caught.value).startswith(f"models/x.yaml: {message}")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_numbers_truth_values_null_lists_and_text_are_read_as_they_stand(read):
    lists = "a: [1, -2, 0x10, 1.5, 1e5, true, no, null, ~]\n"
    texts = "b: {'1': 'x', d: 2020-99-99, e: \"\\u00e9\\n\\t\"}\nf: >\n  g\n"
    assert read(lists + texts) == {
        "a": [1, -2, 16, 1.5, "1e5", True, False, None, None],
        "b": {"1": "x", "d": "2020-99-99", "e": "é\n\t"},
        "f": "g\n",
    }
    assert read("") is None and read("---\n- a\n...\n") == ["a"]


def test_an_alias_stands_for_a_copy_of_its_own(read):
    found = read("a: &a {x: [1]}\nb: *a\nc: [*a, *a]\n")
    assert found == {"a": {"x": [1]}, "b": {"x": [1]}, "c": [{"x": [1]}, {"x": [1]}]}
    found["a"]["x"].append(2)
    assert found["b"] == {"x": [1]} and found["c"][0] is not found["c"][1]


def test_a_list_of_21000_labels_is_read(read):
    labels = [f"n{number:08d} a sea lion, or another name of 40 letters" for number in range(21_000)]
    assert read(yaml.safe_dump({"labels": labels})) == {"labels": labels}


@pytest.mark.parametrize("path", ["models", "datasets", "rules/schemas", "envs"])
def test_all_files_of_the_repository_are_read_as_yaml_says(path):
    for file in (REPOSITORY / path).glob("*.yaml"):
        assert load_yaml(file) == yaml.load(file.read_text(), yaml.CSafeLoader), file


@pytest.mark.parametrize("kind", ["folder", "pipe", "missing", "unreadable device"])
def test_what_is_no_file_is_refused_at_once(tmp_path, kind):
    path = tmp_path / "x.yaml"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "unreadable device":
        path.symlink_to("/dev/zero")
    program = "import sys; from zoomill.yaml_file import load_yaml\ntry: load_yaml(sys.argv[1])\n"
    program += "except Exception as error: print(type(error).__name__, error)"
    process = subprocess.run(
        [sys.executable, "-c", program, path],
        text=True,
        capture_output=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "scripts")},
    )
    words = "cannot be read: No such file or directory" if kind == "missing" else "is no file"
    assert process.stdout == f"UserError {path}: {words}\n"
