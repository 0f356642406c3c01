"""The report: what it says, that strangers' text stays text, and what a person can do with it in Chromium."""

import hashlib
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from conftest import REPOSITORY, missing

from zoomill import files

TEMPLATES = sorted((REPOSITORY / "scripts/zoomill/pages/templates/report").iterdir())
HOSTILE = '<script>alert("1")</script>'
CONTRACT = {
    "model": "small",
    "graph": "main",
    "inputs": [{"name": "x", "dtype": "float32", "shape": [1, 4, 4, 3], "layout": "NHWC", "colour": "RGB"}],
    "outputs": [{"name": "y", "dtype": "float32", "shape": [1, 3], "meaning": HOSTILE}],
    "labels": ["a", "b", "c"],
    "label_offset": 0,
}
CONTRACT["inputs"][0]["value_range"] = [0, 1]
CARD = {
    "title": HOSTILE,
    "task": "image-classification",
    "training_set": HOSTILE,
    "preprocess": {},
    "decode": {},
    "output": None,
    "licence": HOSTILE,
    "homepage": "javascript:alert(1)",
    "dataset": "digits",
    "kind": "keras",
    "files": [{"name": HOSTILE, "size": 7, "sha256": "0" * 64}, {"name": "b", "size": None, "sha256": None}],
}
SIZES = {"float32": 90000, "float16": 9000, "int8": 20000}
DIGESTS = {variant: hashlib.sha256(variant.encode()).hexdigest() for variant in SIZES}


def evidence(variant, **more):
    return {
        "model": "small",
        "graph": "main",
        "variant": variant,
        "artifact": f"main.{variant}.tflite",
        "sha256": DIGESTS[variant],
        "bytes": SIZES[variant],
        "operators": {"CONV_2D": 2, "SOFTMAX": 1},
        "failures": [],
        "not_tested": [],
        "verdict": "passed",
        "passed": True,
        **more,
    }


def metric(variant, value, **more):
    against = {"of": "main.float32", "difference": value - 0.9, "interval": [-0.1, 0.1], "verdict": "not told apart"}
    return {
        **{"model": "small", "graph": "main", "variant": variant, "artifact": f"main.{variant}.tflite"},
        **{
            "sha256": DIGESTS[variant],
            "figure": "top_1",
            "values": {"top_1": value},
            "interval": [value - 0.05, value + 0.04],
        },
        **{"samples": 100, "more_is_better": True, "against": [against] * (variant != "float32"), **more},
    }


def gate(variant, name, **more):
    found = {"gate": name, "said": "", "reason": None, **more}
    return {**evidence(variant), **found}


@pytest.fixture
def write(command, environment_python, tmp_path):
    """Return a function that writes a report of documents and returns ``{page: text}``."""

    def run(output="report", missing=(), others=None):
        failed = {"failures": [f"y: {HOSTILE}"], "verdict": "failed", "passed": False}
        documents = {
            "evidence": [evidence("float32"), evidence("float16"), evidence("int8", **failed)],
            "metrics": [metric("float32", 0.9), metric("float16", 0.91), metric("int8", 0.5, interval=None)],
            "gates": [
                gate("int8", "micro", said="13 KiB"),
                gate("float32", "micro", said="of the same bytes", model="other"),
                gate("float16", "micro", reason=HOSTILE, passed=True),
                gate("int8", "latency", threads={"1": {"median_ms": 1.25}}, said="1.25 ms"),
            ],
            "contracts": [CONTRACT],
        }
        flags = []
        for variant in SIZES:
            data = (others or {}).get(variant, variant.encode())
            files.write_bytes(tmp_path / f"results/small/main.{variant}.tflite", data, recorded=False)
        for flag, items in documents.items():
            flags.append(f"--{flag}")
            for number, item in enumerate(items):
                flags.append(f"results/small/{flag}{number}.json")
                if flag == "metrics":
                    flags[-1] = f"results/small/main.{item['variant']}.metric.json"
                files.write_json(tmp_path / flags[-1], item, recorded=False)
        flags += ["--cards", json.dumps({"small": CARD}), "--missing", *missing, "--templates", *TEMPLATES]
        process = command(environment_python("pages"), "write_report", *flags, "--output", output, cwd=tmp_path)
        assert process.returncode == 0, process.stderr
        return {path.name: path.read_text() for path in (tmp_path / output).iterdir()}

    return run


