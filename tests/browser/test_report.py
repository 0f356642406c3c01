"""The report: what it says, that strangers' text stays text, and what a person can do with it in Chromium."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from conftest import missing
from report_documents import ledger, many, paths, sweep, tensors

LOOKED = [
    ("main.int8.ledger.json", ledger("int8"), "main.int8.ledger.svg"),
    ("main.float16.nms.json", sweep("float16"), "main.float16.nms.svg"),
    ("main.int8.tensors.json", tensors("int8"), "main.int8.tensors.png"),
]


@pytest.fixture
def write(command, environment_python, tmp_path):
    """Return a function that writes a report of documents and returns ``{page: text}``."""

    def run(output="results/report", missing=(), others=None, looked=()):
        flags = [*paths(tmp_path, others, looked), "--missing", *missing, "--output", output]
        process = command(environment_python("pages"), "write_report", *flags, cwd=tmp_path)
        assert process.returncode == 0, process.stderr
        return {path.name: path.read_text() for path in (tmp_path / output).iterdir()}

    return run


class Page(HTMLParser):
    """The rows of a page's first table, and all its tags with their attributes."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.tags, self._cell = [], [], False
        self.feed(text.replace("<wbr>", ""))

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
    assert (own["verdict"], own["bytes"], own["operators"], own["classes"]) == ("failed", "20,000", "4", "3")
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
    for name, text in write(looked=LOOKED).items():
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
    assert write("results/one", looked=LOOKED) == write("results/two", looked=LOOKED)


def test_columns_without_a_value_are_left_out(write):
    rows = artifacts(write()["index.html"])
    assert {"loss", "ms", "training set"} < rows["main.int8.tflite"].keys()
    assert "against source" not in rows["main.int8.tflite"]


def test_closer_looks_stand_on_the_page_of_their_model_with_what_they_say(write):
    pages = write(looked=LOOKED)
    assert artifacts(pages["index.html"])["main.int8.tflite"]["against source"] == "+0.4000"
    text = pages["small.html"]
    assert "What costs most is &lt;script&gt;" in text and "(-0.4100 to -0.3900)" in text
    assert (
        "By mAP, keep the card&#39;s settings. By F1 at IoU 0.5, take nms_score_threshold 0.5 in place of 0.3" in text
    )
    assert "The worst of 2 tensors has 12 dB" in text and "Most is lost at entry (ADD), 8 dB" in text
    assert text.count("<title>drawn</title>") == 2 and '<img src="../small/main.int8.tensors.png"' in text


def test_closer_looks_of_other_bytes_are_not_shown_and_named(write):
    olds = [
        ("main.int8.ledger.json", ledger("float32"), "main.int8.ledger.svg"),
        ("main.float16.nms.json", sweep("float32"), "main.float16.nms.svg"),
        ("main.int8.tensors.json", tensors("float32"), "main.int8.tensors.png"),
    ]
    pages = write(looked=olds)
    assert "against source" not in artifacts(pages["index.html"])["main.int8.tflite"]
    for name in pages.keys() & {"index.html", "small.html"}:
        told = pages[name].partition("What failed or was not tested")[2].partition("<h2")[0]
        assert all(f"stale: make results/small/{file} again" in told for file, _, _ in olds)
        assert "What costs most" not in pages[name] and "<title>drawn" not in pages[name]


def test_a_model_s_page_says_how_near_its_artifacts_come_and_what_its_source_is(write):
    text = write()["small.html"]
    assert "42 <small>10</small></td>" in text and '<td class="number missed">0.75 <small>0.8</small></td>' in text
    assert "3 operators of 2 kinds: Dense 2, &lt;script&gt;" in text and "1,234 parameters." in text
    assert "<code>snakemake -j1 --force results/small/main.int8.tflite</code>" in text


def test_each_language_has_a_program_that_names_a_file_which_passed(write):
    text = write()["small.html"]
    found = dict(re.findall(r"<summary>(.*?) <small>(.*?)</small>", text))
    assert found == {
        "Python": "main.float16.tflite",
        "Android": "main.float16.tflite",
        "C++ for TFLite Micro": "main.float32.tflite",
    }


def test_of_many_rows_the_first_hundred_are_laid_out_until_all_are_wanted(command, environment_python, tmp_path):
    chromium = shutil.which("chromium") or missing("Chromium is not installed")
    flags = [*many(tmp_path, 15, ["float32", *"abcdefg"]), "--output", "report"]
    process = command(environment_python("pages"), "write_report", *flags, cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    program = Path(__file__).with_name("drive_long_report.py")
    driver = [environment_python("web"), program, tmp_path / "report/index.html", chromium]
    found = json.loads(subprocess.run(driver, text=True, capture_output=True, check=True).stdout)
    assert found["start"] == {"shown": 100, "count": "120", "more": True}
    # The filter looks at all rows, also those that were not laid out.
    assert found["filtered"] == {"shown": 8, "count": "8", "more": False} and found["first"] == "m014"
    assert found["sorted"] == {"shown": 100, "count": "120", "more": True} and found["best"] == "m014"
    assert found["all"] == {"shown": 120, "count": "120", "more": False}


def test_it_is_used_with_mouse_and_keyboard_from_disk(write, environment_python, axe, tmp_path):
    if not shutil.which("chromium"):
        missing("Chromium is not installed")
    write(looked=LOOKED)
    program = Path(__file__).with_name("drive_report.py")
    given = [tmp_path / "results/report/index.html", shutil.which("chromium"), axe]
    process = subprocess.run([environment_python("web"), program, *given], text=True, capture_output=True)
    assert process.returncode == 0, process.stderr
    found = json.loads(process.stdout)
    assert (found["errors"], found["asked"]) == ([], [])
    whole, half, small = (f"main.{variant}.tflite" for variant in ("float32", "float16", "int8"))
    assert found["start"] == [whole, half, small]
    assert found["by bytes"] == [half, small, whole] == found["by bytes, largest first"][::-1]
    assert found["by metric"] == [small, whole, half]
    assert found["focused"] == "bytes"
    assert (found["filtered"], found["count"], found["again"]) == ([small], "1", 3)
    assert found["wide"] == {"index": 390, "small": 390}
    assert found["serious"].keys() == {f"{page}, {colours}" for page in found["wide"] for colours in ("light", "dark")}
    assert not any(found["serious"].values()), found["serious"]
