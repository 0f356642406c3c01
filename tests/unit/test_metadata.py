"""TFLite metadata in delivered files: what the contract says, byte for byte the same, read back, and not twice."""

import copy
import io
import zipfile

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from rows import variant
from small_models import heads, heads_contract, options, picture_classifier, picture_contract

from zoomill import label_files
from zoomill.errors import UserError
from zoomill.inspect import metadata_tables, recognise, tflite_metadata
from zoomill.tflite import artifact, fingerprint, metadata, tflite_file

ABOUT = {key: picture_contract()[key] for key in ("title", "task", "licence")}


def delivered(model, promised, path):
    """Return the bytes of a model as it is delivered."""
    artifact.deliver(model, promised, variant("float32"), path)
    return path.read_bytes()


def told(data):
    """Return the metadata in a file's bytes, and those of its one graph."""
    found = metadata_tables.unpack(metadata.stored(data))
    return found, found["subgraph_metadata"][0]


def units(graph):
    """Return mean and std of the only input."""
    (entry,) = graph["input_tensor_metadata"]
    return entry["process_units"][0]["options"]["NormalizationOptions"]


def test_a_classifier_says_its_contract(tmp_path):
    data = delivered(picture_classifier(), picture_contract(), tmp_path / "a.tflite")
    found, graph = told(data)
    assert (found["name"], found["description"], found["license"]) == tuple(ABOUT.values())
    assert (graph["name"], graph["description"]) == ("main", "is small")
    (image,), (scores,) = graph["input_tensor_metadata"], graph["output_tensor_metadata"]
    assert image["content"] == {"content_properties": {"ImageProperties": {"color_space": 1}}}
    assert units(graph) == {"mean": [127.5], "std": [127.5]}
    assert image["stats"] == {"min": [-1], "max": [1]}
    assert (scores["name"], scores["description"]) == ("scores", "how sure")
    (file,) = scores["associated_files"]
    assert (file["name"], file["type"]) == ("labels.txt", metadata_tables.AXIS_LABELS)
    assert tflite_metadata.packed(data)["labels.txt"]() == b"ant\nbee\ncat\n"


def test_a_detector_says_what_its_boxes_are_in_the_names_that_detectors_look_for(tmp_path):
    model, asked = heads(5, 4), options()
    tflite_file.append_postprocess(model, np.full((5, 4), 0.5, np.float32), asked)
    promised = {**heads_contract(asked, 5), **ABOUT, "labels": ["ant", "bee", "cat"], "label_offset": 1}
    found, graph = told(delivered(model, promised, tmp_path / "a.tflite"))
    boxes, classes, scores, count = graph["output_tensor_metadata"]
    names = [entry["name"] for entry in (boxes, classes, scores, count)]
    assert names == ["location", "category", "score", "number of detections"]
    corners = {"index": [1, 0, 3, 2], "type": metadata_tables.BOUNDARIES}
    assert boxes["content"] == {"content_properties": {"BoundingBoxProperties": corners}, "range": {"min": 2, "max": 2}}
    assert classes["associated_files"][0]["type"] == metadata_tables.VALUE_LABELS
    assert graph["output_tensor_groups"] == [{"name": "detection_result", "tensor_names": names[:3]}]
    assert found["min_parser_version"] == "1.2.0"


@pytest.mark.parametrize(
    "value_range, mean, std",
    [
        ([0, 1], [0], [255]),
        ([-1, 1], [127.5], [127.5]),
        ([-127.5, 127.5], [127.5], [1]),
        ([[-103.5, -116.0, -123.0], [151.5, 139.0, 132.0]], [103.5, 116, 123], [1, 1, 1]),
        ([1, 0], [255], [-255]),
    ],
)
def test_mean_and_std_bring_pixels_to_the_value_range(value_range, mean, std):
    promised = picture_contract()
    promised["inputs"][0]["value_range"] = value_range
    _, graph = told(metadata.added(picture_classifier(), promised))
    assert units(graph) == {"mean": pytest.approx(mean), "std": pytest.approx(std)}
    for pixel, end in zip((0, 255), value_range, strict=True):
        assert (pixel - np.array(mean)) / std == pytest.approx(np.atleast_1d(end))


