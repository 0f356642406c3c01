"""The one exception for a user's mistake, and what turns those of frameworks into it."""

import contextlib
import re


class UserError(Exception):
    """Something the user can mend.

    The message is one line that says what is wrong, in which model and file, and what to do. Commands print
    it without a traceback (see :mod:`zoomill.command`).
    """


@contextlib.contextmanager
def refused(what):
    """Turn whatever a framework raises over a stranger's file into a :class:`UserError`: ``what``, and why.

    It stands around calls of the framework only, so that a fault of our own stays a traceback.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # of its own, of Python and of C++
        raise UserError("%s: %s" % (what, _reason(error))) from error


def _reason(error):
    """Return the line that says why: of code that TensorFlow traced, the one behind the places of the code."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    traced = lines[0] == "in user code:"
    return next((line for line in lines if re.match(r"\w+(Error|Exception): ", line)), lines[0]) if traced else lines[0]
