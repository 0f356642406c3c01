"""Labels and metadata that are packed into a .tflite file."""

import io
import zipfile

import pytest
from ai_edge_litert import schema_py_generated as schema
from small_models import dense

from zoomill.inspect import recognise, tflite_metadata
from zoomill.tflite import tflite_file


def with_metadata(files, compression=zipfile.ZIP_STORED):
    """Return a .tflite file as the Task Library's writers make it, with files packed in at its end."""
    model = dense(units=3)
    model.buffers.append(schema.BufferT(data=bytes([12, 0, 0, 0]) + b"M001" + bytes(40)))
    model.metadata = [schema.MetadataT(name="TFLITE_METADATA", buffer=len(model.buffers) - 1)]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", compression) as writer:
        for name, content in files.items():
            writer.writestr(name, content)
    return tflite_file.serialise(model) + (archive.getvalue() if files else b"")


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
    assert recognise.inspect(path)["notes"] == ["has metadata of the TFLite Task Library, and packed in are labels.txt"]
    path.write_bytes(with_metadata({}))
    assert recognise.inspect(path)["notes"] == ["has metadata of the TFLite Task Library"]
    path.write_bytes(tflite_file.serialise(dense(units=3)))
    assert not recognise.inspect(path).get("notes")