def test_integers_at_the_ends_keep_mean_and_std_and_say_their_own_limits():
    promised = picture_contract()
    model = picture_classifier()
    model.subgraphs[0].tensors[0].type = schema.TensorType.UINT8
    _, graph = told(metadata.added(model, promised))
    (image,) = graph["input_tensor_metadata"]
    assert units(graph) == {"mean": [127.5], "std": [127.5]} and image["stats"] == {"min": [0], "max": [255]}


@pytest.mark.parametrize("layout, colour, kind", [("NHWC", "BGR", 0), ("NHWC", "GRAY", 2), ("NCHW", "RGB", None)])
def test_no_picture_is_taken_for_rgb_that_is_not(layout, colour, kind):
    promised = picture_contract()
    promised["inputs"][0] |= {"layout": layout, "colour": colour}
    _, graph = told(metadata.added(picture_classifier(), promised))
    properties = graph["input_tensor_metadata"][0]["content"]["content_properties"]
    assert properties.get("ImageProperties", {}).get("color_space", 0) == (kind or 0)
    assert ("ImageProperties" in properties) == (kind is not None)


@pytest.mark.parametrize(
    "labels, offset, lines",
    [
        (["ant", "bee", "cat"], 0, ["ant", "bee", "cat"]),
        (["ant", "bee"], -1, ["background", "ant", "bee"]),
        (["a\nb\r\u2028c", " ", "d\ud800\x1b[2J"], 0, ["a b  c", "???", "d\\ud800\\x1b[2J"]),
        (["ant", "bee"], 0, None),
        ([], 0, None),
    ],
)
def test_each_column_has_its_line_whatever_stands_in_a_label(labels, offset, lines):
    promised = picture_contract(labels=labels, label_offset=offset)
    packed = tflite_metadata.packed(metadata.added(picture_classifier(), promised))
    assert [*packed] == (["labels.txt"] if lines else [])
    if lines:
        assert packed["labels.txt"]().decode().split("\n") == [*lines, ""]
        read, found = label_files.split(label_files.parse(packed["labels.txt"](), "labels.txt"))
        assert len(read) == len(labels) and found == offset


def test_the_same_contract_gives_the_same_bytes_and_a_zip_that_any_reader_takes(tmp_path):
    first = delivered(picture_classifier(), picture_contract(), tmp_path / "a.tflite")
    assert first == delivered(picture_classifier(), copy.deepcopy(picture_contract()), tmp_path / "b.tflite")
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        (info,) = archive.infolist()
        assert (info.date_time, info.compress_type) == ((1980, 1, 1, 0, 0, 0), zipfile.ZIP_STORED)
        # From the file's beginning, as Android's reader wants it.
        assert first[info.header_offset : info.header_offset + 4] == b"PK\3\4"
        assert int.from_bytes(first[-6:-2], "little") == archive.start_dir


def test_a_file_without_its_metadata_is_what_it_was_and_gives_the_version(tmp_path):
    bare = picture_contract()
    del bare["title"]
    before = delivered(picture_classifier(), bare, tmp_path / "before.tflite")
    after = delivered(picture_classifier(), picture_contract(), tmp_path / "after.tflite")
    assert metadata.stripped(after, "after") == before == metadata.stripped(before, "before") != after
    found = fingerprint.of_tflite(tmp_path / "after.tflite")
    assert found["stripped"] == fingerprint.of_tflite(tmp_path / "before.tflite")["sha256"]
    assert told(after)[0]["version"] == found["stripped"][:12]


def test_a_file_that_is_made_of_one_with_metadata_has_its_own_once(tmp_path):
    delivered(picture_classifier(), picture_contract(), tmp_path / "a.tflite")
    model = tflite_file.read(tmp_path / "a.tflite")
    again = delivered(model, picture_contract(title="Others"), tmp_path / "b.tflite")
    assert [entry.name for entry in tflite_file.parse(again, "b").metadata] == [b"TFLITE_METADATA"]
    assert again == delivered(picture_classifier(), picture_contract(title="Others"), tmp_path / "c.tflite")
    assert again.count(b"Insects") == 0 and again.count(b"ant\nbee") == 1


