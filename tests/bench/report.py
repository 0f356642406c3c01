"""How heavy and how quick the report is: of a run that stands, and of 129 models with 12 artifacts each.

    .venv/bin/python tests/bench/report.py RUN

prints a Markdown table. RUN is a folder with results/report. It needs the environments pages and web, and Chromium.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / folder) for folder in ("tests", "tests/browser", "scripts")]

import environments  # noqa: E402
import report_documents  # noqa: E402

from zoomill import tables  # noqa: E402
from zoomill.plan import variants  # noqa: E402

MODELS, VARIANTS = 129, [row.name for row in variants.rows(format="tflite")][:12]
COLUMNS = ("rows", "KB of the first page", "KB of all", "first paint, ms", "sort, ms", "filter, ms", "a letter, ms")


def write(folder):
    """Write a report of many models and return its folder."""
    flags = [*report_documents.many(folder, MODELS, VARIANTS), "--output", "results/report"]
    command = [environments.python_of("pages"), REPOSITORY / "scripts/write_report.py", *flags]
    subprocess.run(list(map(str, command)), cwd=folder, check=True)
    return folder / "results/report"


def measure(report):
    """Return the cells of a report's row."""
    driver = Path(__file__).with_name("drive_report_bench.py")
    command = [environments.python_of("web"), driver, report / "index.html"]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    sizes = {path.name: os.path.getsize(path) for path in report.iterdir()}
    own = sum(sizes[name] for name in ("index.html", "report.css", "report.js"))
    times = [f"{found[name]:.0f}" for name in ("paint", "sort", "filter", "letter")]
    return (f"{found['rows']:,}", f"{own / 1000:,.0f}", f"{sum(sizes.values()) / 1000:,.0f}", *times)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        rows = [measure(Path(sys.argv[1]) / "results/report"), measure(write(Path(made)))]
    print(tables.markdown([COLUMNS, *rows]))
