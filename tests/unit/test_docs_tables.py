"""Tables of figures in docs/ are those of the evidence beside them, and the evidence is of the locked artifacts."""

import re
import shutil

import docs_tables
import pytest
from conftest import REPOSITORY

from zoomill import files, tables

TABLES = docs_tables.TABLES
NAMES = [*TABLES, *docs_tables.noted()]
LOCK = files.read_json(REPOSITORY / "artifacts.lock")


@pytest.mark.parametrize("name", NAMES)
def test_a_page_shows_what_its_evidence_says(name):
    assert docs_tables.shown(name) == docs_tables.text(name), "write it again by: python tests/docs_tables.py"


def test_every_marker_has_a_table_and_every_evidence_file_is_shown():
    pages = [page.read_text() for page in (REPOSITORY / "docs").glob("*.md")]
    marked = re.findall(r"<!-- table: evidence/(\w+)\.json -->", "".join(pages))
    assert sorted(marked) == sorted(NAMES)
    assert all(path.suffix == ".json" for path in docs_tables.EVIDENCE.iterdir())


@pytest.mark.parametrize("name", ["starter_variants", "starter_nms", "gpu_faults"])
def test_evidence_of_pages_is_of_the_artifacts_that_are_locked(name):
    evidence = docs_tables.read(name)
    locked = {key: found["sha256"] for key, found in evidence.items() if key in LOCK}
    assert locked and locked == {key: LOCK[key]["sha256"] for key in locked}


@pytest.mark.parametrize("name", NAMES)
def test_evidence_of_pages_tells_of_no_machine(name):
    text = (REPOSITORY / f"docs/evidence/{name}.json").read_text()
    assert not re.search(r"/(home|root|tmp|Users|work)/", text)


@pytest.fixture
def run(tmp_path):
    """A run that gave what the evidence of a table says."""
    evidence = docs_tables.read("starter_variants")
    for key, found in evidence.items():
        path = tmp_path / "results" / key
        kept = {name: found[name] for name in ("sha256", "samples", "samples_sha256", "figure", "interval")}
        files.write_json(
            f"{path}".replace(".tflite", ".metric.json"), {**kept, "values": {found["figure"]: found["value"]}}
        )
        parity = {"p": {"spread": 1, "sqnr": found["sqnr"]}}
        files.write_json(f"{path}.json", {"bytes": found["bytes"], "parity": parity})
        path.write_bytes(b"")
    return tmp_path


@pytest.mark.parametrize(
    "end, changes, part",
    [
        (".tflite.json", {"bytes": 1}, "bytes"),
        (".tflite.json", {"parity": {"p": {"spread": 1, "sqnr": 1}}}, "sqnr"),
        (".metric.json", {"values": {"top_1": 0.5}}, "figure"),
        (".metric.json", {"sha256": "0"}, "artifact"),
        (".metric.json", {"samples_sha256": "0"}, "sample list"),
    ],
)
def test_evidence_of_pages_that_a_run_has_otherwise_is_stale_by_name_of_the_part(run, end, changes, part):
    assert docs_tables.differences("starter_variants", run) == []
    path = run / f"results/digits_resnet8/main.int8{end}"
    files.write_json(path, files.read_json(path) | changes)
    (line,) = docs_tables.differences("starter_variants", run)
    assert line == f"docs/evidence/starter_variants.json: digits_resnet8/main.int8.tflite: is stale ({part})"


def test_what_a_run_has_not_made_is_compared_with_nothing(run):
    shutil.rmtree(run / "results/digits_resnet8")
    assert docs_tables.differences("starter_variants", run) == []


def test_figures_of_a_gate_are_those_of_its_evidence(tmp_path):
    key, found = next(iter(docs_tables.read("gpu_faults").items()))
    path = tmp_path / "results" / key.replace(".tflite", ".gpu.json")
    metric = {name: found[name] for name in ("builtin", "xnnpack", "gpu", "figure")}
    files.write_json(path, {"metric": metric, "sha256": found["sha256"], "bytes": found["bytes"]})
    assert docs_tables.measured("gpu_faults", tmp_path) == {key: found}
    assert docs_tables.differences("gpu_faults", tmp_path) == []
    files.write_json(path, {"metric": {**metric, "gpu": 0}, "sha256": "0", "bytes": found["bytes"]})
    (line,) = docs_tables.differences("gpu_faults", tmp_path)
    assert line.endswith(": is stale (artifact, gpu)")


@pytest.mark.parametrize("name", docs_tables.noted())
def test_what_no_run_has_says_how_when_and_of_which_commit_it_was_measured(name):
    evidence = docs_tables.read(name)
    assert evidence.keys() == {"command", "commit", "date", "columns", "rows"} and evidence["command"]
    assert re.fullmatch("[0-9a-f]{7}", evidence["commit"]) and re.fullmatch(r"\d{4}-\d\d-\d\d", evidence["date"])
    assert {len(row) for row in evidence["rows"]} == {len(evidence["columns"])}


def test_rows_are_taken_from_the_table_with_the_columns_of_the_evidence():
    columns = docs_tables.read("growth")["columns"]
    other = tables.markdown([("a", *columns[1:]), ("1", *columns[1:])])
    told = f"{other}\n{tables.markdown([columns, ['10', '', '3', '4', '5', '6']])}\n{other}"
    found = docs_tables.printed("growth", told)
    assert found["rows"] == [["10", "", "3", "4", "5", "6"]]
    assert found["command"] == docs_tables.read("growth")["command"] and re.fullmatch("[0-9a-f]{7}", found["commit"])
    with pytest.raises(ValueError, match="growth: no table with the columns models, variants"):
        docs_tables.printed("growth", other)


def test_noted_evidence_is_written_with_a_row_in_each_line(tmp_path, monkeypatch):
    kept = docs_tables.read("growth")
    monkeypatch.setattr(docs_tables, "EVIDENCE", tmp_path)
    docs_tables.write_noted("growth", kept)
    assert (tmp_path / "growth.json").read_bytes() == (REPOSITORY / "docs/evidence/growth.json").read_bytes()
