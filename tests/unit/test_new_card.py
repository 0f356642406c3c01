"""Cards that are written from a model's files: what they say, what they ask, and what is refused in one line."""

import json
import shutil
import struct
import tarfile
from pathlib import Path

import pytest
import yaml
from http_server import Server
from refusals import refusal
from small_models import dense, dense_contract, integer_convolution

from zoomill import files
from zoomill.inspect import recognise
from zoomill.inspect.onnx import MESSAGES
from zoomill.plan import cards, commands, model_files, new_card, schemas
from zoomill.tflite import tflite_file

REPOSITORY = Path(__file__).resolve().parents[2]
SCHEMA = schemas.load(REPOSITORY / "rules/schemas")["card"]
CFG = """[net]
width=8
height=8
channels=3
[convolutional]
filters=16
size=1
stride=1
activation=linear
[yolo]
mask=0,1
anchors=1,2, 3,4
classes=3
"""


@pytest.fixture
def house(tmp_path):
    """A folder with our commands and without cards."""
    folder = tmp_path / "house"
    for name in ("models", "datasets"):
        (folder / name).mkdir(parents=True)
    (folder / "scripts").symlink_to(REPOSITORY / "scripts")
    return folder


@pytest.fixture
def write(house, monkeypatch):
    """Return a function that writes the card of a place and returns it with its text, reading files in this process."""
    monkeypatch.setattr(commands, "inspect", lambda root, path, weights=None: recognise.inspect(path, weights))

    def run(place, name="new", force=False):
        path = new_card.write(place, name, force, house, SCHEMA)
        assert path == str(house / f"models/{name}.yaml")
        text = Path(path).read_text()
        return yaml.safe_load(text), text

    return run


def save_tflite(path, units=3):
    model = dense(units)
    tflite_file.set_signature(model, dense_contract(units))
    path.write_bytes(tflite_file.serialise(model))
    return path


def save_onnx(path, inputs, outputs, **external):
    """Write an ONNX model with inputs and outputs ``{name: sizes}``, a size that is text being open."""
    model = MESSAGES["ModelProto"](ir_version=8)
    model.opset_import.add(version=13)
    for values, side in ((model.graph.input, inputs), (model.graph.output, outputs)):
        for name, sizes in side.items():
            tensor = values.add(name=name).type.tensor_type
            tensor.elem_type = 1
            for size in sizes:
                key = "dim_param" if isinstance(size, str) else "dim_value"
                tensor.shape.dim.add(**{key: size})
    model.graph.node.add(op_type="Identity", input=list(inputs)[:1], output=list(outputs)[:1])
    if external:
        weight = model.graph.initializer.add(name="w", dims=[2], data_type=1, data_location=1)
        for key, value in external.items():
            weight.external_data.add(key=key, value=value)
    path.write_bytes(model.SerializeToString())
    return path


def save_darknet(folder):
    (folder / "net.cfg").write_text(CFG)
    (folder / "net.weights").write_bytes(struct.pack("<3iq", 0, 2, 0, 0) + bytes(4 * (16 * 3 + 16)))
    return folder / "net.cfg"


