"""What a run shows: an event for each job that ends, as one line for a person and as JSON for a program.

Snakemake keeps its own words in .snakemake/log. On the terminal these lines stand for what it says of jobs; warnings,
and what it was asked for by a flag, remain its own.
"""

import json
import logging
import os
import re
import threading
import time
from pathlib import Path

import snakemake
from snakemake.logging import logger
from snakemake.settings.enums import Quietness
from snakemake_interface_logger_plugins.common import LogEvent

from zoomill import files
from zoomill.fetch import progress
from zoomill.plan import artifact_name
from zoomill.printable import printable
from zoomill.run import jobs

_OF_JOBS = (LogEvent.JOB_INFO, LogEvent.GROUP_INFO, LogEvent.JOB_ERROR, LogEvent.GROUP_ERROR, LogEvent.JOB_FINISHED)
_STOPPED = re.compile("Terminating processes|Will exit after")
_KEPT = re.compile(f"{_STOPPED.pattern}|Nothing to be done|Trying to restart")
_ENVIRONMENT = re.compile(r"Creating conda environment (?:.*/)?(.+)\.yaml\.\.\.")
_SNAKEMAKE = Path(snakemake.__file__).parent


def begin(workflow):
    """Show a run of Snakemake's from now on, and return its :class:`Listener`.

    Where a flag asks for Snakemake's own words, its end alone; in a dry run, and in the processes that Snakemake starts
    itself, nothing.
    """
    settings, show = workflow.output_settings, Silent()
    own = [handler for handler in logger.handlers if handler.name == "DefaultStreamHandler"]
    if own and workflow.is_main_process and not settings.dryrun:
        theirs = settings.verbose or settings.debug_dag
        quiet = [Quietness.PROGRESS] if theirs else settings.quiet or ()
        show = Printer(quiet, own[0].stream, not own[0].nocolor and "NO_COLOR" not in os.environ)
        if not theirs:
            own[0].addFilter(_left_to_snakemake)
    listener = Listener(workflow, show)
    logger.addHandler(listener)
    return listener


def _left_to_snakemake(record):
    """Tell whether Snakemake's own line of a record is wanted."""
    event = getattr(record, "event", None)
    if event in _OF_JOBS or str(record.msg).startswith("Exiting because a job execution failed"):
        return False
    if event == LogEvent.ERROR:  # that of a job is in its log, and ends the run
        return record.thread == threading.main_thread().ident and record.exception != "CalledProcessError"
    if event == LogEvent.SHELLCMD or record.levelno >= logging.WARNING:
        return True
    return _SNAKEMAKE not in Path(record.pathname).parents or bool(_KEPT.match(str(record.msg)))


