"""What a run ends with: its table and numbers, and a line for each failed job and each verdict that is no pass."""

import os
import time

from snakemake.exceptions import WorkflowError

from zoomill.plan import artifact_name
from zoomill.printable import printable
from zoomill.proof import summary, verdicts
from zoomill.run import jobs, reports, view

_FOR_PEOPLE = ("results/report", reports.SUMMARY, "results/tfjs.md")


def tell_at_the_end(workflow, drops):
    """Make a run of Snakemake end with its error lines, sorted and each once, and with status 1 if there are any.

    Snakemake calls no hook where nothing is to be done, so its own call that runs the workflow is wrapped.

    Args:
        workflow: Snakemake's.
        drops: ``{model: {variant: largest loss of its metric}}``.
    """
    execute = workflow.execute

    def told(*args, **kwargs):
        begun, failure = time.monotonic(), None
        listener = view.begin(workflow)
        try:
            execute(*args, **kwargs)
        except WorkflowError as error:
            failure = error
        if workflow.scheduler and not workflow.dryrun:
            _end(workflow, drops, listener, begun)
        if failure:
            raise failure

    workflow.execute = told


def _end(workflow, drops, listener, begun):
    """Make what reports can be made, show the end of the run, and exit where something is wrong."""
    failed = workflow.scheduler.failed
    jobs.write_last_words(failed, listener.texts)
    if not workflow.is_main_process:
        return
    wrong = sorted({*jobs.of_failed(failed), *verdicts.of_wanted(workflow.dag, drops)})
    if wrong and not failed:
        reports.make_again(workflow)
    missing = reports.not_run(workflow) if failed and not listener.stopped else None
    if missing is not None:  # an artifact may stand of which only the evidence is missing
        missing += reports.make_of_what_stands(workflow, [*jobs.of_failed(failed), *missing])
    listener.show({"event": "end", "seconds": round(time.monotonic() - begun, 1), **_outcome(workflow.dag, wrong)})
    lines = [*(missing or []), *(f"error: {line}" for line in wrong)]
    if wrong:
        raise SystemExit("\n".join(map(printable, lines)))


def _outcome(dag, wrong):
    """Return the numbers of artifacts that were built, reused or failed, where they are, and the table.

    An artifact has failed that was not made, or of which an error line speaks.
    """
    outputs = {str(path): job for job in dag.jobs for path in job.output}
    made = {path: job for path, job in outputs.items() if (artifact_name.parse(path) or "?")[-1] == "artifact"}
    told = {"results/" + "/".join(line.split(": ")[:2]) for line in wrong}
    failed = {path for path, job in made.items() if path in told or not dag.noneedrun_finished(job)}
    built = {path for path, job in made.items() if dag.needrun(job)} - failed
    found = {path for path in made.keys() - failed or map(str, dag.targetfiles) if os.path.exists(path)}
    seen = [path for path in _FOR_PEOPLE if path in outputs and os.path.exists(path)] or sorted(found)[:1]
    folders = {os.path.dirname(path) for path in {*made, *found, *seen}} or {"results"}
    return {
        "built": len(built),
        "reused": len(made) - len(built) - len(failed),
        "failed": len(failed),
        "errors": wrong,
        "results": f"{os.path.commonpath(folders) or 'results'}/",
        "look_at": ", ".join(seen) or "logs/" * bool(wrong),
        "table": _table() if reports.SUMMARY in seen else "",
    }


def _table():
    with open(reports.SUMMARY, encoding="utf-8") as file:
        return file.read().partition(summary.FAILED)[0].rstrip("\n")
