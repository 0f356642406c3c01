"""The events of a run and their lines, from made-up records of Snakemake's."""

import io
import json
import logging
import threading
import types

import pytest
import snakemake.jobs
from snakemake.settings.enums import Quietness
from snakemake_interface_logger_plugins.common import LogEvent

from zoomill import files
from zoomill.run import jobs, view

LONGEST = {"model": "ssd_mobilenet_v1_shapes", "step": "quantise_tflite", "of": "detect_regular.torch_float32"}


class Job:
    """What is asked of a job of Snakemake's."""

    def __init__(self, jobid, rule, log="", output=(), **wildcards):
        self.jobid, self.rule, self.log, self.output = jobid, types.SimpleNamespace(name=rule), [log], output
        self.wildcards_dict, self.is_norun = wildcards, rule == "all"

    def is_group(self):
        return False


@pytest.fixture
def listener(tmp_path):
    """A listener to a run of three steps; what it shows stands in ``events``."""
    jobs = [
        Job(1, "quantise_tflite", tmp_path / "1.log", model="small", graph="main", variant="int8", kernels=""),
        Job(2, "fetch_source", tmp_path / "2.log", source="small"),
        Job(3, "summarise", tmp_path / "3.log"),
        Job(4, "all"),
    ]
    events = []
    run = types.SimpleNamespace(dag=types.SimpleNamespace(needrun_jobs=lambda: jobs))
    found = view.Listener(run, events.append)
    found.events = events
    return found


def record(event=None, text="", level=logging.INFO, file=snakemake.jobs.__file__, **more):
    """Return a record as Snakemake makes them."""
    found = logging.LogRecord("snakemake.logging", level, file, 1, text, None, None)
    found.__dict__.update({"event": event, **more} if event else more)
    return found


def test_each_step_that_ends_is_an_event_with_its_model_and_its_number(listener):
    listener.handle(record(LogEvent.RUN_INFO))
    listener.handle(record(LogEvent.JOB_INFO, jobid=1))
    for jobid in (2, 1, 3, 4):
        listener.handle(record(LogEvent.JOB_FINISHED, job_id=jobid))
    first, *finished = listener.events
    assert first == {"event": "begin", "steps": 3}
    about = [(event["model"], event["step"], event["of"], event["done"], event["steps"]) for event in finished]
    assert about == [
        ("small", "fetch_source", "", 1, 3),
        ("small", "quantise_tflite", "main.int8", 2, 3),
        ("", "summarise", "", 3, 3),
    ]
    assert all(event["event"] == "finished" and event["seconds"] >= 0 for event in finished)


@pytest.mark.parametrize("compiled, told", [("", "main.int8"), (".vela", "main.int8.vela")])
def test_the_end_of_a_name_has_one_dot(compiled, told):
    job = Job(1, "write_c_array", model="small", graph="main", variant="int8", compiled=compiled)
    assert jobs.joined([*job.wildcards_dict.values()][1:]) == told
    assert jobs.name(job) == f"write_c_array small.{told}"


def test_the_first_artifact_that_passes_is_told_and_no_other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paths = [f"results/m/main.{variant}.tflite.json" for variant in ("int8", "float32", "float16")]
    for path, passed in zip(paths, (False, True, True), strict=True):
        files.write_json(path, {"passed": passed})
    jobs = [Job(number, "validate_tflite", output=[path], model="m") for number, path in enumerate(paths)]
    events = []
    run = types.SimpleNamespace(dag=types.SimpleNamespace(needrun_jobs=lambda: jobs))
    listener = view.Listener(run, events.append)
    listener.handle(record(LogEvent.RUN_INFO))
    for jobid in range(len(jobs)):
        listener.handle(record(LogEvent.JOB_FINISHED, job_id=jobid))
    assert [event["event"] for event in events] == ["begin", "finished", "finished", "first", "finished"]
    assert events[3]["artifact"] == "results/m/main.float32.tflite" and events[3]["seconds"] >= 0
    assert "results/m/main.float32.tflite is the first that is validated, after " in view.text(events[3])


def test_a_failed_step_is_an_event_with_its_lines_and_its_log(listener, tmp_path):
    (tmp_path / "1.log").write_text("much\nerror: small: broken\n")
    listener.handle(record(LogEvent.RUN_INFO))
    listener.handle(record(LogEvent.JOB_ERROR, jobid=1, indent=False))
    assert listener.events[1]["errors"] == ["small: broken"] and listener.events[1]["logs"] == [str(tmp_path / "1.log")]


def test_a_step_that_ended_without_a_word_is_told_by_its_status(listener, tmp_path):
    listener.handle(record(LogEvent.RUN_INFO))
    listener.handle(record(LogEvent.ERROR, "Command 'x' returned non-zero exit status 139."))
    listener.handle(record(LogEvent.JOB_ERROR, jobid=2, indent=False))
    (line,) = listener.events[1]["errors"]
    assert line.startswith("fetch_source small: crashed in native code")


