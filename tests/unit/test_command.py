"""What every command does around its work."""

import contextlib
import multiprocessing
import os
import signal
import time

import pytest

from zoomill import command
from zoomill.errors import UserError


def fail(message):
    raise UserError(message)


def test_a_users_mistake_ends_in_one_line_without_traceback(capfd):
    child = multiprocessing.get_context("fork").Process(target=command.run, args=(fail, "model: file: broken; mend it"))
    child.start()
    child.join()
    assert child.exitcode == 1
    out, err = capfd.readouterr()
    assert (out, err) == ("", "error: model: file: broken; mend it\n")


def test_a_bug_is_shown_with_its_traceback():
    with pytest.raises(ZeroDivisionError):
        command.run(lambda argv: 1 / 0)


def test_an_interrupt_ends_with_the_usual_status():
    def interrupt(argv):
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as caught:
        command.run(interrupt)
    assert caught.value.code == 130


def test_arguments_are_handed_on():
    found = []
    command.run(found.append, ["--flag"])
    assert found == [["--flag"]]


def test_work_within_the_limit_is_done_in_a_process_of_its_own(tmp_path):
    command.within(60, lambda path: path.write_text(str(os.getpid())), tmp_path / "pid")
    assert int((tmp_path / "pid").read_text()) != os.getpid()


def test_work_beyond_the_limit_is_killed(tmp_path):
    def hang(path):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as native code that does not listen
        path.write_text(str(os.getpid()))
        time.sleep(600)

    with pytest.raises(UserError, match=r"time limit of 1 s; raise `time_limit` in config\.yaml"):
        command.within(1, hang, tmp_path / "pid")
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_the_childs_own_error_is_said_once_and_passed_on(capfd):
    with pytest.raises(SystemExit) as caught:
        command.within(60, fail, "model: cannot be converted")
    assert caught.value.code == 1
    assert capfd.readouterr().err == "error: model: cannot be converted\n"


def test_a_bug_in_the_child_is_passed_on_with_its_traceback(capfd):
    with pytest.raises(SystemExit) as caught:
        command.within(60, lambda: 1 / 0)
    assert caught.value.code == 1
    assert "ZeroDivisionError" in capfd.readouterr().err


@pytest.mark.parametrize(
    "number, words",
    [(signal.SIGKILL, r"signal 9 \(SIGKILL; is there enough memory\?\)"), (signal.SIGSEGV, r"signal 11 \(SIGSEGV\)")],
)
def test_a_child_that_was_killed_is_told_from_one_that_failed(number, words):
    def die():
        with contextlib.suppress(ImportError, ValueError):
            import resource

            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.SIGSEGV, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    with pytest.raises(UserError, match=words):
        command.within(60, die)


def test_a_command_that_is_told_to_stop_takes_its_child_along(tmp_path):
    """As by `kill` or a cluster: no converter may run on and write its file after its job has failed."""

    def work(path):
        path.write_text(str(os.getpid()))
        time.sleep(600)

    pid = tmp_path / "pid"
    parent = multiprocessing.get_context("fork").Process(target=command.within, args=(600, work, pid))
    parent.start()
    while not (pid.exists() and pid.read_text()):
        time.sleep(0.01)
    parent.terminate()
    parent.join()
    child = int(pid.read_text())
    try:
        ended = wait_for_end(child)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    assert ended


def wait_for_end(pid, seconds=2):
    """Tell whether a process ends in time."""
    for _ in range(int(seconds / 0.02)):
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False
