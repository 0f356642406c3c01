"""The one command line of all exporters of single graphs."""

import json

import numpy as np
import pytest

from zoomill import files
from zoomill.errors import UserError
from zoomill.graph import predictions
from zoomill.graph.source import Source, Tensor
from zoomill.inputs import samples
from zoomill.sources import exporter

CARD = {"inputs": [], "outputs": [], "labels": [], "label_offset": 0}


@pytest.fixture
def export(tmp_path):
    """Return a function that gives a source's loader the command line, with further flags."""
    (tmp_path / "source").mkdir()

    def run(load, *flags, options=None, **tools):
        given = ["--source", tmp_path / "source", "--options", json.dumps(options or {}), "--card", json.dumps(CARD)]
        main = exporter.main("Export.", load, **tools)
        main(list(map(str, ["--model", "small", *given, "--output-dir", tmp_path / "out", *flags])))

    return run


def test_an_option_that_the_kind_needs_and_the_card_lacks_is_named(export):
    with pytest.raises(UserError, match="^small: --options lacks `path`$"):
        export(lambda folder, options, expected: options["path"])


def test_errors_of_a_source_begin_with_the_model(export):
    def load(folder, options, expected):
        raise UserError(f"{options['path']}: is truncated")

    with pytest.raises(UserError, match="^small: m.onnx: is truncated$"):
        export(load, options={"path": "m.onnx"})


def test_what_a_kind_needs_besides_its_source_is_a_flag(export):
    def load(folder, options, expected, library):
        raise UserError(library)

    def add_library(parser):
        parser.add_argument("--library", required=True)

    with pytest.raises(UserError, match="^small: javascript$"):
        export(load, "--library", "javascript", library=add_library)
    with pytest.raises(SystemExit):
        export(load, library=add_library)


def test_samples_are_run_by_the_source_and_no_graph_is_made(export, tmp_path):
    (tmp_path / "a").write_bytes(np.array([1, 2], "<f4").tobytes())
    listed = samples.Sample("a", 8, files.digest(tmp_path / "a"), "")
    (tmp_path / "samples.csv").write_text(samples.index_text([listed]), newline="")
    form = {"reader": "tensor", "dtype": "float32", "shape": [2], "step": 1, "label": "none"}
    tensor = Tensor("x", "x:0", "float32", (None, 2))

    def load(folder, options, expected):
        return Source(None, [tensor], [], lambda feed: {"y": feed["x"] * 2})

    export(load, "--samples", tmp_path / "samples.csv", "--folder", tmp_path, "--form", json.dumps(form))
    assert [path.name for path in (tmp_path / "out").glob("[!.]*")] == ["predictions.npz"]
    found = predictions.read(tmp_path / "out/predictions.npz", tmp_path / "samples.csv")
    assert found["y"].tolist() == [[[2, 4]]]
