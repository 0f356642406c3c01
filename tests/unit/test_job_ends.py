"""How jobs ended, from made-up jobs and logs."""

import types

import pytest

from zoomill.run import jobs as job_ends

BOUNDARY = 'Traceback (most recent call last):\n  File "x.py", line 1, in <module>\n    main()\n    ^^^^^^\n'


class Job:
    """What is asked of a job of Snakemake's."""

    def __init__(self, rule, log, jobid=1, output=(), **wildcards):
        self.rule, self.log, self.jobid = types.SimpleNamespace(name=rule), [log], jobid
        self.output, self.wildcards_dict = output, wildcards

    def is_group(self):
        return False


class Group(list):
    """What is asked of a group of them."""

    def is_group(self):
        return True


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The working directory of the run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "text, words",
    [
        (
            "Command 'x' returned non-zero exit status 137.",
            "was killed, most likely since the machine has not enough memory (signal 9, SIGKILL): log",
        ),
        (
            "Command 'x' died with <Signals.SIGKILL: 9>.",
            "was killed, most likely since the machine has not enough memory (signal 9, SIGKILL): log",
        ),
        ("Command 'x' returned non-zero exit status 139.", "crashed in native code (signal 11, SIGSEGV): log"),
        ("Command 'x' died with <Signals.SIGTERM: 15>.", "was told to stop (signal 15, SIGTERM): log"),
        ("Command 'exit status 137' returned non-zero exit status 1.", "ended without a word (unexpected; see log)"),
        ("Command 'x' returned non-zero exit status 255.", "ended without a word (unexpected; see log)"),
        ("", "ended without a word (unexpected; see log)"),
    ],
)
def test_a_silent_end_is_told_by_the_status_that_snakemake_saw(text, words):
    assert job_ends.last_words("", text, "log") == words


@pytest.mark.parametrize(
    "log, words",
    [
        (f"{BOUNDARY}KeyError: 'x'\n", "KeyError: 'x' (unexpected; traceback in log)"),
        (f"{BOUNDARY}MemoryError\nbye\n", "MemoryError (unexpected; traceback in log)"),
        (f"{BOUNDARY}KeyError: 'x'\n\nDuring:\n\n{BOUNDARY}a.B: c\nd\n", "a.B: c (unexpected; traceback in log)"),
        ("usage: x\nx.py: error: no --flag\n", "x.py: error: no --flag (unexpected; see log)"),
    ],
)
def test_what_a_job_wrote_last_is_told_where_it_was_not_killed(log, words):
    assert job_ends.last_words(log, "Command 'x' returned non-zero exit status 1.", "log") == words


def test_a_log_with_an_error_line_is_left_as_it_is_and_another_ends_with_one(folder):
    (folder / "a.log").write_text("error: small: broken\n")
    (folder / "b.log").write_text("half a line")
    jobs = [Job("export", "a.log", model="small"), Job("quantise", "b.log", 2, model="small", variant="int8")]
    job_ends.write_last_words(jobs, {2: "returned non-zero exit status 139."})
    assert (folder / "a.log").read_text() == "error: small: broken\n"
    assert (folder / "b.log").read_text() == (
        "half a line\nerror: quantise small.int8: crashed in native code (signal 11, SIGSEGV): b.log\n"
    )
    assert job_ends.of_failed(jobs) == [
        "small: broken",
        "quantise small.int8: crashed in native code (signal 11, SIGSEGV): b.log",
    ]


def test_a_line_that_names_no_model_is_told_with_its_job(folder):
    (folder / "a.log").write_text("error: stopped after the time limit\n")
    assert job_ends.of_failed([Job("convert", "a.log", model="small", kernels="")]) == [
        "convert small: stopped after the time limit"
    ]


def test_a_group_is_told_by_the_logs_of_its_jobs_or_as_a_whole(folder):
    group = Group(
        [Job("b", "b.log", model="small"), Job("a", "a.log", model="small"), Job("c", "c.log", model="small")]
    )
    job_ends.write_last_words([group], {})
    assert not list(folder.iterdir())
    whole = "a small and 2 jobs of its group: ended without a word; is there enough memory and time?"
    assert job_ends.of_failed([group]) == [whole]
    (folder / "b.log").write_text("error: small: broken\n")
    assert job_ends.of_failed([group]) == ["small: broken"]
