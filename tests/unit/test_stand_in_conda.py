"""The stand-in for conda, called as Snakemake calls it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from packaging.version import Version
from snakemake.deployment.conda import MIN_CONDA_VER

STAND_IN = Path(__file__).parents[2] / "envs" / "uv" / "bin"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
POST_DEPLOY = 'python -m pip --version > "$CONDA_PREFIX/post-deploy.txt"\n'
SNAKEFILE = """
rule all:
    output: "version.txt"
    conda: "tiny.yaml"
    shell: "python -c 'import six; print(six.__version__)' > {output}"
"""


def environment(**changes):
    path = os.pathsep.join([str(STAND_IN), *os.get_exec_path()])
    return {**os.environ, "PATH": path, "ZOOMILL_PYTHON": sys.executable, **changes}


def conda(*arguments, **changes):
    return subprocess.run([STAND_IN / "conda", *arguments], env=environment(**changes), capture_output=True, text=True)


def creation(file, prefix):
    return ["env", "create", "--quiet", "--no-default-packages", "--file", str(file), "--prefix", str(prefix)]


def write_yaml(folder, python=PYTHON, dependency="pip"):
    file = folder / "tiny.yaml"
    file.write_text(
        "name: tiny\n"
        "channels: [conda-forge, nodefaults]\n"
        "dependencies:\n"
        f"  - python={python}\n"
        f"  - {dependency}\n"
        "  - pip:\n"
        "      - six==1.17.0\n"
    )
    return file


def assert_one_line(stderr, *words):
    assert stderr.startswith("error: ")
    assert stderr.count("\n") == 1
    assert all(word in stderr for word in words)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """An environment built once for the tests that only look at it, with what the call printed."""
    folder = tmp_path_factory.mktemp("tiny")
    built = conda(*creation(write_yaml(folder), folder / "env"))
    assert built.returncode == 0, built.stderr
    return folder / "env", built.stdout


def test_version_is_one_that_snakemake_accepts():
    name, version = conda("--version").stdout.split()
    assert name == "conda"
    assert Version(version) >= Version(MIN_CONDA_VER)


@pytest.mark.parametrize("call", ["--version", "config --get channel_priority --json"])
def test_what_never_changes_is_said_without_starting_python(call):
    assert conda(*call.split(), ZOOMILL_PYTHON="/bin/false").returncode == 0


def test_info_leads_to_the_activate_script():
    info = json.loads(conda("info", "--json").stdout)
    assert (Path(info["conda_prefix"]) / "bin" / "activate").samefile(STAND_IN / "activate")
    assert info["platform"]


def test_channel_priority_is_strict_so_that_snakemake_does_not_warn():
    answer = conda("config", "--get", "channel_priority", "--json")
    assert json.loads(answer.stdout) == {"get": {"channel_priority": "strict"}}


def test_there_are_no_tarballs_to_clean():
    cleaned = conda("clean", "-y", "--tarballs")
    assert (cleaned.returncode, cleaned.stdout, cleaned.stderr) == (0, "", "")


@pytest.mark.parametrize(
    "call", ["", "list --explicit", "env export", "create --file x --prefix y", "env create --file x", "info"]
)
def test_unknown_call_is_refused_in_one_line(call):
    refused = conda(*call.split())
    assert refused.returncode == 2
    assert_one_line(refused.stderr, f"conda {call}".strip())


@pytest.mark.network
def test_environment_holds_exactly_what_the_file_names(tiny):
    prefix, said = tiny
    assert said == f"building environment tiny (Python {PYTHON}, 2 packages) with uv\n"
    installed = {folder.name.split("-")[0] for folder in prefix.glob("lib/python*/site-packages/*.dist-info")}
    assert installed == {"six", "pip"}


@pytest.mark.network
def test_packages_are_compiled_when_they_are_installed(tiny):
    assert list(tiny[0].glob("lib/python*/site-packages/__pycache__/six.*.pyc"))


@pytest.mark.network
def test_activation_puts_the_environment_first(tiny):
    shell = 'set -euo pipefail; source "$1" "$2"; command -v python pip; echo "$CONDA_PREFIX"'
    command = ["bash", "-c", shell, "bash", STAND_IN / "activate", tiny[0]]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert found == [f"{tiny[0]}/bin/python", f"{tiny[0]}/bin/pip", str(tiny[0])]


def test_activation_of_a_missing_environment_stops_the_job(tmp_path):
    shell = 'set -euo pipefail; source "$1" "$2"; echo running'
    command = ["bash", "-c", shell, "bash", STAND_IN / "activate", tmp_path]
    stopped = subprocess.run(command, capture_output=True, text=True)
    assert stopped.returncode != 0
    assert "running" not in stopped.stdout
    assert_one_line(stopped.stderr, str(tmp_path))


@pytest.mark.network
def test_snakemake_builds_activates_and_post_deploys_from_a_folder_with_a_space(tmp_path):
    stand_in = shutil.copytree(STAND_IN.parent, tmp_path / "my clone" / "uv") / "bin"
    write_yaml(tmp_path)
    (tmp_path / "tiny.post-deploy.sh").write_text(POST_DEPLOY)
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    command = [sys.executable, "-m", "snakemake", "-c1", "--sdm", "conda", "--conda-prefix", "envs"]
    changes = {"PATH": os.pathsep.join([str(stand_in), *os.get_exec_path()])}
    run = subprocess.run(command, cwd=tmp_path, env=environment(**changes), capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "version.txt").read_text() == "1.17.0\n"
    (note,) = tmp_path.glob("envs/*/post-deploy.txt")
    assert str(note.parent) in note.read_text()


@pytest.mark.network
def test_killed_creation_leaves_nothing_and_is_redone(tmp_path):
    file, prefix = write_yaml(tmp_path), tmp_path / "env"
    killed = subprocess.Popen([STAND_IN / "conda", *creation(file, prefix)], env=environment(), start_new_session=True)
    while killed.poll() is None and not (tmp_path / "env.partial").exists():
        time.sleep(0.002)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert not prefix.exists()
    assert conda(*creation(file, prefix)).returncode == 0
    assert (prefix / "bin" / "pip").exists()
    assert not (tmp_path / "env.partial").exists()


@pytest.mark.network
def test_two_workflows_may_want_the_same_environment_at_once(tmp_path):
    call = [STAND_IN / "conda", *creation(write_yaml(tmp_path), tmp_path / "env")]
    both = [subprocess.Popen(call, env=environment(), stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(map(bool, said)) == [False, True]


@pytest.mark.network
def test_pythons_of_pyenv_are_found_behind_their_shims(tmp_path):
    shims, real = tmp_path / "pyenv" / "shims", tmp_path / "pyenv" / "versions" / PYTHON / "bin"
    for folder in (shims, real):
        folder.mkdir(parents=True)
    (shims / f"python{PYTHON}").write_text("#!/bin/sh\nexit 127\n")
    (shims / f"python{PYTHON}").chmod(0o755)
    (real / f"python{PYTHON}").symlink_to(os.path.realpath(sys.executable))
    changes = {
        "PATH": str(shims),
        "PYENV_ROOT": str(tmp_path / "pyenv"),
        "UV_PYTHON_INSTALL_DIR": str(tmp_path / "none"),
        "UV_PYTHON_DOWNLOADS": "never",
    }
    built = conda(*creation(write_yaml(tmp_path), tmp_path / "env"), **changes)
    assert built.returncode == 0, built.stderr


def test_missing_python_is_one_line_that_says_what_to_do(tmp_path):
    file = write_yaml(tmp_path, python="3.99")
    failed = conda(*creation(file, tmp_path / "env"))
    assert failed.returncode == 1
    assert_one_line(failed.stderr, "tiny", "Python 3.99", "pyenv install 3.99", "conda")
    assert not (tmp_path / "env").exists()


def test_package_that_only_conda_has_is_refused(tmp_path):
    failed = conda(*creation(write_yaml(tmp_path, dependency="nodejs=24"), tmp_path / "env"))
    assert failed.returncode == 1
    assert_one_line(failed.stderr, "tiny", "nodejs=24", "conda")


@pytest.mark.network
def test_python_without_pyyaml_is_told_in_one_line(tiny, tmp_path):
    failed = conda(*creation(write_yaml(tmp_path), tmp_path / "env"), ZOOMILL_PYTHON=f"{tiny[0]}/bin/python")
    assert failed.returncode == 1
    assert_one_line(failed.stderr, "PyYAML", "ZOOMILL_PYTHON")
