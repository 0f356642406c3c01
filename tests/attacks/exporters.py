"""The exporters' command lines as rules/export.smk gives them, and running a command with a time limit."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time

import environments

REPOSITORY = environments.REPOSITORY
NOTHING_EXPECTED = {"inputs": [], "outputs": [], "labels": [], "label_offset": 0}
# As rules/common.smk fixes it for all jobs.
FIXED = {
    "PYTHONNOUSERSITE": "1",
    "PYTHONHASHSEED": "0",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "CUDA_VISIBLE_DEVICES": "",
    "ZOOMILL_TIME_LIMIT": "40",
    "ZOOMILL_MEMORY_LIMIT": "8000",
}
# What the modules here import.
PYTHONPATH = os.pathsep.join(str(REPOSITORY / folder) for folder in ("tests", "tests/unit", "scripts"))
# Options of cards that have usual values, and of those that small models share.
USUAL = {
    "saved_model": {"tags": ["serve"], "signature": "serving_default"},
    "tf1_checkpoint": {"checkpoint": "", "variables": "raw"},
    "darknet": {"config": "net.cfg", "weights": "net.weights", "heads": "raw"},
}
COMMANDS = {"pytorch": "run_pytorch", "tf1_detection": "export_tf1_detection"}


def command_of(kind):
    """Return the name of the command that exports a kind of source."""
    return COMMANDS.get(kind, f"export_{kind}")


def model_file(kind, source, settings):
    """Return the path of a source that says what the model is."""
    known = {"darknet": "net.cfg", "tf1_checkpoint": settings.get("graph"), "tf1_detection": "model.ckpt.meta"}
    return source / (known.get(kind) or settings.get("path", ""))


def flags(kind, source, output, javascript=None, allow=(), card=(), **settings):
    """Return an exporter's flags.

    Args:
        kind: of the source.
        source, output: folders.
        javascript: folder of the JavaScript packages, which only TensorFlow.js needs.
        allow: what the card allows.
        card: what it expects of inputs and outputs, where that is anything.
        settings: of the card's source: ``path``, ``graph``, ``input_tensors`` …, as far as they have no usual value.
    """
    common = ["--model", "hostile", "--source", source, "--golden-images"]
    if kind == "tf1_detection":
        frozen = settings.get("frozen_graph", "frozen_inference_graph.pb")
        return [*common, "--frozen-graph", frozen, "--pipeline-override=", "--labels", "[]", "--output-dir", output]
    options = {"path": "", **USUAL.get(kind, {}), **settings, "allow": list(allow)}
    library = ["--library", javascript] if kind == "tfjs" else []
    card = json.dumps({**NOTHING_EXPECTED, **dict(card)})
    return [*common, "--options", json.dumps(options), "--card", card, *library, "--output-dir", output]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a command ended.

    Attributes:
        status: exit status, negative for a signal; None when it was stopped after the time limit.
        log: what it wrote to stdout and stderr.
        seconds: wall time.
    """

    status: int | None
    log: str
    seconds: float

    @property
    def refused(self):
        """Whether it ended with one line for people."""
        lines = [line for line in self.log.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("error: ")]
        return self.status == 1 and len(errors) == 1 and lines[-1] == errors[0] and "Traceback" not in self.log

    @property
    def word(self):
        """How it ended, in one word."""
        if self.status is None:
            return "hang"
        if self.status < 0 or self.status > 128:
            return "crash"
        if self.status == 0:
            return "accepted"
        return "refused" if self.refused else "traceback"


def run(command, folder, limit, **variables):
    """Run a command in a folder; what it writes goes into ``log`` there, temporary files into ``temporary``.

    Args:
        command: program and arguments.
        folder: working directory.
        limit: seconds after which all its processes are killed.
        variables: of its environment.
    """
    temporary = folder / "temporary"
    temporary.mkdir(parents=True, exist_ok=True)
    surroundings = {**os.environ, **FIXED, "TMPDIR": str(temporary), **{k: str(v) for k, v in variables.items()}}
    start = time.monotonic()
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(
            list(map(str, command)),
            cwd=folder,
            env=surroundings,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = process.wait(limit)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    text = (folder / "log").read_text(errors="replace")
    return Outcome(status, text, time.monotonic() - start)


def python(name):
    """Return the Python of an environment, that of the host for ``base``.

    Raises:
        SystemExit: when it is not built.
    """
    found = sys.executable if name == "base" else environments.python_of(name)
    return found or sys.exit(f"error: the environment {name} is not built; a run that needs it does")
