"""Inspecting Keras files, written as Keras writes them."""

import io
import json
import zipfile

import numpy as np
import pytest
from conftest import missing

from zoomill.errors import UserError
from zoomill.inspect import keras, recognise, report


@pytest.fixture
def h5py():
    try:
        import h5py
    except ModuleNotFoundError:
        missing("h5py is not installed here")
    return h5py


def layer(kind, name, **settings):
    return {"class_name": kind, "config": {"name": name, "dtype": "float32", **settings}}


def functional(*layers, inputs=("x",), outputs=("y",)):
    """Return the configuration of a Functional model of Keras 2."""
    ends = {"input_layers": [[name, 0, 0] for name in inputs], "output_layers": [[name, 0, 0] for name in outputs]}
    return {"class_name": "Functional", "config": {"name": "model", "layers": list(layers), **ends}}


SMALL = functional(layer("InputLayer", "x", batch_input_shape=[None, 4]), layer("Dense", "y", units=3))


def described(config):
    graph, notes = keras.graph(config, report.Parameters())
    return graph, notes


@pytest.fixture
def write_h5(h5py, tmp_path):
    """Return a function that writes a model's file: configuration, weights, an optimiser's state."""

    def write(config=SMALL, name="model.h5"):
        path = tmp_path / name
        with h5py.File(path, "w") as file:
            if config is not None:
                file.attrs["model_config"] = json.dumps(config)
            file.attrs["keras_version"], file.attrs["backend"] = b"2.4.0", "tensorflow"
            file.attrs["layer_names"] = [b"y"]
            file["model_weights/y/y/kernel:0"] = np.zeros((4, 3), np.float32)
            file["model_weights/y/y/bias:0"] = np.zeros(3, np.float16)
            file["optimizer/momentum"] = np.zeros((4, 3), np.float32)
        return path

    return write


@pytest.fixture
def write_archive(h5py, tmp_path):
    """Return a function that writes a .keras archive."""

    def write(config=SMALL, leave_out=None):
        weights = io.BytesIO()
        with h5py.File(weights, "w") as file:
            file["layers/dense/vars/0"] = np.zeros((4, 3), np.float32)
            file["optimizer/vars/0"] = np.zeros((4, 3), np.float32)
        members = {"metadata.json": json.dumps({"keras_version": "3.5.0"}), "config.json": json.dumps(config)}
        path = tmp_path / "model.keras"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in {**members, "model.weights.h5": weights.getvalue()}.items():
                if name != leave_out:
                    archive.writestr(name, content)
        return path

    return write


def test_a_model_has_its_inputs_outputs_layers_and_weights(write_h5):
    found = recognise.inspect(write_h5())
    (graph,) = found["graphs"]
    assert (found["kind"], found["producer"]) == ("keras_h5", {"keras": "2.4.0", "backend": "tensorflow"})
    assert graph["signatures"] == [
        {
            "name": None,
            "inputs": [{"name": "x", "tensor": "x:0", "dtype": "float32", "shape": [-1, 4]}],
            "outputs": [{"name": "y", "tensor": "y:0", "dtype": "float32", "shape": None}],
        }
    ]
    assert graph["operators"] == {"InputLayer": 1, "Dense": 1}
    assert graph["parameters"] == {"float32": {"count": 12, "bytes": 48}, "float16": {"count": 3, "bytes": 6}}


def test_weights_without_a_model_say_so(write_h5):
    found = recognise.inspect(write_h5(None))
    assert (found["kind"], found["graphs"][0]["signatures"]) == ("keras_weights", [])
    assert found["graphs"][0]["parameters"]["float32"]["count"] == 12
    assert "no configuration" in found["notes"][0]


def test_an_archive_has_its_inputs_outputs_layers_and_weights(write_archive):
    found = recognise.inspect(write_archive())
    assert (found["kind"], found["producer"]) == ("keras", {"keras": "3.5.0"})
    assert found["graphs"][0]["operators"] == {"InputLayer": 1, "Dense": 1}
    assert found["graphs"][0]["parameters"] == {"float32": {"count": 12, "bytes": 48}}


@pytest.mark.parametrize("member", ["config.json", "metadata.json", "model.weights.h5"])
def test_an_archive_without_a_member_is_refused(write_archive, member):
    with pytest.raises(UserError, match=f"is no Keras archive: it lacks {member}"):
        recognise.inspect(write_archive(leave_out=member))


def test_a_member_that_unpacks_to_far_more_than_weights_do_is_refused(tmp_path):
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b" " * (1 << 22))
    with pytest.raises(UserError, match=r"config\.json unpacks from \d+ to 4194304 bytes; refused"):
        recognise.inspect(path)


@pytest.mark.parametrize("part", [0, 10, 0.5, 0.99])
def test_truncated_files_are_refused(write_h5, write_archive, part):
    for path in (write_h5(), write_archive()):
        data = path.read_bytes()
        path.write_bytes(data[: int(part * len(data)) if part < 1 else part])
        with pytest.raises(UserError, match=rf"{path.name}: is truncated or damaged"):
            recognise.inspect(path)