def save_tfjs(folder, paths=("group1-shard1of1.bin",)):
    """Write a layers model whose weights are zeros."""
    layers = [
        {"class_name": "InputLayer", "config": {"name": "x", "batch_input_shape": [None, 2], "dtype": "float32"}},
        {"class_name": "Dense", "config": {"name": "dense", "units": 1, "use_bias": False}},
    ]
    config = {"class_name": "Sequential", "config": {"name": "net", "layers": layers}}
    weights = [{"name": "dense/kernel", "shape": [2, 1], "dtype": "float32"}]
    document = {"modelTopology": {"model_config": config}, "weightsManifest": [{"paths": paths, "weights": weights}]}
    (folder / "model.json").write_text(json.dumps(document))
    for path in paths:
        (folder / path).write_bytes(bytes(8 // len(paths)))
    return folder / "model.json"


def test_a_card_says_all_that_a_file_tells(write, tmp_path):
    path = save_tflite(tmp_path / "small.tflite")
    card, text = write(path)
    entry = {"name": "small.tflite", "urls": [str(path)]}
    assert card == {
        "title": "New",
        "task": "other",
        "licence": "NOASSERTION",
        "source": {"kind": "tflite", "path": "small.tflite", "files": [entry]},
        "inputs": [{"name": "x", "dtype": "float32", "shape": [1, 4]}],
        "outputs": [{"name": "y", "dtype": "float32", "shape": [1, 3]}],
    }
    for question in ("# task: ", "# licence: ", "# homepage: ", "# labels: ", "# calibration: ", "# evaluation: "):
        assert question in text


def test_the_command_of_its_own_process_tells_the_same(write, house, tmp_path, monkeypatch):
    path = save_tflite(tmp_path / "small.tflite")
    here = write(path)
    monkeypatch.undo()
    new_card.write(path, "apart", False, house, SCHEMA)
    assert (house / "models/apart.yaml").read_text() == here[1].replace("title: New", "title: Apart")
    path.write_bytes(path.read_bytes()[:100])
    assert str(path) in refusal(new_card.write, path, "broken", False, house, SCHEMA)


def test_a_card_is_overwritten_by_force_only_and_with_the_same_text(write, tmp_path):
    path = save_tflite(tmp_path / "small.tflite")
    first = write(path)
    assert (
        refusal(write, path) == "models/new.yaml: is there already; give another --name, or overwrite it with --force"
    )
    assert write(path, force=True) == first


def test_a_name_of_a_data_set_is_refused(write, house, tmp_path):
    (house / "datasets/new.yaml").write_text("")
    assert "a data set has this name" in refusal(write, save_tflite(tmp_path / "small.tflite"))


def test_a_name_that_no_model_may_have_is_refused_before_anything_is_written(write, house, tmp_path):
    assert "the file's name is the model's" in refusal(write, save_tflite(tmp_path / "small.tflite"), "New-Card")
    assert not list((house / "models").iterdir())


def test_a_file_of_the_repository_is_named_from_there(write, house):
    card, _ = write(save_tflite(house / "small.tflite"))
    assert card["source"]["files"][0]["urls"] == ["small.tflite"]
    assert cards.address(house / "-small.tflite", house) == "./-small.tflite"


def test_numbers_that_stand_for_others_are_floats_in_the_card_and_their_range_is_no_question(write, tmp_path):
    (tmp_path / "small.tflite").write_bytes(tflite_file.serialise(integer_convolution()[0]))
    card, text = write(tmp_path / "small.tflite")
    assert [entry["dtype"] for entry in card["inputs"] + card["outputs"]] == ["float32", "float32"]
    assert "A picture?" not in text


def test_a_picture_of_onnx_is_channels_last_in_the_card_and_its_range_is_asked(write, tmp_path):
    card, text = write(save_onnx(tmp_path / "a.onnx", {"in/put:0": ["batch", 3, 8, 6]}, {"features": [1, 4, 6, 6]}))
    assert card["inputs"] == [{"name": "in_put", "dtype": "float32", "shape": [1, 8, 6, 3]}]
    assert card["outputs"] == [{"name": "features", "dtype": "float32"}]
    assert "# A picture? Add" in text and "value_range" in text and "colour" in text


def test_an_onnx_picture_that_is_channels_last_already_stays_so(write, tmp_path):
    card, _ = write(save_onnx(tmp_path / "a.onnx", {"x": ["batch", 8, 6, 3]}, {"y": ["batch", 4]}))
    assert card["source"]["keep_layout"] == ["x"]
    assert card["inputs"][0]["shape"] == [1, 8, 6, 3]
    assert card["outputs"] == [{"name": "y", "dtype": "float32", "shape": [1, 4]}]


def test_a_size_that_is_open_is_asked(write, tmp_path):
    card, text = write(save_onnx(tmp_path / "a.onnx", {"x": ["batch", 3, "height", "width"]}, {"y": [1, 4]}))
    assert card["inputs"] == [{"name": "x", "dtype": "float32"}]
    assert "# Not all its sizes are told, [1, ?, ?, 3]: add `shape: [1, …]` before you build it." in text


@pytest.mark.parametrize("there", [True, False])
def test_weights_in_a_file_of_their_own_belong_to_an_onnx_model(write, tmp_path, there):
    path = save_onnx(tmp_path / "a.onnx", {"x": [1, 2]}, {"y": [1, 2]}, location="weights.bin")
    if there:
        (tmp_path / "weights.bin").write_bytes(bytes(8))
        card, _ = write(path)
        assert [file["name"] for file in card["source"]["files"]] == ["a.onnx", "weights.bin"]
    else:
        assert refusal(write, path) == f"{path}: weights.bin, which belongs to it, is not beside it"


def test_all_shards_of_a_tfjs_model_belong_to_it(write, tmp_path):
    save_tfjs(tmp_path, ("a.bin", "b.bin"))
    card, _ = write(tmp_path)
    assert [file["name"] for file in card["source"]["files"]] == ["model.json", "a.bin", "b.bin"]
    assert card["inputs"] == [{"name": "x", "dtype": "float32", "shape": [1, 2]}]


@pytest.mark.parametrize("file", ["net.cfg", "net.weights", ""])
def test_a_darknet_network_is_told_by_either_file_or_its_folder_and_has_as_many_labels_as_its_cfg(
    write, tmp_path, file
):
    save_darknet(tmp_path)
    (tmp_path / "few.names").write_text("a\nb\n")
    card, text = write(tmp_path / file)
    assert (card["source"]["config"], card["source"]["weights"]) == ("net.cfg", "net.weights")
    assert card["inputs"] == [{"shape": [1, 8, 8, 3]}] and "labels" not in card
    assert "# labels: names of its 3 classes, without the background; few.names has another number of them" in text
    (tmp_path / "shapes.names").write_text("a\nb\nc\n\n")
    card, text = write(tmp_path / file, force=True)
    assert card["labels"] == ["a", "b", "c"] and "# told from shapes.names" in text


def test_labels_of_strangers_stay_text(write, tmp_path):
    path = save_tflite(tmp_path / "small.tflite")
    hostile = ["yes", "a: {b: &c !!python/object:x}", "\"' # no comment: \\x1b"]
    (tmp_path / "labels.txt").write_text("\n".join(hostile))
    assert write(path)[0]["labels"] == hostile


def test_the_licence_beside_a_model_stands_in_its_card(write, tmp_path):
    path = save_tflite(tmp_path / "small.tflite")
    (tmp_path / "LICENSE").write_text("Nobody may.")
    card, text = write(path)
    assert card["licence"] == "NOASSERTION" and "which LICENSE may tell" in text
    (tmp_path / "LICENSE").write_text("Apache License, Version 2.0")
    assert write(path, force=True)[0]["licence"] == "Apache-2.0"


@pytest.fixture
def detector(tmp_path):
    """A folder with the files of a detector, which only their names tell."""
    for name in ("model.ckpt.index", "model.ckpt.meta", "model.ckpt.data-00000-of-00001", "graph.pb", "other.txt"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "pipeline.config").write_text("model { ssd { num_classes: 2 } }")
    return tmp_path


def test_a_detector_is_told_by_its_pipeline_config(write, detector):
    card, text = write(detector)
    assert {key: card["source"][key] for key in ("kind", "frozen_graph")} == {
        "kind": "tf1_detection",
        "frozen_graph": "graph.pb",
    }
    names = {file["name"] for file in card["source"]["files"]}
    assert names == {path.name for path in detector.iterdir() if path.is_file()} - {"other.txt"}
    assert "# labels: names of its 2 classes" in text


def test_a_detector_without_its_weights_or_with_several_graphs_is_refused(write, detector):
    (detector / "second.pb").write_bytes(b"x")
    assert "graph.pb, second.pb; name the file of one frozen graph" in refusal(write, detector)
    assert write(detector / "second.pb")[0]["source"]["frozen_graph"] == "second.pb"
    (detector / "model.ckpt.data-00000-of-00001").unlink()
    assert "model.ckpt.data-*, which belongs to model.ckpt.index, is not beside it" in refusal(
        write, detector / "graph.pb", "other"
    )


def ssd_report(*operators, classes=12):
    """Return the report of a graph of the TF1 Object Detection API, which ends behind its NMS."""
    sizes = {"detection_boxes": None, "detection_scores": None, "raw_detection_scores": [-1, -1, classes]}
    outputs = [{"name": name, "tensor": name, "dtype": "float32", "shape": shape} for name, shape in sizes.items()]
    signature = {"name": None, "inputs": [{"name": "image_tensor"}], "outputs": outputs}
    one = {"name": "", "signatures": [signature], "quantisation": [], "custom_operators": {}}
    one["operators"] = dict.fromkeys(("Conv2D", *operators), 1)
    return {"kind": "meta_graph", "graphs": [one], "files": [], "notes": [], "checkpoint": None}


@pytest.mark.parametrize("frozen", ["frozen_inference_graph.pb", None])
def test_a_detector_is_told_without_its_pipeline_config(write, detector, monkeypatch, frozen):
    (detector / "pipeline.config").unlink()
    (detector / "graph.pb").rename(detector / (frozen or "other.bin"))
    (detector / "labels.txt").write_text("\n".join(map(str, range(11))))
    monkeypatch.setattr(commands, "inspect", lambda root, path, weights=None: ssd_report())
    card, _ = write(detector)
    assert card["source"]["kind"] == "tf1_detection" and card["labels"] == list(map(str, range(11)))
    names = {file["name"] for file in card["source"]["files"]}
    assert names == {path.name for path in detector.glob("model.ckpt.*")} | ({frozen} if frozen else set())
    if frozen:
        card, _ = write(detector / frozen, force=True)
        assert card["source"]["kind"] == "tf1_detection"


def test_faster_rcnn_is_no_ssd(detector):
    (detector / "pipeline.config").unlink()
    report = ssd_report("CropAndResize")
    assert model_files.find(detector / "graph.pb", lambda path, weights=None: report).source["kind"] == "frozen_graph"


def test_a_folder_of_several_models_is_refused_with_their_names(write, tmp_path):
    for name in ("a.tflite", "b.tflite"):
        save_tflite(tmp_path / name)
    assert "holds several models: a.tflite, b.tflite; name the file of one" in refusal(write, tmp_path)
    (tmp_path / "empty").mkdir()
    assert "holds no model that can be told" in refusal(write, tmp_path / "empty")


def test_an_archive_is_unpacked_without_the_folders_around_the_model(write, tmp_path):
    inner = tmp_path / "outer/inner"
    inner.mkdir(parents=True)
    save_tfjs(inner)
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "outer", "outer")
    card, _ = write(tmp_path / "model.tar.gz")
    (entry,) = card["source"]["files"]
    assert entry["unpack"] == {"strip": 2} and entry["urls"] == [str(tmp_path / "model.tar.gz")]
    assert card["source"]["path"] == "model.json"


def test_what_lies_deeper_in_an_archive_is_named_from_its_top(write, tmp_path):
    inner = tmp_path / "outer/saved"
    inner.mkdir(parents=True)
    (tmp_path / "outer/notes.txt").write_text("")
    shutil.copytree(REPOSITORY / "starter/digits_dscnn_saved_model/dscnn", inner, dirs_exist_ok=True)
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "outer", "outer")
    card, _ = write(tmp_path / "model.tar.gz")
    assert card["source"]["files"][0]["unpack"] == {"strip": 1} and card["source"]["path"] == "saved"
    shutil.rmtree(inner / "variables")
    assert "variables/, which belongs to it, is not beside it" in refusal(write, inner, "other")