def test_stripping_keeps_what_else_is_in_a_file():
    model = picture_classifier()
    weights = bytes(model.buffers[1].data)
    model.buffers.insert(1, schema.BufferT(data=np.frombuffer(b"x" * 16, np.uint8)))
    for tensor in model.subgraphs[0].tensors:
        tensor.buffer += tensor.buffer > 0
    other = schema.MetadataT(name=b"min_runtime_version", buffer=len(model.buffers))
    model.buffers.append(schema.BufferT(data=np.frombuffer(b"1.5.0", np.uint8)))
    model.metadata = [schema.MetadataT(name=b"TFLITE_METADATA", buffer=1), other]
    metadata.strip(model)
    assert [entry.name for entry in model.metadata] == [b"min_runtime_version"]
    assert bytes(model.buffers[model.metadata[0].buffer].data) == b"1.5.0"
    assert np.array_equal(
        tflite_file.constant(model, model.subgraphs[0].tensors[2]), np.frombuffer(weights, np.float32).reshape(3, 12)
    )


def shifted_mean(found):
    found["subgraph_metadata"][0]["input_tensor_metadata"][0]["process_units"][0]["options"]["NormalizationOptions"][
        "mean"
    ] = [0.0]


def lost_labels(found):
    del found["subgraph_metadata"][0]["output_tensor_metadata"][0]["associated_files"]


def other_licence(found):
    found["license"] = "GPL-3.0"


@pytest.mark.parametrize(
    "change, said",
    [
        (shifted_mean, "mean/0 is 0.0 instead of 127.5"),
        (lost_labels, "associated_files is None instead of ''"),
        (other_licence, "/license is 'GPL-3.0' instead of 'MIT'"),
    ],
)
def test_metadata_that_are_not_the_contracts_are_found(change, said):
    model = picture_classifier()
    data = metadata.added(model, picture_contract())
    found, _ = told(data)
    change(found)
    model.buffers[-1].data = np.frombuffer(metadata_tables.pack(found), np.uint8)
    changed = metadata.with_files(tflite_file.serialise(model), {"labels.txt": b"ant\nbee\ncat\n"})
    (problem,) = metadata.find_problems(model, changed, picture_contract())
    assert problem.startswith("metadata: ") and problem.endswith(said)


def test_swapped_corners_lost_files_and_missing_metadata_are_found(monkeypatch):
    model = picture_classifier()
    data = metadata.added(model, picture_contract())
    bare = tflite_file.serialise(model)
    assert metadata.find_problems(model, data, picture_contract()) == []
    assert (
        "the files packed in are not the contract's: none" in metadata.find_problems(model, bare, picture_contract())[0]
    )
    other = metadata.with_files(bare, {"labels.txt": b"bee\nant\ncat\n"})
    assert "the files packed in are not the contract's" in metadata.find_problems(model, other, picture_contract())[0]
    assert metadata.find_problems(model, metadata.stripped(data, "a"), picture_contract()) == ["has no metadata"]
    detector, asked = heads(5, 4), options()
    tflite_file.append_postprocess(detector, np.full((5, 4), 0.5, np.float32), asked)
    promised = {**heads_contract(asked, 5), **ABOUT}
    data = metadata.added(detector, promised)
    monkeypatch.setitem(metadata._CORNERS, "index", [0, 1, 2, 3])
    (problem,) = metadata.find_problems(detector, data, promised)
    assert "BoundingBoxProperties/index/0 is 1 instead of 0" in problem


def test_the_delivery_checks_what_it_has_written(tmp_path, monkeypatch):
    monkeypatch.setattr(metadata, "with_files", lambda data, packed: data)
    with pytest.raises(UserError, match="the files packed in are not the contract's: none"):
        artifact.deliver(picture_classifier(), picture_contract(), variant("float32"), tmp_path / "a.tflite")


def test_a_report_shows_all_of_it(tmp_path):
    delivered(picture_classifier(), picture_contract(), tmp_path / "a.tflite")
    report = recognise.inspect(tmp_path / "a.tflite")
    found = report["metadata"]
    assert (found["name"], found["license"], found["labels"]) == ("Insects", "MIT", {"labels.txt": 3})
    image, scores = found["tensors"]
    assert (image["side"], image["content"], image["mean"], image["std"]) == ("input", "RGB image", [127.5], [127.5])
    assert (scores["description"], scores["files"]) == ("how sure", ["labels.txt"])