def test_a_failed_group_is_one_event(listener, tmp_path):
    (tmp_path / "2.log").write_text("error: small: gone\n")
    listener.handle(record(LogEvent.RUN_INFO))
    listener.handle(record(LogEvent.GROUP_ERROR, job_error_info=[{"jobid": 1}, {"jobid": 2}]))
    for jobid in (1, 2):
        listener.handle(record(LogEvent.JOB_ERROR, jobid=jobid, indent=True))
    assert [event["errors"] for event in listener.events[1:]] == [["small: gone"]]


def test_an_environment_is_one_event(listener):
    for text in ("Creating conda environment envs/tf2.yaml...", "Downloading and installing remote packages."):
        listener.handle(record(text=text))
    assert listener.events == [{"event": "environment", "name": "tf2"}]


@pytest.mark.parametrize("kind", ["finished", "failed"])
def test_a_line_of_a_step_fits_in_a_hundred_columns(kind):
    event = {"event": kind, **LONGEST, "seconds": 1234.5, "done": 399, "steps": 400, "errors": ["x"], "logs": ["y"]}
    assert max(map(len, view.text(event).splitlines())) <= 100


def test_an_error_of_a_stranger_stays_on_its_line():
    event = {"event": "failed", **LONGEST, "seconds": 1, "errors": ["a\x1b[2J\rb"], "logs": ["y"]}
    assert view.text(event).splitlines()[1:] == [r"    a\x1b[2J\rb", "    log: y"]


END = {"event": "end", "built": 2, "reused": 1, "failed": 0, "seconds": 3725, "table": "| a |"}
END |= {"results": "results/", "look_at": "results/summary.md"}


def test_the_table_stands_before_the_three_last_lines():
    assert view.text(END).splitlines() == [
        "| a |",
        "",
        "artifacts: 2 built, 1 reused, 0 failed; 1 h 2 min 5 s",
        "results are in results/",
        "look at results/summary.md",
    ]


@pytest.mark.parametrize(
    "quiet, shown",
    [
        ((), ["begin", "end"]),
        ([Quietness.HOST], ["begin", "end"]),
        ([Quietness.PROGRESS], ["end"]),
        ([Quietness.ALL], []),
    ],
)
def test_snakemakes_quiet_holds(quiet, shown):
    stream = io.StringIO()
    show = view.Printer(quiet, stream, False)
    for event in ({"event": "begin", "steps": 3}, END):
        show(event)
    assert ["3 steps to run\n" in stream.getvalue(), "| a |" in stream.getvalue()] == [
        kind in shown for kind in ("begin", "end")
    ]


def test_a_program_reads_the_same_events(monkeypatch, capsys):
    monkeypatch.setenv("ZOOMILL_JSON_PROGRESS", "1")
    show = view.Printer([Quietness.ALL], io.StringIO(), False)
    events = [{"event": "begin", "steps": 3}, END]
    for event in events:
        show(event)
    assert list(map(json.loads, capsys.readouterr().out.splitlines())) == events


def test_only_what_failed_is_red_and_only_with_colour():
    stream = io.StringIO()
    failed = {"event": "failed", **LONGEST, "seconds": 1, "errors": ["x"], "logs": ["y"]}
    for colour in (False, True):
        for event in (failed, END):
            view.Printer((), stream, colour)(event)
    assert stream.getvalue().count("\x1b[31m") == 1


JOB_THREAD = threading.main_thread().ident + 1


@pytest.mark.parametrize(
    "kept, one",
    [
        (False, record(LogEvent.JOB_INFO)),
        (False, record(LogEvent.JOB_FINISHED)),
        (False, record(LogEvent.JOB_ERROR, level=logging.ERROR)),
        (False, record(LogEvent.RUN_INFO, "Job stats:")),
        (False, record(text="Select jobs to execute...")),
        (False, record(LogEvent.ERROR, level=logging.ERROR, exception="RuleException", thread=JOB_THREAD)),
        (False, record(LogEvent.ERROR, level=logging.ERROR, exception="CalledProcessError")),
        (True, record(LogEvent.ERROR, level=logging.ERROR, exception="LockException")),
        (True, record(LogEvent.SHELLCMD)),
        (True, record(text="Nothing to be done (all requested files are present and up to date).")),
        (True, record(text="careful", level=logging.WARNING)),
        (True, record(text="There is no conda.", file=view.__file__)),
    ],
)
def test_what_snakemake_says_itself_remains_where_no_line_stands_for_it(kept, one):
    assert view._left_to_snakemake(one) is kept
