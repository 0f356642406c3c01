"""Which reports a run removes when it begins, and what it says could not be made, on a made-up DAG."""

import types

import pytest

from zoomill.run import reports

EVIDENCE = "results/small/main.int8.tflite.json"


class Job:
    """What is asked of a job of Snakemake's."""

    def __init__(self, rule, *output, **wildcards):
        self.rule, self.output, self.wildcards_dict = types.SimpleNamespace(name=rule), output, wildcards
        self.log = [f"logs/{rule}.log"]

    def is_group(self):
        return False


def workflow(planned=(), inputs=None, **more):
    """Return what is asked of a workflow: the jobs that are to run, and what reports were made of by the last run."""
    dag = types.SimpleNamespace(needrun_jobs=lambda: planned, **more)
    persistence = types.SimpleNamespace(input=lambda path: (inputs or {}).get(str(path)))
    return types.SimpleNamespace(touch=False, dag=dag, persistence=persistence)


@pytest.fixture(autouse=True)
def results(tmp_path, monkeypatch):
    """A folder with every report."""
    monkeypatch.chdir(tmp_path)
    for name in ("SHA256SUMS", "summary.md", "tfjs.md", "models.json", "models.js", "small/provenance.json"):
        (tmp_path / "results" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "results" / name).write_text("all is well")
    return tmp_path / "results"


def left(results):
    return sorted(str(path.relative_to(results)) for path in results.rglob("*") if path.is_file())


def test_a_run_of_which_nothing_is_known_removes_every_report(results):
    reports.begin(workflow([Job("validate", EVIDENCE)]))
    assert left(results) == []


def test_a_report_that_tells_of_nothing_that_is_made_again_stays(results):
    made_of = {"results/models.json": ["results/other/main.float32.tfjs"]}
    reports.begin(workflow([Job("validate", EVIDENCE)], made_of))
    assert left(results) == ["models.json"]


def test_a_report_that_is_made_again_itself_goes_first(results):
    made_of = {f"results/{name}": ["results/other/main.float32.tfjs"] for name in left(results)}
    reports.begin(workflow([Job("write_models_json", "results/models.json")], made_of))
    assert "models.json" not in left(results) and "summary.md" in left(results)


def test_a_report_tells_of_its_inputs_and_of_what_they_are_evidence_of():
    assert reports.told_of(["a.tflite.json", "b.tflite"]) == {"a.tflite.json", "a.tflite", "b.tflite"}


@pytest.fixture
def chain():
    """A run in which the export of one model failed: six artifacts and a report wait for it, another model for none."""
    export, broken = Job("export", "build/small/graph.pb", model="small"), Job("export", model="other")
    artifacts = [Job("convert", f"results/small/main.{name}.tflite", model="small") for name in "abcdef"]
    summarise = Job("summarise", "results/summary.md")
    dependencies = {export: {}, broken: {}, summarise: {job: set() for job in artifacts}}
    dependencies |= {job: {export: set()} for job in artifacts}
    run = workflow(dependencies=dependencies)
    run.scheduler = types.SimpleNamespace(failed={export}, remaining_jobs=[summarise, *artifacts])
    run.other = broken
    return run


def test_what_was_not_made_is_one_line_for_each_model_and_cause(chain):
    (line,) = reports.not_run(chain)
    names = ", ".join(f"main.{name}.tflite" for name in "abcd")
    assert line == f"small: {names} and 2 more: not made, since export small failed"


def test_a_closer_look_that_was_not_made_is_told_of_too(chain):
    ledger = Job("write_ledger", "results/small/main.a.ledger.json", "results/small/main.a.ledger.svg", model="small")
    chain.dag.dependencies[ledger] = chain.dag.dependencies[chain.scheduler.remaining_jobs[1]]
    chain.scheduler.remaining_jobs = [ledger]
    assert reports.not_run(chain) == ["small: main.a.ledger.json: not made, since export small failed"]


def test_where_a_job_waits_for_no_failed_one_the_run_was_stopped(chain):
    chain.scheduler.remaining_jobs.append(chain.other)
    assert reports.not_run(chain) is None


def test_reports_with_figures_are_made_again_and_are_unfinished_only_where_they_tell_something_else(
    results, monkeypatch
):
    jobs = [Job("summarise", "results/summary.md"), Job("write_testing_table", "results/tfjs.md")]
    jobs += [Job("write_models_json", "results/models.json"), Job("summarise", "results/SHA256SUMS")]
    jobs += [Job("write_report", "results/small")]  # a folder
    made, unfinished = [], []

    def run(job, _):
        made.append(job.output[0])
        (results / "summary.md").write_text("stale")
        if job.rule.name == "write_report":
            (results / "small/index.html").write_text("stale")
        return True

    monkeypatch.setattr(reports, "_run", run)
    running = workflow(jobs=jobs, needrun=lambda job: job is jobs[3])
    running.persistence.started = unfinished.append
    reports.make_again(running)
    assert made == ["results/summary.md", "results/tfjs.md", "results/small"]
    assert unfinished == [jobs[0], jobs[4]]