class Listener(logging.Handler):
    """Makes events of what Snakemake logs. Each is a dict whose ``event`` is one of those in docs/front-door.md.

    Attributes:
        show: what shows them.
        texts: what Snakemake said of how jobs ended, ``{job id: text}``.
        stopped: whether the run was told to stop.
    """

    def __init__(self, workflow, show):
        super().__init__()
        self.show, self.texts, self.stopped = show, {}, False
        self._workflow, self._jobs, self._begun, self._last = workflow, {}, {}, {}
        self._done = self._steps = 0
        self._awaited = time.monotonic()  # since when the first artifact is, until it stands

    def emit(self, record):
        event = getattr(record, "event", None)
        if event == LogEvent.RUN_INFO:
            self._plan()
        elif event == LogEvent.JOB_INFO:
            self._begun[record.jobid] = time.monotonic()
        elif event == LogEvent.ERROR:  # what the thread of a job says before it calls the job failed
            self._last[record.thread] = record.getMessage()
        elif event == LogEvent.JOB_ERROR:
            self.texts[record.jobid] = self._last.pop(record.thread, "")
            if not record.indent:
                self._failed([record.jobid])
        elif event == LogEvent.GROUP_ERROR:
            self._failed([info["jobid"] for info in record.job_error_info])
        elif event == LogEvent.JOB_FINISHED:
            self._finished(record.job_id)
        elif _STOPPED.match(str(record.msg)):
            self.stopped = True
        elif found := _ENVIRONMENT.match(str(record.msg)):
            self.show({"event": "environment", "name": found[1]})

    def _plan(self):
        self._jobs = {job.jobid: job for job in self._workflow.dag.needrun_jobs()}
        self._steps = sum(not job.is_norun for job in self._jobs.values())
        self.show({"event": "begin", "steps": self._steps})

    def _finished(self, jobid):
        job = self._jobs.get(jobid)
        if job and not job.is_norun:
            self._done += 1
            self.show({"event": "finished", **self._about(job), "done": self._done, "steps": self._steps})
            self._first(job)

    def _first(self, job):
        """Show which artifact is the first that passed its validation."""
        for path in job.output:
            name, what = artifact_name.parse(path) or (None, None)
            if what == "evidence" and self._awaited and files.read_json(path)["passed"]:
                seconds, self._awaited = round(time.monotonic() - self._awaited, 1), None
                self.show({"event": "first", "artifact": str(name), "seconds": seconds})

    def _failed(self, jobids):
        failed = sorted((self._jobs[jobid] for jobid in jobids if jobid in self._jobs), key=jobs.name)
        if failed:
            if len(failed) == 1:
                jobs.write_last_words(failed, self.texts)
            logs = [str(path) for job in failed for path in job.log]
            self.show({"event": "failed", **self._about(failed[0]), "errors": jobs.of_members(failed), "logs": logs})

    def _about(self, job):
        """Return which step of which model a job is, and its seconds: its own if measured, else since its start."""
        values = dict(job.wildcards_dict)
        subject = next((values.pop(key) for key in ("model", "source", "dataset") if key in values), "")
        seconds = time.monotonic() - self._begun.get(job.jobid, time.monotonic())
        about = {"model": subject, "step": job.rule.name, "of": jobs.joined(values.values())}
        return {**about, "seconds": round(seconds, 1)}


class Silent:
    """Shows nothing."""

    def __call__(self, event):
        """Take an event."""


class Printer:
    """Shows events.

    Args:
        quiet: what Snakemake was told to be quiet about.
        stream: text file for the lines of people.
        colour: whether what failed is red.
    """

    def __init__(self, quiet, stream, colour):
        self._stream, self._colour = stream, colour
        self._all = Quietness.ALL not in quiet
        self._wanted = self._all and Quietness.PROGRESS not in quiet

    def __call__(self, event):
        """Show an event."""
        if progress.as_json():
            print(json.dumps(event), flush=True)
        if self._wanted or (self._all and event["event"] == "end"):
            # A download may have drawn its bar there.
            start = "\r\x1b[K" if self._stream.isatty() else ""
            red, plain = ("\x1b[31m", "\x1b[0m") if self._colour and event["event"] == "failed" else ("", "")
            if line := text(event):
                print(f"{start}{red}{line}{plain}", file=self._stream, flush=True)


def text(event):
    """Return an event as a person reads it."""
    match event:
        case {"event": "begin", "steps": steps}:
            return f"{steps} step{'s' * (steps != 1)} to run"
        case {"event": "environment", "name": name}:
            return f"building the environment {name}"
        case {"event": "finished", "done": done, "steps": steps, "seconds": seconds}:
            return f"{done:>3} of {steps}  {_step(event):<76} {seconds:>6.1f} s"
        case {"event": "first", "artifact": artifact, "seconds": seconds}:
            return f"            {artifact} is the first that is validated, after {seconds:.1f} s"
        case {"event": "failed", "errors": errors, "logs": logs, "seconds": seconds}:
            told = [f"    {printable(line)}" for line in errors]
            return "\n".join([f"FAILED      {_step(event):<76} {seconds:>6.1f} s", *told, f"    log: {' '.join(logs)}"])
        case {"event": "end"}:
            return _end(event)


def _step(event):
    return f"{event['model']:<26} {event['step']} {event['of']}".rstrip()


def _end(event):
    """Return the table and the last three lines; nothing of a run that makes no file, like `catalogue`."""
    if not event["look_at"]:
        return ""
    hours, seconds = divmod(round(event["seconds"]), 3600)
    took = f"{hours} h " * bool(hours) + f"{seconds // 60} min {seconds % 60} s"
    numbers = ", ".join(f"{event[key]} {key}" for key in ("built", "reused", "failed"))
    lines = [f"artifacts: {numbers}; {took}", f"results are in {event['results']}", f"look at {event['look_at']}"]
    return "\n".join([*([event["table"], ""] if event["table"] else []), *lines])