def test_a_url_is_fetched_with_the_files_that_it_names_and_stays_the_url(write, house, tmp_path):
    save_tfjs(tmp_path)
    with Server() as server:
        for name in ("model.json", "group1-shard1of1.bin"):
            server[f"zoo/{name}"] = (tmp_path / name).read_bytes()
        server["zoo/model.json?download=1"] = (tmp_path / "model.json").read_bytes()
        url = f"{server.url}/zoo/model.json?download=1"
        card, _ = write(url)
    assert [file["urls"] for file in card["source"]["files"]] == [
        [url],
        [f"{server.url}/zoo/group1-shard1of1.bin"],
    ]
    for file in card["source"]["files"]:
        assert file["sha256"] == files.digest(tmp_path / file["name"])
        assert (house / "sources/.cache" / file["sha256"]).exists()


def test_a_card_outside_the_clone_names_files_from_its_folder(house, tmp_path, monkeypatch):
    monkeypatch.setattr(commands, "inspect", lambda root, path, weights=None: recognise.inspect(path, weights))
    mine = tmp_path / "mine"
    mine.mkdir()
    for path, url in ((mine / "inside.tflite", "inside.tflite"), (tmp_path / "out.tflite", f"{tmp_path}/out.tflite")):
        written = new_card.write(save_tflite(path), None, False, house, SCHEMA, str(mine))
        assert written == str(path.with_suffix(".yaml") if path.parent == mine else mine / "out.yaml")
        assert yaml.safe_load(Path(written).read_text())["source"]["files"][0]["urls"] == [url]
    (house / "models/taken.yaml").write_text("")
    message = refusal(new_card.write, tmp_path / "out.tflite", "taken", True, house, SCHEMA, str(mine))
    assert message == "models/taken.yaml: is there already; give another --name"


def test_a_name_that_is_taken_gets_a_number():
    assert new_card.name_of("/a/net.h5", {"other"}) == "net"
    assert new_card.name_of("/a/net.h5", {"net", "net_2"}) == "net_3"


@pytest.mark.parametrize(
    "place, name",
    [
        ("/a/MobileNet-V2.1_quant.tflite", "mobilenet_v2_1_quant"),
        ("/a/MyNet/model.json", "mynet"),
        ("/zoo/1/saved_model.pb", "model_1"),
        ("https://example.org/x/ssd.tar.gz?a=b", "ssd"),
        ("https://example.org/two%20words/model.onnx", "two_words"),
    ],
)
def test_a_name_comes_from_the_file_or_else_its_folder(place, name):
    assert new_card.plain_name(new_card._stem(place)) == name