class Page(HTMLParser):
    """The rows of a page's first table, and all its tags with their attributes."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.tags, self._cell = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self._cell = True

    def handle_endtag(self, tag):
        self._cell = self._cell and tag not in ("td", "th")

    def handle_data(self, data):
        if self._cell:
            self.rows[-1][-1] = " ".join(f"{self.rows[-1][-1]} {data}".split())


def artifacts(text):
    """Return ``{artifact: {heading: cell}}`` of a page's table."""
    heading, *rows = Page(text).rows[:4]
    return {cells[1]: dict(zip(heading, cells, strict=True)) for cells in rows}


def test_a_row_says_what_is_known_of_an_artifact(write):
    rows = artifacts(write()["index.html"])
    assert rows["main.float16.tflite"]["metric"] == "0.9100 top_1, 0.860 to 0.950"
    assert rows["main.float16.tflite"]["loss"] == "~-0.0100" and rows["main.float32.tflite"]["loss"] == ""
    assert rows["main.float16.tflite"]["TFLite Micro"] == "no" and rows["main.float32.tflite"]["TFLite Micro"] == ""
    own = rows["main.int8.tflite"]
    assert own["metric"] == "0.5000 top_1" and own["TFLite Micro"] == "passed 13 KiB" and own["ms"] == "1.25"
    assert (own["verdict"], own["bytes"], own["operators"], own["classes"]) == ("failed", "20,000", "3", "3")
    assert own["input"] == "4 × 4 × 3 float32 in 0 … 1"


def test_what_failed_and_what_could_not_be_made_is_told_on_both_pages(write):
    pages = write(missing=["small: main.int16x8.tflite: not made", "other: main.int8.tflite: not made"])
    assert "2 could not be made" in pages["index.html"]
    for name in ("index.html", "small.html"):
        told = pages[name].partition("What failed or was not tested")[2]
        assert "main.int8.tflite: y: &lt;script&gt;" in told and "small: main.int16x8.tflite: not made" in told
    assert "other: " not in pages["small.html"]


def test_a_figure_of_other_bytes_is_not_shown_and_named(write):
    pages = write(others={"float16": b"damaged"})
    rows = artifacts(pages["index.html"])
    assert rows["main.float16.tflite"]["metric"] == "" and rows["main.float32.tflite"]["metric"] != ""
    assert all("its figures are stale (artifact)" in pages[name] for name in ("index.html", "small.html"))


def test_text_of_strangers_stays_text_and_nothing_is_of_another_host(write):
    for name, text in write().items():
        if not name.endswith(".html"):
            assert not re.search("https?://|@import|fetch", text)
            continue
        tags = Page(text).tags
        assert [attributes.get("src") for tag, attributes in tags if tag == "script"] == ["report.js"]
        links = [
            value for _, attributes in tags for key, value in attributes.items() if key in ("href", "src", "xlink:href")
        ]
        assert links and not [link for link in links if re.match(r"(?!data:,$)\w+:|//", link)]
        assert not [key for _, attributes in tags for key in attributes if key.startswith("on")]


def test_a_report_has_the_same_bytes_every_time(write):
    assert write("one") == write("two")


def test_it_is_used_with_mouse_and_keyboard_from_disk(write, environment_python, tmp_path):
    if not shutil.which("chromium"):
        missing("Chromium is not installed")
    write()
    program = Path(__file__).with_name("drive_report.py")
    command = [environment_python("web"), program, tmp_path / "report/index.html", shutil.which("chromium")]
    process = subprocess.run(command, text=True, capture_output=True)
    assert process.returncode == 0, process.stderr
    found = json.loads(process.stdout)
    assert (found["errors"], found["asked"]) == ([], [])
    whole, half, small = (f"main.{variant}.tflite" for variant in ("float32", "float16", "int8"))
    assert found["start"] == [whole, half, small]
    assert found["by bytes"] == [half, small, whole] == found["by bytes, largest first"][::-1]
    assert found["by metric"] == [small, whole, half]
    assert found["focused"] == "operators"
    assert (found["filtered"], found["count"], found["again"]) == ([small], "1", 3)
    assert found["wide"] == {"index": 390, "small": 390}
