"""A process of Node that runs web/node.js."""

import contextlib
import json
import os
import subprocess
import tempfile
from pathlib import Path

from zoomill import made, sandbox, supervisor
from zoomill.errors import UserError
from zoomill.plan import javascript

WEB = Path(__file__).parents[3] / "web"


class CannotRun(UserError):
    """A model does not run on a backend."""


@contextlib.contextmanager
def started(library):
    """Start web/node.js, and give two functions: to send it a line, and for its next answer about a model.

    Args:
        library: folder of the JavaScript packages and Node.

    Raises:
        UserError: when there is no Node.
        CannotRun: with the reason of TensorFlow.js, by the second function.
    """
    program = os.path.join(library, javascript.PROGRAM)
    with tempfile.TemporaryFile("w+") as complaints:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": complaints}
        try:
            process = subprocess.Popen(
                [program, WEB / "node.js"],
                **pipes,
                text=True,
                preexec_fn=sandbox.follow_parent,  # noqa: PLW1509 (one call of the C library, without locks)
            )
        except FileNotFoundError as error:
            raise UserError(f"{program}: is not there to run TensorFlow.js models; {made.restore(program)}") from error

        def send(given):
            with contextlib.suppress(BrokenPipeError):  # it has ended, and left word why
                process.stdin.write(json.dumps(given) + "\n")
                process.stdin.flush()

        def answer(model):
            line = process.stdout.readline()
            supervisor.step()
            if line.endswith("\n"):
                told = json.loads(line)
                if "found" in told:
                    return told["found"]
                complaint = told["error"]
            else:
                status = process.wait()
                complaints.seek(0)
                complaint = complaints.read() or f"Node ended with {status}"
            raise CannotRun(f"{model}: TensorFlow.js cannot run it: {_first_line(complaint)}")

        try:
            yield send, answer
        finally:
            with contextlib.suppress(BrokenPipeError):  # what it has not read is still to be written
                process.stdin.close()
            process.stdout.close()
            process.wait()


def _first_line(text):
    return next(iter(text.strip().splitlines()), "it says nothing")
