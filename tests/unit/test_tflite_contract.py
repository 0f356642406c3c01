"""The contract that inspect writes for a stranger's .tflite file: what the file says, and questions."""

import json
import sys

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from small_models import Builder, heads, options, with_metadata

from zoomill.errors import UserError
from zoomill.inputs import contract_file
from zoomill.inspect import recognise
from zoomill.tflite import runtime, tflite_contract, tflite_file

ANCHORS = np.full((3, 4), 0.5, np.float32)


def picture(dtype=np.float32, shape=(1, 8, 6, 3), scale=0, zero_point=0):
    """Return a model that hands on a picture."""
    builder = Builder()
    quantised = [scale, zero_point] if scale else []
    add = builder.quantised if quantised else builder.tensor
    ends = [add(name, list(shape), *quantised, dtype) for name in ("image", "copy")]
    sizes = builder.tensor("sizes", np.array(shape, np.int32))
    builder.operator("RESHAPE", [ends[0], sizes], [ends[1]], schema.ReshapeOptionsT())
    return builder.build(ends[:1], ends[1:])


def normalisation(mean, std):
    """Return TFLite metadata that hold nothing but the normalisation of the first input."""
    builder = flatbuffers.Builder(0)

    def numbers(values):
        builder.StartVector(4, len(values), 4)
        for value in reversed(values):
            builder.PrependFloat32(value)
        return builder.EndVector()

    def table(fields, **entries):
        builder.StartObject(fields)
        for place, value in entries.items():
            builder.PrependUOffsetTRelativeSlot(int(place[1:]), value, 0)
        return builder.EndObject()

    def one(child):
        builder.StartVector(4, 1, 4)
        builder.PrependUOffsetTRelative(child)
        return builder.EndVector()

    mean, std = numbers(mean), numbers(std)
    inner = table(2, _0=mean, _1=std)
    builder.StartObject(2)
    builder.PrependUint8Slot(0, 1, 0)
    builder.PrependUOffsetTRelativeSlot(1, inner, 0)
    tensor = table(7, _4=one(builder.EndObject()))
    builder.Finish(table(8, _3=one(table(9, _2=one(tensor)))), file_identifier=b"M001")
    return bytes(builder.Output())


def described(model, metadata):
    """Return a model with TFLite metadata in it."""
    model.buffers.append(schema.BufferT(data=metadata))
    model.metadata = [schema.MetadataT(name="TFLITE_METADATA", buffer=len(model.buffers) - 1)]
    return model


@pytest.fixture
def written(tmp_path):
    """Return a function from a model, or its bytes, to its contract."""

    def contract(model):
        path = tmp_path / "my model.tflite"
        path.write_bytes(model if isinstance(model, bytes) else tflite_file.serialise(model))
        return tflite_contract.of_file(path, recognise.inspect(path))

    return contract


def test_a_float_picture_asks_for_colour_range_and_offset(written):
    contract = written(picture())
    (source,), (output,) = contract["inputs"], contract["outputs"]
    assert (source["name"], source["dtype"], source["shape"], source["layout"]) == (
        *("image", "float32", [1, 8, 6, 3]),
        "NHWC",
    )
    assert output == {"name": "copy", "tensor": "copy", "dtype": "float32", "shape": [1, 8, 6, 3], "meaning": None}
    asked = [line.partition(":")[0] for line in contract_file.questions(contract)]
    assert asked == ["inputs[0].colour", "inputs[0].value_range", "label_offset"]


def test_a_grey_picture_with_channels_first_has_its_layout_and_colour(written):
    (source,) = written(picture(shape=(1, 1, 8, 6)))["inputs"]
    assert (source["layout"], source["colour"]) == ("NCHW", "GRAY")


def test_an_input_that_is_no_picture_is_asked_nothing(written):
    (source,) = written(picture(shape=(1, 40)))["inputs"]
    assert [source[key] for key in ("layout", "colour", "value_range")] == [None] * 3


@pytest.mark.parametrize("scale", [0, 1 / 128])
def test_a_picture_of_bytes_is_fed_as_it_is(written, scale):
    (source,) = written(picture(np.uint8, scale=scale, zero_point=128))["inputs"]
    assert (source["dtype"], source["value_range"]) == ("uint8", None)


def test_of_other_integers_the_question_tells_what_they_stand_for(written):
    (source,) = written(picture(np.int8, scale=1 / 128))["inputs"]
    assert source["dtype"] == "float32" and source["value_range"].endswith("integers stand for -1 to 0.9922")


@pytest.mark.parametrize("dtype, scale", [(np.float32, 0), (np.int8, 1 / 128)])
def test_normalisation_in_the_files_metadata_is_the_answer(written, dtype, scale):
    (source,) = written(described(picture(dtype, scale=scale), normalisation([127.5], [127.5])))["inputs"]
    assert source["value_range"] == [-1, 1]


