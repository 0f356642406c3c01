"""Labels and metadata that are packed into a .tflite file."""

import zipfile

import pytest
from small_models import dense, with_metadata

from zoomill.inspect import recognise, tflite_metadata
from zoomill.tflite import tflite_file


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
