"""Titles, labels and names of strangers stay text in everything that is generated, and on the terminal."""

import ast
import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest
from conftest import REPOSITORY, missing, node

from zoomill import files, made, tables
from zoomill.errors import UserError
from zoomill.inputs import samples
from zoomill.inputs.samples import Sample
from zoomill.proof import verdicts
from zoomill.run import end
from zoomill.tflite import c_array, metadata

TEMPLATES = REPOSITORY / "scripts/zoomill/pages/templates"
# What would write the file `marker` if it left its comment, string, cell or line.
JAVASCRIPT = "await import('node:fs').then((fs) => fs.writeFileSync('marker', ''));"
PYTHON = "open('marker', 'w')"
HOSTILE = {
    "line feed": f"a\n{JAVASCRIPT}//",
    "carriage return": f"a\r{JAVASCRIPT}//",
    "line separator": f"a\u2028{JAVASCRIPT}//",
    "paragraph separator": f"a\u2029{JAVASCRIPT}//",
    "next line": f"a\x85{JAVASCRIPT}//",
    "form feed": f"a\x0c{JAVASCRIPT}//",
    "end of a comment": f"a*/{JAVASCRIPT}/*",
    "end of a string": f'a";{JAVASCRIPT}"',
    "end of a template": f"a`;{JAVASCRIPT}`${{{JAVASCRIPT}}}",
    "end of a docstring": f'a"""\n{PYTHON}\n"""',
    "end of a string in Python": f"a'\n{PYTHON}\n'",
    "backslash at the end": "a\\",
    "backslash before a quote": f'a\\";{JAVASCRIPT}\\',
    "code of a character": "a\\u2028\\N{BELL}\\x",
    "end of a script": f"</script><script>{JAVASCRIPT}</script>",
    "HTML": "<img src=x onerror=alert(1)> &lt;b&gt;",
    "link": "[a](javascript:alert(1))",
    "cells": "a | b |\n| --- | --- |\n| c | d |",
    "formula": "=cmd|' /C calc'!A0",
    "zero": "a\0b",
    "escape sequence": "a\x1b[2J\x1b]0;b\x07",
    "turned direction": "a\u202eb\u2066c",
    "half of a pair": "a\ud800b",
    "template of Jinja": "{{ 7 * 7 }}{% raw %}",
    "format": "{0} {title} %s $(touch marker) `touch marker`",
}
each_text = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
PICTURE = {
    "name": "image",
    "tensor": "image",
    "dtype": "float32",
    "shape": [1, 8, 8, 3],
    "layout": "NHWC",
    "colour": "RGB",
    "value_range": [0, 1],
}


def card(title, task="image-classification"):
    said = {"preprocess": {}, "decode": {}, "output": None, "metric": {}}
    return {"title": title, "task": task, "training_set": title, **said}


def promise(text, task):
    """Return a contract with the text everywhere; names of outputs may be anything where they are a model's own."""
    name = "p" if task == "image-classification" else text
    outputs = [{"name": name, "tensor": name, "dtype": "float32", "shape": [1, 2], "meaning": text}]
    return {
        "model": "small",
        "graph": "main",
        "inputs": [PICTURE if task == "image-classification" else {**PICTURE, "name": text, "colour": None}],
        "outputs": outputs,
        "labels": [text, "b"],
        "label_offset": 0,
    }


@pytest.fixture
def in_node(tmp_path):
    """Return a function that runs an ES module in an empty folder, prints what it exports and returns it."""

    def run(name, expression):
        (tmp_path / "package.json").write_text('{"type": "module"}')
        (tmp_path / "main.js").write_text(f'import * as it from "./{name}"; console.log(JSON.stringify({expression}));')
        process = subprocess.run([node(), "main.js"], cwd=tmp_path, text=True, capture_output=True)
        assert process.returncode == 0, process.stderr
        assert not (tmp_path / "marker").exists()
        return json.loads(process.stdout)

    return run


