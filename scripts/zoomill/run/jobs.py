"""What a job of Snakemake's is called, and how it ended: by its log, and by what Snakemake says of it."""

import contextlib
import re

from zoomill import supervisor

_TRACEBACK = re.compile(r"^Traceback \(most recent call last\):\n(?:[ \t].*\n|\n)*(.+)", re.MULTILINE)
_STATUS = re.compile(r"died with <Signals\.\w+: (\d+)>|exit status (\d+)")


def name(job):
    """Return a job's rule and the values of its wildcards."""
    return f"{job.rule.name} {joined(job.wildcards_dict.values())}".strip()


def joined(values):
    """Return the values of wildcards with a dot between them; that of an end of a name begins with its own."""
    return ".".join(filter(None, (value.strip(".") for value in values)))


def write_last_words(jobs, texts):
    """End the log of every failed job with an error line, if it has none.

    A group is left to the process that runs its jobs.

    Args:
        jobs: Snakemake's.
        texts: what Snakemake says of how they ended, ``{job id: text}``.
    """
    for job in jobs:
        if job.is_group() or not job.log or _error_lines(job.log[0]):
            continue
        path = job.log[0]
        words = last_words(_read(path), texts.get(job.jobid, ""), path)
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"\nerror: {name(job)}: {words}\n")


def last_words(log, text, path):
    """Return how a job ended that wrote no error line.

    Args:
        log: what it wrote.
        text: what Snakemake says of its end, empty where it says nothing.
        path: of the log.
    """
    killed, status = (_STATUS.findall(text) or [("", "0")])[-1]
    with contextlib.suppress(ValueError):  # not every status above 128 is a signal's
        return f"{supervisor.ended_by(int(killed or int(status) - 128))}: {path}"
    if found := _TRACEBACK.findall(log):
        return f"{found[-1].strip()} (unexpected; traceback in {path})"
    said = log.strip().rpartition("\n")[2] or "ended without a word"
    return f"{said} (unexpected; see {path})"


def of_failed(jobs):
    """Return the error lines in the logs of failed jobs, without their mark.

    Args:
        jobs: Snakemake's. Of a group it is not known which job failed, or whether any of them ever began.
    """
    return [line for job in jobs for line in of_members(members(job))]


def members(job):
    """Return the jobs of a group, sorted by name; of a single job that one."""
    return sorted(job, key=name) if job.is_group() else [job]


def of_members(jobs):
    """Return the error lines of jobs that ran together, one of which failed."""
    found = [_with_name(job, line) for job in jobs for path in job.log for line in _error_lines(path)]
    whole = name(jobs[0]) + (f" and {len(jobs) - 1} jobs of its group" if len(jobs) > 1 else "")
    return found or [f"{whole}: ended without a word; is there enough memory and time?"]


def _with_name(job, line):
    """Return the line of a job, with its name before one that does not name the model."""
    subject = next(iter(job.wildcards_dict.values()), "")
    return line if subject in line else f"{name(job)}: {line}"


def _read(path):
    """Return the text of a log, empty where there is none."""
    with contextlib.suppress(FileNotFoundError), open(path, encoding="utf-8", errors="replace") as file:
        return file.read()
    return ""


def _error_lines(path):
    return re.findall("^error: (.*)$", _read(path), re.MULTILINE)
