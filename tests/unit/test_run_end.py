"""The numbers that a run ends with, on a made-up DAG."""

import types

import pytest

from zoomill import files
from zoomill.run import end

BUILT, REUSED, LOST, WRONG = (f"results/small/main.{name}.tflite" for name in ("a", "b", "c", "d"))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A working directory with all artifacts but the lost one."""
    monkeypatch.chdir(tmp_path)
    for path in (BUILT, REUSED, WRONG):
        files.write_bytes(path, b"")


def dag(*outputs, needrun=(BUILT, LOST, WRONG), targets=()):
    """Return what is asked of a DAG: jobs, which of them were to be run, and all but that of LOST were run."""
    jobs = [types.SimpleNamespace(output=[path]) for path in outputs]
    return types.SimpleNamespace(
        jobs=jobs,
        targetfiles=targets,
        needrun=lambda job: job.output[0] in needrun,
        noneedrun_finished=lambda job: job.output[0] != LOST,
    )


def test_an_artifact_was_built_was_there_or_failed():
    wrong = ["small: main.d.tflite: too far", "small: main.d.tflite: not tested: x"]
    found = end._outcome(dag(BUILT, REUSED, LOST, WRONG, "results/small/main.a.tflite.json"), wrong)
    assert [found[key] for key in ("built", "reused", "failed")] == [1, 1, 2]
    assert (found["results"], found["look_at"]) == ("results/small/", BUILT)


def test_the_reports_are_worth_seeing_and_the_table_ends_before_the_failures():
    files.write_bytes("results/summary.md", b"| a |\n\n## What failed\n\n- b\n")
    found = end._outcome(dag(BUILT, "results/summary.md"), [])
    assert (found["results"], found["look_at"], found["table"]) == ("results/", "results/summary.md", "| a |")


def test_what_was_asked_for_is_worth_seeing_where_it_is_no_artifact():
    files.write_bytes("sources/small/a", b"")
    found = end._outcome(dag("sources/small", targets=["sources/small"]), [])
    assert (found["results"], found["look_at"]) == ("sources/", "sources/small")


def test_a_run_that_makes_no_file_has_nothing_to_show():
    assert end._outcome(dag(), [])["look_at"] == ""


def test_targets_in_several_folders_have_no_common_one():
    files.write_bytes("build/small/a", b"")
    found = end._outcome(dag(targets=["build/small/a", BUILT]), [])
    assert found["results"] == "results/"
