"""The one exception for a user's mistake, and what turns those of frameworks into it."""

import contextlib


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
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise UserError("%s: %s" % (what, lines[0] if lines else type(error).__name__)) from error
