"""Reports on many artifacts: they never outlive what they tell of, and of a run that ends red tell of what stands.

Snakemake runs no job of which an input could not be made. When a run is over, the commands of such reports are run over
the inputs that stand. To Snakemake these files are unfinished ones, so the next run makes them again.
"""

import contextlib
import glob
import os
import shutil
import subprocess

from snakemake.io import IOFile
from snakemake.iocontainers import InputFiles
from snakemake.settings.types import DeploymentMethod
from snakemake.shell import shell

from zoomill.folders import digest
from zoomill.plan import artifact_name, studies
from zoomill.run import jobs

# They tell of artifacts that passed.
_REPORTS = (
    *("results/SHA256SUMS", "results/summary.md", "results/tfjs.md", "results/models.js*", "results/report"),
    *("results/*/provenance.json", "results/*/tfjs.md"),
)
SUMMARY = "results/summary.md"
_OF_FIGURES = ("summarise", "write_report", "write_testing_table")
_OF_ALL_MODELS = (*_OF_FIGURES, "write_checksums", "write_models_json")


def begin(workflow):
    """Remove the logs of all jobs that are to run, and the reports of an earlier run on anything they make."""
    if workflow.touch:
        return
    planned = list(workflow.dag.needrun_jobs())
    made = {str(path) for job in planned for path in job.output}
    reports = [path for pattern in _REPORTS for path in glob.glob(pattern)]
    logs = [path for job in planned for path in job.log]
    stale = [path for path in reports if made & {path, *told_of(workflow.persistence.input(IOFile(path)) or made)}]
    for path in stale + logs:
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)


def told_of(inputs):
    """Return what a report made of some files tells of: they, and where they are evidence, its artifacts."""
    return {*inputs, *(path.removesuffix(".json") for path in inputs)}


def not_run(workflow):
    """Return a line for each model and failed job of all that could not be made, None where the run was stopped.

    Args:
        workflow: Snakemake's, after a run.
    """
    failed = [member for job in workflow.scheduler.failed for member in jobs.members(job)]
    waiting = [job for job in workflow.scheduler.remaining_jobs if job not in failed]
    causes = {job: _failed_before(job, workflow.dag, failed) for job in waiting}
    if not all(causes.values()):
        return None
    missing = {}
    for job in waiting:
        for path in map(str, job.output):
            name, what = artifact_name.parse(path) or (None, None)
            if what in ("artifact", *studies.DOCUMENTS):
                missing.setdefault((name.model, min(map(jobs.name, causes[job]))), []).append(os.path.basename(path))
    return [f"{model}: {_some(names)}: not made, since {cause} failed" for (model, cause), names in missing.items()]


def make_of_what_stands(workflow, missing):
    """Make the reports on all models that were asked for and were not run, and return a line for each that is empty.

    Args:
        workflow: Snakemake's, after a run in which jobs failed.
        missing: lines that say what is missing and why.
    """
    dag, lines = workflow.dag, []
    for job in workflow.scheduler.remaining_jobs:
        if job.rule.name in _OF_ALL_MODELS:
            unmade = [other for other in dag.dependencies[job] if not dag.noneedrun_finished(other)]
            job.input = _without(job.input, {path for other in unmade for path in dag.dependencies[job][other]})
            job.reset_params_and_resources()
            job.params.missing = missing
            workflow.persistence.started(job)
            if not _run(job, workflow):
                lines.append(f"{job.output[0]}: not made: too little stands, see {job.log[0]}")
    return lines


def make_again(workflow):
    """Make the reports with figures that a red run had no reason to make; the next run makes again what has changed."""
    for job in workflow.dag.jobs:
        if job.rule.name in _OF_FIGURES and not workflow.dag.needrun(job):
            before = digest(job.output[0])
            if _run(job, workflow) and digest(job.output[0]) != before:
                workflow.persistence.started(job)


def _failed_before(job, dag, failed):
    """Return the failed jobs that a job waited for."""
    found, seen, open_jobs = set(), {job}, [job]
    while open_jobs:
        for other in dag.dependencies[open_jobs.pop()]:
            if other in failed:
                found.add(other)
            elif other not in seen:
                open_jobs.append(other)
            seen.add(other)
    return found


def _some(names):
    """Return up to four names, and how many more there are."""
    names = sorted(names)
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _without(files, gone):
    """Return Snakemake's named input files without some of them; all of ours have names."""
    kept = InputFiles()
    for name, found in files.items():
        start = len(kept)
        kept.extend(path for path in ([found] if isinstance(found, str) else found) if path not in gone)
        kept._set_name(name, start, len(kept))
    return kept


def _run(job, workflow):
    """Run a job's command where the job would run, and tell whether it could say something of what is left."""
    own = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
    environment = {"conda_env": job.conda_env.address, "conda_base_path": workflow.conda_base_path} if own else {}
    for path in (*job.output, *job.log):
        os.makedirs(os.path.dirname(path), exist_ok=True)
    try:
        shell("{command}", command=job.shellcmd, **environment)
    except subprocess.CalledProcessError:
        return False
    return True
