"""Other options for TFLite_Detection_PostProcess in a file that exists, and nothing else changed."""

import io
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from conftest import REPOSITORY
from flatbuffers import flexbuffers
from small_models import OPTIONS, heads, options, run

from zoomill.detection.postprocess import OP
from zoomill.errors import UserError
from zoomill.tflite import retune, tflite_file

ANCHORS = np.array([[0.5, 0.5, 1, 1], [0.5, 0.5, 0.9, 0.9], [0.2, 0.2, 0.1, 0.1]], np.float32)
FAST = {"use_regular_nms": False, "max_detections": 2}


def model(asked, shapes=False):
    """Return a model of three anchors and classes with the op; ``shapes`` stores those of its outputs."""
    made = heads(len(ANCHORS), 4)
    tflite_file.append_postprocess(made, ANCHORS, asked)
    if shapes:
        for tensor, shape in zip(made.subgraphs[0].tensors[-4:], ([1, 2, 4], [1, 2], [1, 2], [1]), strict=True):
            tensor.shape = shape
            tensor.shapeSignature = shape
    return made


def content(**changes):
    return tflite_file.serialise(model(options(**changes)))


def old(more=()):
    """Return the bytes of a file of an old exporter, which wrote fewer options, with one that is not ours."""
    made = model(options(**FAST))
    stored = vars(options(**FAST, **dict(more)))
    kept = {key: value for key, value in stored.items() if key not in ("use_regular_nms", "detections_per_class")}
    made.subgraphs[0].operators[0].customOptions = list(flexbuffers.Dumps({"_output_quantized": True, **kept}))
    return tflite_file.serialise(made)


def zipped(data, place):
    """Return a file with labels packed in at its end, whose ZIP counts from the ``file``'s or its ``own`` beginning."""
    stream = io.BytesIO(data if place == "file" else b"")
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("labels.txt", "ant\nbee\n")
        archive.writestr("more.txt", "x")
    return stream.getvalue() if place == "file" else data + stream.getvalue()


@pytest.fixture
def read(tmp_path):
    """Return a function that parses bytes as a file."""

    def parse(data):
        (tmp_path / "a.tflite").write_bytes(data)
        return tflite_file.read(tmp_path / "a.tflite")

    return parse


def test_a_fast_file_with_the_options_of_a_regular_one_is_that_file_byte_for_byte():
    changed = retune.with_options(content(use_regular_nms=False), options())
    assert changed == content() != content(use_regular_nms=False)


@pytest.mark.parametrize(
    "name, value",
    [
        ("max_detections", 1),
        ("max_classes_per_detection", 3),
        ("detections_per_class", 70000),
        ("nms_score_threshold", 1e-5),
        ("nms_iou_threshold", 0.25),
        ("num_classes", 4),
        ("y_scale", 7.5),
        ("w_scale", 1),
    ],
)
def test_each_option_can_be_changed_and_the_others_stay(name, value):
    data, wanted = content(use_regular_nms=False), options(use_regular_nms=False, **{name: value})
    changed = retune.with_options(data, wanted)
    assert retune.options_of(changed) == wanted and len(changed) == len(data)


def test_no_byte_outside_the_options_is_touched():
    data = content()
    changed = retune.with_options(data, options(nms_score_threshold=0.7, y_scale=3))
    differ = [place for place, pair in enumerate(zip(data, changed, strict=True)) if pair[0] != pair[1]]
    assert 0 < len(differ) <= 8 and max(differ) - min(differ) < 100


