"""Labels and metadata that are packed into a .tflite file."""

import json
import zipfile

import numpy as np
import pytest
from small_models import dense, picture_classifier, picture_contract, with_metadata

from zoomill.inspect import metadata_tables, recognise, report, tflite_metadata
from zoomill.tflite import metadata, tflite_file


def test_the_one_file_of_labels_is_read_and_named():
    data = with_metadata({"labels.txt": "ant\r\nbee\r\ncat\r\n", "vocab.txt": "the\n"})
    labels, offset, (note,) = tflite_metadata.labels(data)
    assert (labels, offset) == (["ant", "bee", "cat"], 0)
    assert note == "labels are those of labels.txt, which is packed into the source"
    assert tflite_metadata.labels(with_metadata({"x/Labelmap.txt": "???\nant"}))[:2] == (["ant"], -1)


@pytest.mark.parametrize(
    "files, said",
    [
        ({"labels.txt": "a", "labels_de.txt": "b"}, "several files of labels packed in, and none is taken: labels.txt"),
        ({"labels.txt": b"\xff"}, "are not taken: labels.txt: holds no labels"),
        ({"labels.txt": bytes(2 << 20)}, "are not taken: labels.txt: has 2097152 bytes"),
        ({"vocab.txt": "the"}, None),
        ({}, None),
    ],
)
def test_other_files_give_no_labels_and_a_reason(files, said):
    labels, offset, notes = tflite_metadata.labels(with_metadata(files, zipfile.ZIP_DEFLATED))
    assert (labels, offset) == ([], 0)
    assert notes == [] if said is None else said in notes[0]


@pytest.mark.parametrize("place", [0, 14, 18, 22, 26, 30, 45, 60, 75, 90, 100])
def test_a_damaged_archive_gives_labels_or_none_and_no_traceback(place):
    data = bytearray(with_metadata({"labels.txt": "ant\nbee"}, zipfile.ZIP_DEFLATED))
    start = data.index(b"PK\3\4")
    data[start + place : start + place + 2] = b"\xff\xff"
    labels, _, notes = tflite_metadata.labels(bytes(data))
    assert labels in ([], ["ant", "bee"]) and all("\n" not in note for note in notes)


def test_a_report_says_what_is_packed_in_where_there_is_something(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(with_metadata({"labels.txt": "ant"}))
    assert recognise.inspect(path)["notes"][0] == "packed in are labels.txt"
    path.write_bytes(tflite_file.serialise(dense(units=3)))
    assert not recognise.inspect(path)["notes"] and recognise.inspect(path)["metadata"] is None


@pytest.mark.parametrize("seed", range(20))
def test_damaged_metadata_give_a_note_and_the_rest_of_the_report(tmp_path, seed):
    model = picture_classifier()
    metadata.added(model, picture_contract())
    random = np.random.default_rng(seed)
    damaged = model.buffers[-1].data.copy()
    damaged[random.integers(8, len(damaged), 4)] = random.choice([0, 1, 127, 255], 4)
    model.buffers[-1].data = damaged
    (tmp_path / "a.tflite").write_bytes(tflite_file.serialise(model))
    found = recognise.inspect(tmp_path / "a.tflite")
    assert found["graphs"][0]["operators"]["FULLY_CONNECTED"] == 1
    assert all(note.isprintable() for note in found["notes"]) and report.table(found)


def test_metadata_that_list_more_than_any_model_has_are_refused():
    many = {"subgraph_metadata": [{"name": "x" * 60_000}, {"name": "y" * 60_000}]}
    with pytest.raises(ValueError, match="lists more than any model has"):
        metadata_tables.unpack(metadata_tables.pack(many))


def test_ultralytics_metadata_are_shown(tmp_path):
    said = {
        "description": "Ultralytics YOLO11n",
        "license": "AGPL-3.0",
        "names": {"0": "person", "1": "cat"},
        "imgsz": [9, 9],
    }
    path = tmp_path / "model.tflite"
    path.write_bytes(metadata.with_files(tflite_file.serialise(dense()), {"metadata.json": json.dumps(said).encode()}))
    found = recognise.inspect(path)
    assert found["metadata"]["description"] == "Ultralytics YOLO11n" and found["metadata"]["license"] == "AGPL-3.0"
    assert found["metadata"]["labels"] == {"metadata.json": 2} and "AGPL-3.0" in report.table(found)


@pytest.mark.parametrize("content", [b"[" * 100_000, b"{", b"[1]", b"\xff", bytes(2 << 20)])
def test_hostile_metadata_of_ultralytics_give_one_line(tmp_path, content):
    path = tmp_path / "model.tflite"
    path.write_bytes(metadata.with_files(tflite_file.serialise(dense()), {"metadata.json": content}))
    found = recognise.inspect(path)
    assert found["metadata"] is None
    assert found["notes"][-1].startswith("metadata.json, which is packed in, cannot be read: ")
    assert "\n" not in found["notes"][-1]


def test_a_zip_behind_a_file_larger_than_what_is_looked_at_is_read():
    data = metadata.with_files(bytes(6 << 20), {"labels.txt": b"ant\nbee\n"})
    assert tflite_metadata.labels(data)[0] == ["ant", "bee"]