def test_channels_of_the_metadata_have_ranges_of_their_own(written):
    (source,) = written(described(picture(), normalisation([0, 127.5, 0], [1, 127.5, 255])))["inputs"]
    assert source["value_range"] == [[0, -1, 0], [255, 1, 1]]


@pytest.mark.parametrize("content", [b"", bytes(40), b"\xff" * 64, normalisation([1], [2])[:30]])
def test_damaged_metadata_answer_nothing(written, content):
    (source,) = written(described(picture(), content))["inputs"]
    assert source["value_range"].startswith(contract_file.QUESTION)


def test_packed_labels_are_taken_with_their_offset(written):
    contract = written(with_metadata({"labels.txt": "???\nant\nbee\n"}))
    assert (contract["labels"], contract["label_offset"]) == (["ant", "bee"], -1)


def test_a_detector_has_the_names_and_options_of_its_op(written):
    model, asked = heads(3, 4), options(max_detections=2, use_regular_nms=False, max_classes_per_detection=3)
    tflite_file.append_postprocess(model, ANCHORS, asked)
    order = model.subgraphs[0].outputs
    model.subgraphs[0].outputs = [order[index] for index in (2, 0, 3, 1)]
    contract = written(model)
    assert contract["postprocess"] == vars(asked)
    assert [(entry["name"], entry["tensor"][-2:], entry["shape"]) for entry in contract["outputs"]] == [
        ("detection_scores", ":2", [1, 6]),
        ("detection_boxes", "ss", [1, 6, 4]),
        ("num_detections", ":3", [1]),
        ("detection_classes", ":1", [1, 6]),
    ]
    runtime.Artifact(tflite_file.serialise(model), contract=contract).check(contract)


def test_the_command_writes_it_and_asks_and_an_answered_one_is_taken(command, tmp_path):
    (tmp_path / "a.tflite").write_bytes(tflite_file.serialise(picture()))
    process = command(sys.executable, "inspect_model", "a.tflite", "--contract", "a.json", cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    assert "wrote a.json; answer in it:\n  inputs[0].colour: RGB or BGR\n" in process.stdout
    contract = json.loads((tmp_path / "a.json").read_text())
    contract["inputs"][0] |= {"colour": "RGB", "value_range": [0, 1]}
    (tmp_path / "a.json").write_text(json.dumps({**contract, "label_offset": 0}))
    runtime.Artifact(tmp_path / "a.tflite").check(contract_file.read(tmp_path / "a.json"))
    assert not (tmp_path / ".made").exists()


def test_other_kinds_of_file_get_no_contract(command, tmp_path):
    config = {"class_name": "Sequential", "config": [{"class_name": "Dense", "config": {"name": "a"}}]}
    (tmp_path / "model.json").write_text(json.dumps({"modelTopology": config, "weightsManifest": []}))
    process = command(sys.executable, "inspect_model", "model.json", "--contract", "a.json", cwd=tmp_path)
    assert process.returncode == 1 and not (tmp_path / "a.json").exists()
    assert process.stderr == (
        "error: model.json: --contract is of .tflite files only; a contract of others is made in a build\n"
    )


def test_a_scale_that_makes_no_sense_is_refused_in_one_line(written):
    with pytest.raises(UserError, match="my model.tflite: is damaged"):
        written(picture(np.int8, scale=float("nan")))


def test_a_float_tensor_with_a_leftover_scale_is_a_float(written):
    (source,) = written(picture(np.float32, scale=0.5))["inputs"]
    assert "stand for" not in source["value_range"]


def test_a_card_answers_what_a_file_leaves_open_and_the_rest_is_nothing(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(tflite_file.serialise(picture()))
    contract = tflite_contract.of_file(str(path), recognise.inspect(path))
    card = {"inputs": [{"name": "other", "shape": [9], "value_range": [-1, 1]}], "outputs": [], "labels": ["a"]}
    found = tflite_contract.answered(contract, {**card, "label_offset": 1, "about": {"task": "other"}})
    (entry,) = found["inputs"]
    assert (entry["value_range"], entry["colour"], entry["shape"]) == ([-1, 1], None, [1, 8, 6, 3])
    assert entry["name"] == contract["inputs"][0]["name"]
    assert (found["task"], found["labels"], found["label_offset"]) == ("other", ["a"], 1)
    assert not list(contract_file.questions(found))


def test_pictures_take_the_whole_range_of_a_files_integers_where_nobody_is_asked(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(tflite_file.serialise(picture(np.int8, scale=0.5, zero_point=-128)))
    report = recognise.inspect(path)
    assert tflite_contract.of_file(str(path), report, ask=False)["inputs"][0]["value_range"] == [0, 127.5]
    assert tflite_contract.of_file(str(path), report)["inputs"][0]["value_range"].startswith(contract_file.QUESTION)