def test_options_that_are_longer_than_before_are_put_behind_and_those_that_are_not_ours_stay(read):
    data = old()
    wanted = options(**FAST, nms_score_threshold=0.1, detections_per_class=7)
    changed = retune.with_options(data, wanted)
    (operator,) = read(changed).subgraphs[0].operators
    assert retune.options_of(changed) == wanted and len(changed) > len(data)
    assert flexbuffers.Loads(bytes(operator.customOptions))["_output_quantized"] is True
    feed = np.zeros((1, 3, 4), np.float32), np.array([[[0, 0.9, 0, 0]] * 3], np.float32)
    for found, expected in zip(run(read(changed), *feed), run(model(wanted), *feed), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("place", ["file", "own"])
@pytest.mark.parametrize("make", [content, old])
def test_a_zip_at_the_files_end_stays_whole(place, make):
    data = zipped(make(), place)
    changed = retune.with_options(data, options(use_regular_nms=False, detections_per_class=7))
    if place == "own":
        assert changed.endswith(data[len(make()) :])
    archive = zipfile.ZipFile(io.BytesIO(changed))
    assert archive.testzip() is None and archive.read("labels.txt") == b"ant\nbee\n"
    if place == "file":  # readers in C take the places literally
        end = changed.rfind(b"PK\5\6")
        assert int.from_bytes(changed[end + 16 : end + 20], "little") == archive.start_dir
        first = int.from_bytes(changed[archive.start_dir + 42 : archive.start_dir + 46], "little")
        assert changed[first:].startswith(b"PK\3\4") and b"labels.txt" in changed[first : first + 40]


def test_the_shapes_of_the_outputs_follow_where_the_file_has_them(read):
    wanted = options(use_regular_nms=False, max_detections=3, max_classes_per_detection=2)
    data = tflite_file.serialise(model(options(**FAST), shapes=True))
    tensors = read(retune.with_options(data, wanted)).subgraphs[0].tensors[-4:]
    for field in ("shape", "shapeSignature"):
        assert [list(getattr(one, field)) for one in tensors] == [[1, 6, 4], [1, 6], [1, 6], [1]]


def test_without_a_change_the_file_is_the_same():
    assert retune.with_options(old(), retune.asked(old(), {})) == old()


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"nms_score_threshold": 1.5}, "nms_score_threshold 1.5 is not at least 0 and at most 1"),
        ({"nms_score_threshold": float("nan")}, "nms_score_threshold nan is not"),
        ({"nms_iou_threshold": 0.0}, "nms_iou_threshold 0 is not above 0"),
        ({"h_scale": -1.0}, "h_scale -1 is not above 0"),
        ({"max_detections": 0}, "max_detections 0 is not above 0"),
        ({"max_detections": 4}, "max_detections 4 is more than the 3 boxes there are"),
        ({"num_classes": 2}, "num_classes 2 does not fit the 4 columns of its scores"),
        ({"detections_per_class": 5}, "detections_per_class has no meaning with fast NMS"),
        ({"use_regular_nms": True, "max_classes_per_detection": 2}, "has no meaning with use_regular_nms"),
        ({"max_classes_per_detection": 4}, "max_classes_per_detection 4 is more than num_classes 3"),
    ],
)
def test_what_the_op_cannot_have_is_refused_with_its_reason(changes, said):
    with pytest.raises(UserError, match=said):
        retune.asked(content(**FAST), changes)


def test_a_file_without_the_op_is_refused():
    with pytest.raises(UserError, match=f"has no {OP} whose options could be changed"):
        retune.asked(tflite_file.serialise(heads(3, 4)), {"y_scale": 1.0})


@pytest.fixture
def retuned(command, tmp_path):
    """Return a function that runs the command on bytes and returns the completed process."""

    def call(data, *flags):
        (tmp_path / "in.tflite").write_bytes(data)
        return command(
            sys.executable, "retune_postprocess", tmp_path / "in.tflite", "-o", tmp_path / "out.tflite", *flags
        )

    return call


def test_the_command_writes_the_file_and_tells_each_option_before_and_now(retuned, tmp_path):
    process = retuned(content(**FAST), "--nms", "regular", "--score-threshold", "0.125")
    assert process.returncode == 0, process.stderr
    rows = [[cell.strip() for cell in line.split("|")[1:4]] for line in process.stdout.splitlines()]
    assert ["use_regular_nms", "False", "True"] in rows and ["max_detections", "2", "2"] in rows
    wanted = options(max_detections=2, nms_score_threshold=0.125)
    assert (tmp_path / "out.tflite").read_bytes() == tflite_file.serialise(model(wanted))


@pytest.mark.parametrize("cut", [0, 40, 300, -150])
def test_a_broken_file_is_refused_in_one_line(retuned, tmp_path, cut):
    process = retuned(content()[:cut], "--nms", "fast")
    (line,) = process.stderr.splitlines()
    assert process.returncode == 1 and line.startswith("error: ") and "in.tflite: is " in line
    assert not (tmp_path / "out.tflite").exists()


@pytest.mark.parametrize("stored", [{}, {**OPTIONS, "y_scale": [1, 2]}, None])
def test_options_that_cannot_be_read_are_refused_in_one_line(retuned, stored):
    made = model(options())
    content = b"\xff" * 9 if stored is None else flexbuffers.Dumps(stored)
    made.subgraphs[0].operators[0].customOptions = list(content)
    process = retuned(tflite_file.serialise(made), "--nms", "fast")
    (line,) = process.stderr.splitlines()
    assert process.returncode == 1 and f"the options of its {OP} cannot be read: " in line


def test_the_front_door_takes_paths_and_options_as_they_are_given(tmp_path):
    (tmp_path / "in.tflite").write_bytes(content(**FAST))
    command = [sys.executable, REPOSITORY / "zoomill", "retune", "in.tflite", "--nms", "regular", "-o", "out.tflite"]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    assert retune.options_of((tmp_path / "out.tflite").read_bytes()).use_regular_nms
    command[2:] = ["inspect", "in.tflite", "--contract", "contract.json"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "contract.json").exists()
