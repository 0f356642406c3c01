"""What every command does around its work: report errors in one line, stay within a time limit."""

import multiprocessing
import signal
import sys

from zoomill.errors import UserError


def run(main, argv=None):
    """Call ``main(argv)`` and exit: 0, or 1 with one line on stderr for a :class:`UserError`."""
    try:
        main(argv)
    except UserError as error:
        sys.exit("error: %s" % error)
    except KeyboardInterrupt:
        sys.exit(130)


def within(seconds, function, *args):
    """Call ``function(*args)`` in a child process that is killed after ``seconds``.

    A child because a converter that hangs in native code cannot be interrupted from inside. Call it before
    TensorFlow is imported: the child is forked.

    Raises:
        UserError: when the time is over, or when the child ended by a signal.
        SystemExit: with the child's status, when that was not 0; the child has then said why.
    """
    child = multiprocessing.get_context("fork").Process(target=run, args=(lambda _: function(*args),))
    child.start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        child.join(seconds)
        late = child.is_alive()
    finally:
        child.kill()
        child.join()
    if late:
        raise UserError("stopped after the time limit of %g s; raise `time_limit` in config.yaml" % seconds)
    if child.exitcode < 0:
        raise UserError("the conversion was %s" % ended_by(-child.exitcode))
    if child.exitcode:
        sys.exit(child.exitcode)


def ended_by(number):
    """Return words for the end of a process by a signal.

    Raises:
        ValueError: when there is no signal of that number.
    """
    question = "; is there enough memory?" if number == signal.SIGKILL else ""
    return "ended by signal %d (%s%s)" % (number, signal.Signals(number).name, question)
