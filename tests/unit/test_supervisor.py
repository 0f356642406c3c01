"""Work in a child process that is watched."""

import os
import signal
import subprocess
import sys
import time

import pytest

from zoomill import supervisor
from zoomill.errors import UserError


def gone(pid):
    """Tell whether a process is not there any more, or only waits to be asked how it ended."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def soon(condition, *arguments):
    return any(condition(*arguments) or time.sleep(0.02) for _ in range(500))


def test_work_is_done_in_a_process_of_its_own(tmp_path):
    supervisor.watch(lambda: (tmp_path / "pid").write_text(str(os.getpid())), 60)
    assert int((tmp_path / "pid").read_text()) != os.getpid()


def test_work_beyond_the_time_limit_is_killed(tmp_path):
    def hang():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as native code that does not listen
        (tmp_path / "pid").write_text(str(os.getpid()))
        time.sleep(600)

    with pytest.raises(UserError, match=r"time limit of 1 s; raise `time_limit` in config\.yaml"):
        supervisor.watch(hang, 1)
    assert gone(int((tmp_path / "pid").read_text()))


def test_every_step_begins_the_time_anew():
    def work():
        for _ in range(4):
            time.sleep(0.5)
            supervisor.step()

    supervisor.watch(work, 1)


def test_memory_beyond_the_limit_is_not_given():
    def grow():
        kept = bytearray(400 << 20)
        time.sleep(600)
        return kept

    with pytest.raises(UserError, match=r"memory limit of 200 MB; raise `memory_limit` in config\.yaml"):
        supervisor.watch(grow, None, 200)


def test_memory_of_a_child_counts_too():
    def grow():
        subprocess.run([sys.executable, "-c", "import time; kept = b'x' * (400 << 20); time.sleep(600)"])

    with pytest.raises(UserError, match="memory limit"):
        supervisor.watch(grow, None, 200)


def test_processes_without_end_are_stopped(monkeypatch):
    monkeypatch.setattr(supervisor, "_PROCESSES", 20)

    def breed():
        for _ in range(40):
            if not os.fork():
                time.sleep(600)
        time.sleep(600)

    with pytest.raises(UserError, match="started more than 20 processes"):
        supervisor.watch(breed)


def test_what_the_work_leaves_running_ends_with_it(tmp_path):
    def leave():
        command = [
            sys.executable,
            "-c",
            f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()));",
        ]
        command[-1] += "time.sleep(600)"
        subprocess.Popen(command, start_new_session=True)
        assert soon((tmp_path / "pid").exists) and soon((tmp_path / "pid").read_text)

    supervisor.watch(leave)
    assert gone(int((tmp_path / "pid").read_text()))


def test_other_children_of_the_process_live_on():
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    supervisor.watch(lambda: None)
    assert other.poll() is None
    other.kill()
    other.wait()


def test_the_childs_own_error_is_said_once_and_passed_on(capfd):
    def fail():
        sys.exit("error: model: cannot be converted")

    with pytest.raises(SystemExit) as caught:
        supervisor.watch(fail)
    assert caught.value.code == 1
    assert capfd.readouterr().err == "error: model: cannot be converted\n"


def test_a_bug_in_the_child_is_passed_on_with_its_traceback(capfd):
    with pytest.raises(SystemExit) as caught:
        supervisor.watch(lambda: 1 / 0)
    assert caught.value.code == 1
    assert "ZeroDivisionError" in capfd.readouterr().err


@pytest.mark.parametrize(
    "number, words",
    [
        (signal.SIGKILL, r"a model: was killed, most likely .* not enough memory \(signal 9, SIGKILL\)"),
        (signal.SIGSEGV, r"a model: crashed in native code \(signal 11, SIGSEGV\)"),
        (signal.SIGABRT, r"a model: was given up by native code; see above \(signal 6, SIGABRT\)"),
        (signal.SIGUSR1, r"a model: was stopped \(signal 10, SIGUSR1\)"),
    ],
)
def test_how_a_child_was_ended_is_told_in_words(number, words):
    def die():
        import faulthandler
        import resource

        faulthandler.disable()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.SIGSEGV, signal.SIG_DFL)
        supervisor.tell("a model")
        os.kill(os.getpid(), number)

    with pytest.raises(UserError, match=words):
        supervisor.watch(die)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_work_ends_when_the_watching_process_is_ended(number, tmp_path):
    """As by `kill` or a cluster: no converter may run on and write its file after its job has failed."""
    pid = tmp_path / "pid"

    def work():
        pid.write_text(str(os.getpid()))
        time.sleep(600)

    watching = os.fork()
    if not watching:
        try:
            supervisor.watch(work, 600)
        finally:
            os._exit(0)
    assert soon(pid.exists) and soon(pid.read_text)
    os.kill(watching, number)
    os.waitpid(watching, 0)
    assert soon(gone, int(pid.read_text()))
