"""What a run ends with: an error line for every job that failed and for every verdict that is no pass.

Snakemake deletes what a failed job wrote, so a job that finds a fault succeeds and its evidence stays. The verdict is
told when the run is over, after all that can be built was built; also when there was nothing to do.
"""

import collections
import contextlib
import glob
import logging
import os
import re

from snakemake.exceptions import WorkflowError
from snakemake.io import IOFile
from snakemake.logging import logger
from snakemake_interface_logger_plugins.common import LogEvent

from zoomill import files, folders, supervisor
from zoomill.printable import printable
from zoomill.proof import metric_loss

# They tell of artifacts that passed.
_REPORTS = ("results/SHA256SUMS", "results/summary.md", "results/tfjs.md", "results/*/provenance.json")
_EVIDENCE = re.compile(r"^results/[^/]+/(?:browser|[^/]+\.(?:tflite|openvino|tfjs)|[^/.]+\.[^/]+\.metric)\.json$")
_TRACEBACK = re.compile(r"^Traceback \(most recent call last\):\n(?:[ \t].*\n|\n)*(.+)", re.MULTILINE)
_STATUS = re.compile(r"died with <Signals\.\w+: (\d+)>|exit status (\d+)")


def tell_at_the_end(workflow, drops):
    """Make a run of Snakemake end with its error lines, sorted and each once, and with status 1 if there are any.

    Snakemake calls no hook where nothing is to be done, so its own call that runs the workflow is wrapped.

    Args:
        workflow: Snakemake's.
        drops: ``{model: {variant: largest loss of its metric}}``.
    """
    execute, ends = workflow.execute, _Ends()
    logger.addHandler(ends)

    def told(*args, **kwargs):
        failure = None
        try:
            execute(*args, **kwargs)
        except WorkflowError as error:
            failure = error
        if workflow.scheduler and not workflow.dryrun:
            failed = workflow.scheduler.failed
            write_last_words(failed, ends.texts)
            lines = {*of_failed(failed), *of_wanted(workflow.dag, drops)}
            if lines and workflow.is_main_process:
                raise SystemExit("\n".join(f"error: {printable(line)}" for line in sorted(lines)))
        if failure:
            raise failure

    workflow.execute = told


def begin(workflow):
    """Remove the logs of all jobs that are to run, and the reports of an earlier run on anything they make."""
    if workflow.touch:
        return
    jobs = list(workflow.dag.needrun_jobs())
    made = {str(path) for job in jobs for path in job.output}
    reports = [path for pattern in _REPORTS for path in glob.glob(pattern)]
    logs = [path for job in jobs for path in job.log]
    stale = [path for path in reports if made & told_of(workflow.persistence.input(IOFile(path)) or made)]
    for path in stale + logs:
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)


def told_of(inputs):
    """Return what a report made of some files tells of: they, and where they are evidence, its artifacts."""
    return {*inputs, *(path.removesuffix(".json") for path in inputs)}


class _Ends(logging.Handler):
    """Keeps what Snakemake says of how jobs ended: ``texts`` is ``{job id: text}``."""

    def __init__(self):
        super().__init__()
        self.texts, self._last = {}, {}

    def emit(self, record):
        event = getattr(record, "event", None)
        if event == LogEvent.ERROR:  # what the thread of a job says before it calls the job failed
            self._last[record.thread] = record.getMessage()
        elif event == LogEvent.JOB_ERROR:
            self.texts[record.jobid] = self._last.pop(record.thread, "")


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
            file.write(f"\nerror: {_name(job)}: {words}\n")


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
    lines = []
    for job in jobs:
        members = sorted(job, key=_name) if job.is_group() else [job]
        found = [_with_name(member, line) for member in members for path in member.log for line in _error_lines(path)]
        name = _name(members[0]) + (f" and {len(members) - 1} jobs of its group" if len(members) > 1 else "")
        lines += found or [f"{name}: ended without a word; is there enough memory and time?"]
    return lines


def of_wanted(dag, drops):
    """Return a line for every verdict that is no pass, of the evidence among the targets and what they are made of.

    Evidence that was to be made again and was not, as something before it failed, counts for nothing.

    Args:
        dag: Snakemake's.
        drops: see :func:`tell_at_the_end`.
    """
    made = {str(path) for job in dag.jobs if dag.noneedrun_finished(job) for path in job.output}
    lines, about, metrics = [], [], []
    for path in filter(os.path.exists, filter(_EVIDENCE.search, made)):
        try:
            document = files.read_json(path)
            about += [
                (os.path.join(os.path.dirname(path), item["artifact"]), path, item)
                for item in document.get("artifacts", [document])
            ]
            if path.endswith(".metric.json"):
                metrics.append(document)
            else:
                lines += of_evidence(document)
        except (ValueError, KeyError, AttributeError):
            model = path.split("/")[1]
            lines.append(f"{model}: {path} is damaged; make it again with: snakemake -j1 --force {path}")
    return [*lines, *of_bytes(about), *of_twins(about), *metric_loss.failures(metrics, drops)]


def of_evidence(document):
    """Return a line for every phrase of evidence that says what failed or could not be tested."""
    lines = []
    for item in document.get("artifacts", [document]):  # that of Chromium is about several
        where = ": ".join(dict.fromkeys((document["model"], document["artifact"], item["artifact"])))
        lines += [f"{where}: {phrase}" for phrase in item["failures"]]
        lines += [f"{where}: not tested: {phrase}" for phrase in item.get("not_tested", [])]
    return lines or ([] if document["passed"] else [f"{document['model']}: {document['artifact']}: did not pass"])


def of_bytes(about):
    """Return a line for every artifact that is not what its evidence is about.

    Args:
        about: ``(artifact, evidence, document)``; paths, and what stands in the evidence about the artifact.
    """
    there = {artifact for artifact, *_ in about if os.path.exists(artifact)}
    digests = {artifact: folders.digest(artifact) for artifact in there}
    strays = collections.defaultdict(set)
    for artifact, evidence, document in about:
        if digests.get(artifact) != document["sha256"]:
            strays[document["model"], artifact].add(evidence)
    return [
        f"{model}: {os.path.basename(artifact)} was changed after it was validated; "
        f"restore it with: snakemake -j1 --force {artifact} {' '.join(sorted(evidence))}"
        for (model, artifact), evidence in strays.items()
    ]


def of_twins(about):
    """Return a line for variants of one graph and format that have the same bytes; ``about`` as in :func:`of_bytes`."""
    twins = collections.defaultdict(set)
    for artifact, _, document in about:
        form = artifact.rpartition(".")[2]
        twins[document["model"], document["graph"], form, document["sha256"]].add(document["artifact"])
    return [
        f"{model}: {' and '.join(sorted(names))} have the same bytes, so one is not what its name says"
        for (model, *_), names in twins.items()
        if len(names) > 1
    ]


def _name(job):
    return " ".join([job.rule.name, ".".join(job.wildcards_dict.values())]).strip()


def _with_name(job, line):
    """Return the line of a job, with its name before one that does not name the model."""
    subject = next(iter(job.wildcards_dict.values()), "")
    return line if subject in line else f"{_name(job)}: {line}"


def _read(path):
    """Return the text of a log, empty where there is none."""
    with contextlib.suppress(FileNotFoundError), open(path, encoding="utf-8", errors="replace") as file:
        return file.read()
    return ""


def _error_lines(path):
    return re.findall("^error: (.*)$", _read(path), re.MULTILINE)
