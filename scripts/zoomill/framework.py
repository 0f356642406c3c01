"""Where a framework reads and runs a stranger's file."""

import contextlib
import re

from zoomill.errors import UserError

_NOT_TELLING = ("Graph execution error:", "Detected at node", "Stack trace for", "Node: ")
# Keras wraps what it met in what it was doing, once or more.
_WRAPPED = re.compile(r"(\w+: )?Exception encountered( when calling .*\(\)\.$|: )")
# Before the places of code that TensorFlow traced.
_TRACED = "in user code:"


@contextlib.contextmanager
def refusing(what):
    """Make one line of whatever a framework raises about a file.

    Only calls of the framework belong inside: of their failures the file is the cause, of our own code's it is not.

    Args:
        what: beginning of the line: the file, and what the framework cannot do with it.

    Raises:
        UserError: ``<what>: <reason>``.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{what}: {reason(error)}") from error


def reason(error):
    """Return the line of a framework's error that says why it fails, as people read it."""
    lines = [line.strip() for line in str(getattr(error, "message", error)).splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith(_NOT_TELLING)]
    if inner := [place for place, line in enumerate(lines) if _WRAPPED.match(line)]:
        lines = [_WRAPPED.sub("", line) for line in lines[inner[-1] :]]
        lines = [line for line in lines if line]
    marks = r"\w+(Error|Exception): " if lines[:1] == [_TRACED] else "only supports| is not in \\["
    telling = (line for line in lines if re.search(marks, line))
    return next(telling, lines[0] if lines else type(error).__name__)


@contextlib.contextmanager
def naming(model):
    """Begin the lines of all errors with the model, where they do not."""
    try:
        yield
    except UserError as error:
        text = str(error)
        raise UserError(text if text.startswith(f"{model}: ") else f"{model}: {text}") from error
