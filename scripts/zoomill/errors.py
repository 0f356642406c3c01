"""The one exception for a user's mistake."""


class UserError(Exception):
    """Something the user can mend.

    The message is one line that says what is wrong, in which model and file, and what to do. Commands print
    it without a traceback (see :mod:`zoomill.command`). Several faults are several arguments.
    """

    def __str__(self):
        return "\n".join(map(str, self.args))