@pytest.fixture
def programs(command, tmp_path):
    """Return a function that writes the programs of a model by their command."""

    def write(text, task):
        files.write_json(tmp_path / "contract.json", promise(text, task))
        process = command(
            *(sys.executable, "write_decoders", "--contract", tmp_path / "contract.json"),
            *("--card", json.dumps(card(text, task))),
            *("--templates", TEMPLATES / "decode.js.jinja", TEMPLATES / "decode.py.jinja"),
            *("--output-javascript", tmp_path / "decode.js", "--output-python", tmp_path / "decode.py"),
            *("--output-data", tmp_path / "decode.json", "--output-classes", tmp_path / "classes.json"),
        )
        assert process.returncode == 0, process.stderr

    return write


@pytest.mark.parametrize("task", ["image-classification", "other"])
@each_text
def test_the_programs_of_a_model_hold_its_text_as_text(programs, in_node, tmp_path, monkeypatch, text, task):
    programs(text, task)
    monkeypatch.chdir(tmp_path)
    (comment, *lines) = (tmp_path / "decode.js").read_text().splitlines()
    assert comment.startswith("// ") and comment.endswith(
        ": feeds its graph main and reads the outputs. Written by zoomill."
    )
    assert not lines[0].strip() or lines[0].startswith(("import data", "export const outputs"))
    name = "p" if task == "image-classification" else text
    whole = "\ud800" not in text  # JSON.stringify writes a half of a pair as its code too
    found = in_node("decode.js", f"[it.outputs, it.decode({{{json.dumps(name)}: [0.9, 0.1]}})]")
    assert found[0] == [name]
    assert whole is False or (found[1][0]["label"] if name == "p" else found[1][name]["meaning"]) == text
    module = ast.parse((tmp_path / "decode.py").read_bytes())
    assert isinstance(module.body[0], ast.Expr) and isinstance(module.body[0].value.value, str)
    kinds = (ast.Import, ast.ImportFrom, ast.Assign, ast.FunctionDef)
    assert all(isinstance(part, kinds) for part in module.body[1:])
    assert files.read_json(tmp_path / "decode.json")["labels"][0] == text
    assert files.read_json(tmp_path / "classes.json")[0][1] == text


@each_text
def test_the_registry_is_the_same_in_javascript_and_fits_into_a_page(command, in_node, tmp_path, text):
    folder = tmp_path / "results/small/main.float32.tfjs"
    folder.mkdir(parents=True)
    nodes = [{"name": "p", "op": "Softmax", "input": []}]
    signature = {"outputs": {"p": {"name": "p"}}, "inputs": {}}
    files.write_json(folder / "model.json", {"modelTopology": {"node": nodes}, "signature": signature})
    files.write_json(tmp_path / "contract.json", promise(text, "image-classification"))
    made.record(folder, folder)
    process = command(
        *(sys.executable, "write_models_json", "--artifacts", folder, "--contracts", tmp_path / "contract.json"),
        *("--cards", json.dumps({"small": card(text)})),
        *("--output-json", tmp_path / "results/models.json", "--output-javascript", tmp_path / "results/models.js"),
    )
    assert process.returncode == 0, process.stderr
    program = (tmp_path / "results/models.js").read_text()
    assert "<" not in program and len(re.split("[\r\u2028\u2029]", program)) == 1
    found = in_node("results/models.js", "{newer: it.newer, older: it.older}")
    assert found == files.read_json(tmp_path / "results/models.json")
    assert found["newer"]["classify"][0]["name"] == text


def cells(line):
    """Return the cells of a line of a table, as GitHub's Markdown splits it."""
    return re.findall(r"((?:\\[!-/:-@\[-`{-~]|[^|\\]|\\(?![!-/:-@\[-`{-~]))*)\|", line.removeprefix("|"))


