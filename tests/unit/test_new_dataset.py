"""Cards of data sets that are written from a folder of samples."""

from pathlib import Path

import pytest
import yaml
from refusals import refusal

from zoomill.inputs import samples
from zoomill.plan import new_dataset, schemas

REPOSITORY = Path(__file__).resolve().parents[2]
SCHEMA = schemas.load(REPOSITORY / "rules/schemas")["dataset"]


@pytest.fixture
def write(tmp_path):
    """Return a function that writes the data set of files ``{name: content}``: its card, index, and what is said."""
    root = tmp_path / "house"
    for name in ("models", "datasets"):
        (root / name).mkdir(parents=True)

    def run(contents=None, name="new", force=False):
        for file, content in (contents or {}).items():
            path = tmp_path / "some samples" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        said = new_dataset.write(tmp_path / "some samples", name, force, root, SCHEMA)
        text = (root / f"datasets/{name}.yaml").read_text()
        return yaml.safe_load(text), samples.read_index(root / f"datasets/{name}.csv"), said, text

    return run


def test_folders_are_classes_and_every_part_of_the_index_has_all_of_them(write, tmp_path):
    card, index, _, _ = write(
        {f"{one}/{place}.png": f"{one}{place}" for one in ("10", "9", "cat") for place in range(4)}
    )
    assert card["form"] == {"reader": "picture", "label": "class"}
    assert card["labels"] == ["cat", "9", "10"]
    assert card["urls"] == [f"{tmp_path}/some samples/{{name}}"]
    assert {sample.name.split("/")[0]: sample.label for sample in index} == {"cat": "0", "9": "1", "10": "2"}
    assert [sample.label for sample in index] == ["0", "1", "2"] * 4


def test_files_without_folders_have_no_label_which_is_asked(write):
    card, index, _, text = write({"b.npy": "b", "a.npy": "a", "notes.txt": ""})
    assert card["form"] == {"reader": "npy", "label": "none"}
    assert {sample.name for sample in index} == {"a.npy", "b.npy"}
    assert "# label: none tells nothing of a sample" in text


def test_the_proposed_lists_share_nothing_and_leave_nothing_out(write):
    card, index, said, text = write({f"{place}.png": str(place) for place in range(7)})
    calibration, evaluation = (yaml.safe_load(line.replace("…", "x")) for line in said[-2:])
    first = samples.choose(index, calibration["calibration"]["samples"])
    second = samples.choose(index, evaluation["evaluation"]["samples"])
    assert first and second and first + second == index and samples.overlap(first, second) is None
    assert all(f"# {line}" in text for line in said[-2:])


def test_a_sample_that_is_there_twice_counts_once(write):
    _, index, said, _ = write({"a.png": "same", "b.png": "same", "c.png": "other"})
    assert {sample.name for sample in index} == {"a.png", "c.png"}
    assert said[0] == "left out: b.png is the same as a.png"


@pytest.mark.parametrize("contents", [{"a.png": "a", "b.npy": "b"}, {"a.txt": "a"}], ids=["both", "neither"])
def test_a_folder_without_one_kind_of_samples_is_refused(write, contents):
    assert "give a folder of one kind of samples" in refusal(write, contents)


def test_a_data_set_is_overwritten_by_force_only_and_with_the_same_text(write):
    first = write({"a.png": "a", "b.png": "b"})
    assert "is there already" in refusal(write)
    assert write(force=True) == first


def test_a_name_that_no_index_can_hold_is_refused_before_anything_is_written(write, tmp_path):
    assert "its name cannot be one" in refusal(write, {"=1+1.png": "a"})
    assert not list((tmp_path / "house/datasets").iterdir())
