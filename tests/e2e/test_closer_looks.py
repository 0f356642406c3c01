"""Closer looks that the configuration names, from the run to the report, and Snakemake's own report of the run."""

import json

import pytest
from conftest import STARTERS, copied

pytestmark = pytest.mark.slow

NAME = "digits_resnet8/main.int8"
CONFIG = [*STARTERS, "models=[digits_resnet8]", f"ledgers=[{NAME}]", f"tensor_errors=[{NAME}]"]


@pytest.fixture(scope="module")
def run(starters, tmp_path_factory):
    """A run of one starter with closer looks at a file of it."""
    workflow = copied(starters, tmp_path_factory.mktemp("looks") / "copy", "digits_resnet8")
    workflow.run("results/summary.md", "results/report", config=CONFIG)
    return workflow


def test_summary_and_report_show_them(run):
    page = run.file("results/report/digits_resnet8.html").read_text()
    ledger = json.loads(run.file(f"results/{NAME}.ledger.json").read_text())
    assert f"What costs most is {ledger['steps'][-1]['title']}" in page or "No step can be told from costing" in page
    assert "dB: " in page and '<img src="../digits_resnet8/main.int8.tensors.png"' in page
    drawing = run.file(f"results/{NAME}.ledger.svg").read_text()
    assert "currentColor" in drawing and drawing in page
    told = run.file("results/summary.md").read_text().partition("## A closer look")[2]
    assert f"- results/{NAME}.ledger.json: " in told and f"- results/{NAME}.tensors.json: The worst of" in told


def test_snakemake_s_own_report_holds_the_results(run):
    run.run("--report", "report.html", config=CONFIG)
    text = run.file("report.html").read_text()
    for said in ("summary.md", "main.int8.metric.json", "main.int8.ledger.svg", "main.int8.tensors.png"):
        assert said in text
    for caption in ("All artifacts: bytes", "on the evaluation samples of its card", "step by step; hatched"):
        assert caption in text
