"""The lists of calibration and evaluation."""

import json
import sys

import pytest

from zoomill.inputs import samples
from zoomill.inputs.samples import Sample

INDEX = [Sample(f"{number}.npy", 1, f"{number:064x}", "0") for number in range(10)]


@pytest.fixture
def run(command, tmp_path):
    """Return a function that lists samples of an index, apart from others of the same index."""
    (tmp_path / "index.csv").write_text(samples.index_text(INDEX))

    def run(chosen, others=None):
        flags = ["--model", "toy", "--purpose", "calibration", "--index", "index.csv"]
        flags += ["--samples", json.dumps(chosen), "--output", "calibration.csv"]
        if others:
            flags += ["--apart-from", "index.csv", "--apart-from-samples", json.dumps(others)]
        return command(sys.executable, "list_samples", *flags, cwd=tmp_path)

    return run


def test_the_list_has_the_chosen_samples_with_their_digests(run, tmp_path):
    assert run({"indices": [4, 2]}, {"first": 5, "last": 9}).returncode == 0
    assert samples.read_index(tmp_path / "calibration.csv") == [INDEX[4], INDEX[2]]


@pytest.mark.parametrize(
    "chosen, others, message",
    [
        ({"first": 0, "last": 5}, {"first": 5, "last": 9}, "the sample 5.npy is also in the list of the other purpose"),
        ("all", "all", "the sample 0.npy is also in the list of the other purpose"),
        ({"indices": []}, None, "its list of samples is empty"),
        ({"first": 20, "last": 30}, None, "its list of samples is empty"),
        ({"names": ["gone.npy"]}, None, "there is no sample gone.npy"),
    ],
    ids=["overlap", "the same list", "no index", "behind the end", "unknown name"],
)
def test_a_list_that_would_mislead_is_refused_in_one_line(run, tmp_path, chosen, others, message):
    process = run(chosen, others)
    assert process.returncode == 1
    (line,) = process.stderr.splitlines()
    assert line.startswith("error: toy: calibration: ") and message in line
    assert not (tmp_path / "calibration.csv").exists()
