"""What every command does around its work. Each is run as a script of its own, as jobs are."""

import os
import subprocess
import sys
import textwrap

import pytest
from conftest import REPOSITORY

from zoomill import command
from zoomill.yaml_file import load_yaml

HEAD = f"""
import argparse, errno, os, sys, tempfile
sys.path.insert(0, {str(REPOSITORY / "scripts")!r})
from zoomill import command, made, sandbox
from zoomill.errors import UserError

def arguments(argv):
    parser = argparse.ArgumentParser()
    parser.add_argument("--path", type=made.checked)
    parser.add_argument("--output", type=made.output, default="made/out")
    return command.parse(parser, argv)
"""


@pytest.fixture
def run(tmp_path):
    """Return a function that runs the body of a main as a command, in a folder of its own."""

    def run(body, *flags, network="none", **environment):
        script = tmp_path / "it.py"
        lines = textwrap.indent(textwrap.dedent(body), "    ")
        script.write_text(f"{HEAD}\ndef main(argv):\n{lines}\ncommand.run(main, network={network!r})\n")
        return subprocess.run(
            [sys.executable, script, *map(str, flags)],
            cwd=tmp_path,
            env=os.environ | environment,
            capture_output=True,
            text=True,
        )

    return run


def test_a_users_mistake_ends_in_one_line_without_traceback(run):
    process = run("raise UserError('model: file: broken; mend it')")
    assert (process.returncode, process.stdout, process.stderr) == (1, "", "error: model: file: broken; mend it\n")


def test_a_bug_is_shown_with_its_traceback(run):
    process = run("1 / 0")
    assert process.returncode == 1 and "ZeroDivisionError" in process.stderr


def test_a_wrong_flag_ends_as_argparse_ends_it(run):
    assert run("arguments(argv)", "--wrong").returncode == 2


def test_an_interrupt_ends_with_the_usual_status(run):
    assert run("raise KeyboardInterrupt").returncode == 130


def test_a_command_writes_its_output_and_reads_its_input(run, tmp_path):
    (tmp_path / "in").write_text("text")
    process = run("args = arguments(argv); open(args.output, 'w').write(open(args.path).read())", "--path", "in")
    assert process.returncode == 0, process.stderr
    assert (tmp_path / "made/out").read_text() == "text"


def test_a_command_has_no_other_files(run, tmp_path):
    (tmp_path / "inputs").mkdir()
    (tmp_path / "inputs/in").write_text("text")
    (tmp_path / "secret").write_text("secret")
    assert "Permission denied" in run("arguments(argv); open('secret')", "--path", "inputs/in").stderr
    assert "Permission denied" in run("arguments(argv); open('marker', 'w')", "--path", "inputs/in").stderr
    assert not (tmp_path / "marker").exists()


def test_a_folder_for_temporary_files_is_there_and_removed(run, tmp_path):
    process = run("arguments(argv); print(tempfile.mkstemp()[1], os.environ['HOME'])", TMPDIR=str(tmp_path))
    name, home = process.stdout.split()
    assert name.startswith(f"{home}/") and home.startswith(str(tmp_path))
    assert not os.path.exists(home)


def test_work_beyond_a_limit_names_the_file_and_the_setting(run, tmp_path):
    (tmp_path / "model.bin").write_text("")
    process = run("arguments(argv)\nwhile True: pass", "--path", "model.bin", ZOOMILL_TIME_LIMIT="1")
    why = "stopped after the time limit of 1 s; raise `time_limit` in config.yaml"
    assert (process.returncode, process.stderr) == (1, f"error: model.bin: {why}\n")


def test_a_command_that_fetches_has_as_long_as_that_takes(run):
    body = "import time; arguments(argv); time.sleep(2)"
    assert run(body, ZOOMILL_TIME_LIMIT="1").returncode == 1
    assert run(body, network="any", ZOOMILL_TIME_LIMIT="1").returncode == 0


def test_a_command_by_hand_has_the_limits_of_the_workflow():
    schema = load_yaml(REPOSITORY / "rules/schemas/config.schema.yaml")["properties"]
    usual = {f"ZOOMILL_{key.upper()}": schema[key]["default"] for key in ("time_limit", "memory_limit")}
    assert usual == command.LIMITS


@pytest.mark.parametrize("kind", ["ENOSPC", "EFBIG", "EDQUOT", "EROFS"])
def test_a_full_disk_is_one_line_with_the_file(run, kind):
    process = run(f"arguments(argv); raise OSError(errno.{kind}, 'x', 'made/out')")
    assert process.returncode == 1
    assert process.stderr.startswith("error: made/out: ") and len(process.stderr.splitlines()) == 1


def test_memory_that_is_not_there_is_one_line(run):
    process = run("arguments(argv); bytearray(1 << 62)")
    assert (process.returncode, process.stderr) == (1, "error: made: needs more memory than there is\n")


@pytest.mark.parametrize("script", sorted((REPOSITORY / "scripts").glob("*.py")), ids=lambda path: path.stem)
def test_every_command_shuts_itself_in(script):
    text = script.read_text()
    if "main = exporter.main(" in text:
        text += (REPOSITORY / "scripts/zoomill/exporter.py").read_text()
    assert "command.parse(parser, argv)" in text or "command.shut_in(args)" in text
    assert "    command.run(main" in text