@each_text
def test_a_table_keeps_its_rows_and_columns_and_has_no_html_or_link(text):
    table = tables.markdown([("a", "b"), (text, "c"), ("d", text)])
    lines = table.split("\n")
    assert table.splitlines() == lines[:-1] and len(lines) == 5 and all(map(str.isprintable, lines))
    assert [len(cells(line)) for line in lines[:-1]] == [2, 2, 2, 2]
    assert cells(lines[2])[1].strip() == "c" and cells(lines[3])[0].strip() == "d"
    assert "<" not in table and "](" not in table and "&lt;b" not in table


def test_ordinary_text_of_a_table_stays_as_it_is():
    row = ("ssd_mobilenet_v1", "`image` float32 [1, 24, 24, 3]", "A & B, 98 %", "größer > 1 * 2", "")
    assert [cell.strip() for cell in tables.markdown([row]).splitlines()[0].strip("|").split("|")] == list(row)


@each_text
def test_the_page_on_a_models_files_has_one_heading_of_its_title(command, tmp_path, text):
    title = text.replace("\0", "").replace("\ud800", "")  # neither can stand in a command line
    folder = tmp_path / "main.float32.tfjs"
    folder.mkdir()
    (folder / "a.bin").write_bytes(bytes(4))
    manifest = [{"paths": ["a.bin"], "weights": [{"name": "w", "dtype": "float32", "shape": [1]}]}]
    tensor = {"dtype": "DT_FLOAT", "tensorShape": {}}
    document = {
        "format": text,
        "generatedBy": text,
        "convertedBy": text,
        "signature": {"inputs": {text: tensor}, "outputs": {}},
        "modelTopology": {"node": []},
        "weightsManifest": manifest,
    }
    files.write_json(folder / "model.json", document)
    made.record(folder, folder)
    flags = ["--artifacts", folder, f"--title={title}", "--output", tmp_path / "tfjs.md"]
    process = command(sys.executable, "write_web_summary", *flags)
    assert process.returncode == 0, process.stderr
    lines = (tmp_path / "tfjs.md").read_text().split("\n")
    assert lines[0].startswith("# ") and lines[1:3] == ["", "## main.float32.tfjs"] and len(lines) == 14
    assert "<" not in "".join(lines) and all(map(str.isprintable, lines))
    assert [len(cells(line)) for line in lines[4:-1]] == [2] * 9


@each_text
def test_c_has_no_name_or_file_that_leaves_its_place(text):
    for write in (
        lambda: c_array.source(text, b"1", "a.h"),
        lambda: c_array.source("a", b"1", text),
        lambda: c_array.header(text, 1, {"ADD": 1}, 1),
        lambda: c_array.header("a", 1, {text: 1}, 1),
    ):
        message = str(pytest.raises(UserError, write).value)
        assert any(words in message for words in ("cannot", "is no C identifier", "has no method"))


def test_c_with_all_that_a_name_may_hold_compiles(tmp_path):
    if shutil.which("g++") is None:
        missing("g++ is not installed")
    (tmp_path / "a+b-c.h").write_text(c_array.header("a_1", 1, {"ADD": 1, "CONV_2D": 2}, 1))
    (tmp_path / "a.cc").write_text(c_array.source("a_1", b"1", "a+b-c.h"))
    process = subprocess.run(["g++", "-fsyntax-only", "-Wall", "-Werror", "a.cc"], cwd=tmp_path, capture_output=True)
    assert process.returncode == 0, process.stderr


@each_text
def test_a_list_of_samples_holds_names_and_labels_that_are_paths_or_numbers(tmp_path, text):
    for sample in (Sample(text, 1, "0" * 64, ""), Sample("a", 1, "0" * 64, text)):
        (tmp_path / "x.csv").write_bytes(samples.index_text([sample]).encode(errors="surrogatepass"))
        try:
            assert samples.read_index(tmp_path / "x.csv") == [sample]
        except UserError as error:
            assert re.search("line [0-9]+$|is no CSV file", str(error))
        else:
            assert text.isprintable() and text[0] not in "=+-@" and not text.endswith("\\")
    rows = list(csv.reader(io.StringIO(samples.index_text([Sample(text, 1, "", text)]), newline="")))
    assert rows[1] == [text, "1", "", text]


