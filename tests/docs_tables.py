"""The tables of figures in docs/, each made of an evidence file in docs/evidence/ by the marker before it.

    .venv/bin/python tests/docs_tables.py [TABLE RUN [SETTING]]

writes all tables into their pages; with a table and the folder of a finished run it takes the figures from there first,
those of the setting where the table has several. What the run does not have stays as it was.

    COMMAND | .venv/bin/python tests/docs_tables.py TABLE

takes the rows of a table that no run has, one of :func:`noted`, from what its command prints.
"""

import datetime
import itertools
import json
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
DOCS, EVIDENCE = REPOSITORY / "docs", REPOSITORY / "docs/evidence"
sys.path.insert(0, str(REPOSITORY / "scripts"))

from docs_figures import CELLS, OF_GATE, PARTS, TABLES  # noqa: E402

from zoomill import files, tables  # noqa: E402
from zoomill.proof import summary  # noqa: E402

_DECIBELS = 3
# What a figure may be off by on another processor, whose kernels add floats in another order: about a box of the SSD's.
_FIGURE = 0.001


def noted():
    """Return the names of the tables that no run has: their evidence is what a command printed, and when."""
    return sorted({path.stem for path in EVIDENCE.iterdir()} - {*TABLES})


def text(name):
    """Return a table as Markdown, made of its evidence file."""
    evidence = read(name)
    if name not in TABLES:
        said = "\nMeasured {date} at commit {commit} by `{command}`.\n".format(**evidence)
        return tables.markdown([evidence["columns"], *evidence["rows"]]) + said
    table = TABLES[name]
    rows = [(table.heading, *(heading for heading, *_ in table.columns))]
    for first, row in table.rows.items():
        cells = [CELLS[cell](evidence[_key(path.format(row), setting)]) for _, path, setting, cell in table.columns]
        rows.append((first, *cells))
    return tables.markdown(rows)


def read(name):
    """Return the evidence of a table, ``{artifact, and the setting behind it: figures}``."""
    path = EVIDENCE / f"{name}.json"
    return files.read_json(path) if path.exists() else {}


def shown(name):
    """Return the table as it stands in its page."""
    return _parted(name)[2]


def _parted(name):
    """Return the page of a table, what stands in it before the table, the table and what stands after it."""
    marker = f"<!-- table: evidence/{name}.json -->\n"
    page = next(page for page in sorted(DOCS.glob("*.md")) if marker in page.read_text())
    before, marker, rest = page.read_text().partition(marker)
    table, end, after = rest.partition("<!-- end -->\n")
    return page, before + marker, table, end + after


def printed(name, told):
    """Return the evidence of a table of :func:`noted` that its command has printed just now.

    Args:
        name: of the table.
        told: all that it printed; the table is the one with the columns of the evidence.

    Raises:
        ValueError: where there is no such table.
    """
    known = read(name)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in told.splitlines()]
    if known["columns"] not in rows:
        raise ValueError(f"{name}: no table with the columns {', '.join(known['columns'])}")
    body = rows[rows.index(known["columns"]) + 2 :]
    found = list(itertools.takewhile(bool, body))
    asked = ["git", "-C", REPOSITORY, "rev-parse", "--short=7", "HEAD"]
    commit = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    return {**known, "commit": commit, "date": f"{datetime.date.today()}", "rows": found}


def write_noted(name, evidence):
    """Write evidence with a row in each line."""
    head = json.dumps({**evidence, "rows": []}, indent=2, ensure_ascii=False).removesuffix("[]\n}")
    rows = ",\n".join(f"    {json.dumps(row, ensure_ascii=False)}" for row in evidence["rows"])
    (EVIDENCE / f"{name}.json").write_text(f"{head}[\n{rows}\n  ]\n}}\n")


def measured(name, run, setting=""):
    """Return the evidence of a table that a finished run has, as :func:`read` does.

    Args:
        name: of the table.
        run: folder of the run.
        setting: which of the table's columns it has.
    """
    table = TABLES[name]
    paths = {path.format(row) for row in table.rows.values() for _, path, own, _ in table.columns if own == setting}
    found = {_key(path, setting): _figures(Path(run), path, table.gate) for path in sorted(paths)}
    return {key: figures for key, figures in found.items() if figures}


def _key(path, setting):
    return f"{path} {setting}".rstrip()


def _figures(run, name, gate):
    """Return what a run says of an artifact, or of a source, as far as tables show it, with digests."""
    artifact = run / "results" / name
    path = artifact.with_name(f"{artifact.name.removesuffix('.tflite')}.{gate or 'metric'}.json")
    if not path.exists():
        return {}
    metric = files.read_json(path)
    if gate:
        return {**OF_GATE[gate](metric), **{key: metric[key] for key in ("sha256", "bytes")}}
    kept = {key: metric[key] for key in ("sha256", "samples", "samples_sha256", "figure", "interval")}
    kept["value"] = metric["values"][metric["figure"]]
    if artifact.exists():
        evidence = files.read_json(f"{artifact}.json")
        heads = evidence["parity"].get("heads", evidence["parity"])
        kept["sqnr"] = min(found["sqnr"] for head in heads.values() for found in summary.measures(head))
        kept["bytes"] = evidence["bytes"]
    if artifact.name == "source":
        for source in (run / "sources" / artifact.parent.name).glob("*.tflite"):
            kept["bytes"] = source.stat().st_size
    return kept


def differences(name, run):
    """Return a line for each part of a table's evidence that a finished run has otherwise, and for each of its figures.

    The evaluator has no digest in evidence of pages: every edit would change it. That its figures are those of the run,
    to the digits that are shown, says more.
    """
    kept, lines = read(name), []
    for key, found in measured(name, run).items():
        parts = [part for part, field in PARTS.items() if found.get(field) != kept[key].get(field)]
        shown = {cell for *_, cell in TABLES[name].columns}
        parts += sorted(cell for cell in shown if not _same(cell, found, kept[key]))
        lines += [f"docs/evidence/{name}.json: {key}: is stale ({', '.join(parts)})"] if parts else []
    return lines


def _same(cell, one, other):
    """Tell whether two figures are alike but for the last bits of floats, which depend on processors, as do 130 dB."""
    if cell == "sqnr":
        return abs(one["sqnr"] - other["sqnr"]) < _DECIBELS
    if cell not in ("figure", "interval"):
        return CELLS[cell](one) == CELLS[cell](other)
    ends = [(one["value"], other["value"]), *zip(one["interval"], other["interval"], strict=True)]
    return all(abs(mine - its) <= _FIGURE for mine, its in ends[: None if cell == "interval" else 1])


def main(name=None, run=None, setting=""):
    """Write the evidence of a table, where one is named, and all tables."""
    if name in TABLES:
        files.write_json(EVIDENCE / f"{name}.json", {**read(name), **measured(name, run, setting)}, recorded=False)
    elif name:
        write_noted(name, printed(name, sys.stdin.read()))
    for one in (*TABLES, *noted()):
        page, before, _, after = _parted(one)
        page.write_text(before + text(one) + after)


if __name__ == "__main__":
    main(*sys.argv[1:])