def test_another_hdf5_file_is_refused(h5py, tmp_path):
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["images"] = np.zeros(3)
    with pytest.raises(UserError, match=r"data\.h5: is an HDF5 file, but holds no Keras model"):
        recognise.inspect(tmp_path / "data.h5")


def test_links_to_other_files_are_not_followed(h5py, write_h5, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["secret/value"] = np.zeros(1000, np.float64)
    path = write_h5()
    with h5py.File(path, "a") as file:
        file["model_weights/link"] = h5py.ExternalLink("other.h5", "/secret")
    assert "float64" not in recognise.inspect(path)["graphs"][0]["parameters"]
    with h5py.File(path, "a") as file:
        del file["model_weights"]
        file["model_weights"] = h5py.ExternalLink("other.h5", "/secret")
    assert recognise.inspect(path)["graphs"][0]["parameters"] == {}


def test_lambda_layers_are_named_and_count_as_custom():
    graph, notes = described(functional(*SMALL["config"]["layers"], layer("Lambda", "plus", function=["code"])))
    assert graph["custom_operators"] == {"Lambda": 1}
    assert notes == ["runs code: Lambda (1)"]


def test_layers_of_others_are_custom_whether_the_file_tells_their_module_or_not():
    mine = layer("Mine", "a") | {"module": "builtins", "registered_name": "Custom>Mine"}
    kinds = [mine, layer("QuantizeWrapperV2", "b"), layer("Add", "c") | {"module": "keras.layers"}]
    kinds += [layer("BatchNormalizationV1", "d"), layer("Relu", "e") | {"module": "keras.src.ops.nn"}]
    graph, _ = described(functional(*SMALL["config"]["layers"], *kinds))
    assert graph["custom_operators"] == {"Mine": 1, "QuantizeWrapperV2": 1}


def test_layers_inside_layers_count():
    inner = {"class_name": "Sequential", "config": {"name": "inner", "layers": [layer("Conv2D", "conv")]}}
    wrapped = layer("Bidirectional", "both", layer=layer("LSTM", "lstm"))
    graph, _ = described(functional(*SMALL["config"]["layers"], inner, wrapped))
    kinds = ["InputLayer", "Dense", "Sequential", "Conv2D", "Bidirectional", "LSTM"]
    assert graph["operators"] == dict.fromkeys(kinds, 1)


@pytest.mark.parametrize("listed", [True, False])
def test_a_sequential_model_goes_from_its_first_to_its_last_layer(listed):
    layers = [layer("Dense", "first", batch_input_shape=[None, 7]), layer("Dense", "last")]
    graph, _ = described({"class_name": "Sequential", "config": layers if listed else {"layers": layers}})
    (signature,) = graph["signatures"]
    assert [(item["name"], item["shape"]) for item in signature["inputs"]] == [("first", [-1, 7])]
    assert [item["name"] for item in signature["outputs"]] == ["last"]


@pytest.mark.parametrize("nested", [["x", 0, 0], [["x", 0, 0]], {"image": ["x", 0, 0]}])
def test_inputs_may_be_nested_in_any_way(nested):
    config = functional(*SMALL["config"]["layers"])
    config["config"]["input_layers"] = nested
    assert [item["name"] for item in described(config)[0]["signatures"][0]["inputs"]] == ["x"]


def test_a_policy_tells_the_dtype_a_layer_computes_in():
    policy = {"class_name": "DTypePolicy", "config": {"name": "mixed_float16"}}
    graph, _ = described(functional(SMALL["config"]["layers"][0], layer("Dense", "y", dtype=policy)))
    assert graph["signatures"][0]["outputs"][0]["dtype"] == "float16"


def test_what_a_file_reads_elsewhere_is_told(h5py, write_h5):
    path = write_h5()
    with h5py.File(path, "a") as file:
        file["model_weights/link"] = h5py.ExternalLink("other.h5", "/secret")
        file["model_weights/soft"] = h5py.SoftLink("/optimizer")
        file.create_dataset("model_weights/bytes", (4,), "u1", external=[("/etc/hostname", 0, 4)])
        layout = h5py.VirtualLayout((4,), "u1")
        layout[:] = h5py.VirtualSource("other.h5", "secret", (4,))
        file.create_virtual_dataset("model_weights/virtual", layout)
        file["model_weights/round"] = file["model_weights"]
    assert recognise.inspect(path)["notes"] == [
        f"touches files: {name} (1)" for name in ("ExternalDataset", "ExternalLink", "SoftLink", "VirtualDataset")
    ]


def test_a_member_that_is_there_twice_is_refused(write_archive):
    path = write_archive()
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("config.json", "{}")
    with pytest.raises(UserError, match=r"has twice config\.json"):
        recognise.inspect(path)


def test_what_a_network_does_not_need_is_told_for_every_kind_of_file(write_h5, write_archive):
    config = functional(*SMALL["config"]["layers"], layer("TFOpLambda", "read", function="io.read_file"))
    for path in (write_h5(config), write_archive(config)):
        assert recognise.inspect(path)["notes"] == ["touches files: io.read_file (1)"]
