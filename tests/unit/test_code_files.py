"""Which files a command is made of."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from zoomill import code_files as module
from zoomill.code_files import code_files

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
COMMANDS = sorted(path.stem for path in SCRIPTS.glob("*.py"))


@pytest.fixture
def folder(tmp_path):
    """Return a function that writes a folder of modules."""

    def write(**modules):
        for name, text in modules.items():
            path = tmp_path / (name.replace("__", "/") + ".py")
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        (tmp_path / "library").mkdir(exist_ok=True)
        (tmp_path / "library/__init__.py").write_text("VALUE = 1\n")
        return tmp_path

    return write


def names(script, folder):
    return [str(Path(path).relative_to(folder)) for path in code_files(str(script))]


def test_modules_are_followed_through_others_whatever_the_form_of_import(folder):
    path = folder(
        command="from library import first\nimport library.second\n",
        library__first="from library.third import something\n",
        library__second="def late():\n    from library import fourth\n",
        library__third="VALUE = 1\n",
        library__fourth="import library.first\n",
        library__unused="",
    )
    assert names(path / "command.py", path) == [
        "command.py",
        "library/__init__.py",
        "library/first.py",
        "library/fourth.py",
        "library/second.py",
        "library/third.py",
    ]


def test_the_script_comes_first_and_a_script_may_import_a_script(folder):
    path = folder(command="import another\n", another="import command\n")
    assert names(path / "command.py", path) == ["command.py", "another.py"]


def test_a_package_that_is_only_gone_through_counts_too(folder):
    path = folder(command="import library.first\n", library__first="VALUE = 1\n")
    assert names(path / "command.py", path) == ["command.py", "library/__init__.py", "library/first.py"]


def test_what_holds_nothing_but_a_docstring_does_not_count(folder):
    path = folder(command="import library.first\n", library__first='"""What it is about."""\n')
    (path / "library/__init__.py").write_text('"""A package."""\n')
    assert names(path / "command.py", path) == ["command.py"]


def test_modules_from_elsewhere_are_left_out(folder):
    path = folder(command="import os, json\nimport numpy as np\nfrom library import missing\n")
    assert names(path / "command.py", path) == ["command.py", "library/__init__.py"]


def parsed(path):
    """Return the files that a module imports, as Python's own parser tells them."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.update([node.module, *(f"{node.module}.{alias.name}" for alias in node.names)])
    stems = {SCRIPTS.joinpath(*name.split(".")[:depth]) for name in names for depth in range(1, name.count(".") + 2)}
    return {file for stem in stems for file in (f"{stem}.py", f"{stem}/__init__.py") if os.path.exists(file)}


def test_the_imports_of_every_module_are_those_that_python_finds():
    for path in SCRIPTS.rglob("*.py"):
        assert set(module._imports(str(path), str(SCRIPTS))) == parsed(path), path


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("from library import (  # both\n    first,\n    second as other,  # third\n)", {"first", "second"}),
        ("import library.first as one, library.second", {"first", "second"}),
        ("from library import first, second  # and third", {"first", "second"}),
        ("if True:\n    from library.first import third", {"first"}),
        ("from_library = 'import second'", set()),
    ],
)
def test_every_form_of_import_is_understood(folder, line, found):
    path = folder(command=f"{line}\n", **{f"library__{name}": "VALUE = 1\n" for name in ("first", "second", "third")})
    expected = {f"library/{name}.py" for name in found} | ({"library/__init__.py"} if found else set())
    assert set(names(path / "command.py", path)) == {"command.py", *expected}


def test_an_edit_of_ssd_surgery_re_runs_only_what_cuts_a_detector():
    surgery = "zoomill/sources/tf1_detection/ssd_graph.py"
    assert [command for command in COMMANDS if surgery in names(SCRIPTS / f"{command}.py", SCRIPTS)] == [
        "export_tf1_detection"
    ]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_needs_no_tensorflow_and_imports_nothing_that_is_not_counted(command):
    script = SCRIPTS / f"{command}.py"
    process = subprocess.run(
        [sys.executable, "-X", "importtime", str(script), "--help"], text=True, capture_output=True
    )
    assert process.returncode == 0, process.stderr.splitlines()[-1]
    assert process.stdout.startswith(f"usage: {command}.py")
    modules = {line.rpartition("|")[2].strip() for line in process.stderr.splitlines()}
    assert not {name for name in modules if name.partition(".")[0] == "tensorflow"}
    local = {name.replace(".", "/") for name in modules if name.startswith("zoomill.")}
    packages = {str(path.parent.relative_to(SCRIPTS)) for path in SCRIPTS.rglob("__init__.py")}
    assert local - packages <= {path.removesuffix(".py") for path in names(script, SCRIPTS)}