@pytest.mark.parametrize(
    "row", ["../a,1,0,", "/a,1,0,", "a/../../b,1,0,", "a,-1,0,", "a,x,0,", "a,1,0", "a,1,0,b,c", "a,1,g,", "a,1,0,../b"]
)
def test_a_sample_outside_of_its_folder_or_of_another_form_is_refused_with_its_line(tmp_path, row):
    text = row.replace(",0", f",{'0' * 64}")
    (tmp_path / "x.csv").write_text(f"name,bytes,sha256,label\n{text}\n")
    message = str(pytest.raises(UserError, samples.read_index, tmp_path / "x.csv").value)
    assert message.startswith(f"{tmp_path}/x.csv: ") and message.endswith(", line 2")


@each_text
def test_a_list_of_digests_is_read_by_sha256sum(command, tmp_path, text):
    name = text.replace("/", "").replace("\0", "").replace("\ud800", "")
    path = tmp_path / "results" / name
    path.parent.mkdir()
    with files.written(path) as temporary, open(temporary, "w") as file:
        file.write("x")
    process = command(
        sys.executable, "write_checksums", "--artifacts", path, "--output", tmp_path / "results/SHA256SUMS"
    )
    assert process.returncode == 0, process.stderr
    check = subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=path.parent, capture_output=True)
    assert check.returncode == 0, check.stderr
    assert len((path.parent / "SHA256SUMS").read_bytes().split(b"\n")) == 2


def test_a_picture_of_tensors_writes_their_names_as_they_are(tmp_path, environment_python):
    files.write_json(tmp_path / "in.json", list(HOSTILE.values()))
    (tmp_path / "draw.py").write_text(
        """
import json
from zoomill.tflite import tensor_plot

for number, text in enumerate(json.load(open("in.json"))):
    row = {"tensor": f"$\\\\frac{text}", "operator": text, "place": 1, "sqnr": 1.0, "sqnr_lost": None}
    tensor_plot.draw({"tensors": [row]}, f"$x^{text}", f"{number}.png")
"""
    )
    process = subprocess.run(
        [environment_python("evaluate"), "draw.py"],
        cwd=tmp_path,
        text=True,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "scripts")},
    )
    assert process.returncode == 0, process.stderr
    assert len(list(tmp_path.glob("*.png"))) == len(HOSTILE)


@each_text
def test_an_error_line_on_the_terminal_is_one_line_without_escape_sequences(tmp_path, monkeypatch, text):
    (tmp_path / "a.log").write_text(f"error: small: {text}\n", errors="replace")
    job = SimpleNamespace(is_group=lambda: False, log=[tmp_path / "a.log"], wildcards_dict={"model": "small"})
    job.rule = SimpleNamespace(name="a")
    dag = SimpleNamespace(jobs=[], targetfiles=[])
    run = SimpleNamespace(execute=lambda: None, dryrun=False, is_main_process=True, dag=dag, output_settings=None)
    run.scheduler = SimpleNamespace(failed=[job], remaining_jobs=[])
    monkeypatch.setattr(verdicts, "of_wanted", lambda *_: [])
    end.tell_at_the_end(run, {})
    (line,) = str(pytest.raises(SystemExit, run.execute).value).split("\n")
    assert line.startswith("error: small: ") and line.isprintable()


@each_text
def test_json_holds_any_name(tmp_path, text):
    files.write_json(tmp_path / "x.json", {"name": text})
    assert files.read_json(tmp_path / "x.json") == {"name": text}


@each_text
def test_a_label_stays_one_line_of_the_file_of_labels(text):
    lines = metadata.label_file({"labels": ["a", text, "b"]}).decode().split("\n")
    assert (len(lines), lines[0], lines[2:]) == (4, "a", ["b", ""])
    assert lines[1].isprintable() and lines[1]
