"""Inspecting TensorFlow.js models."""

import json

import pytest

from zoomill.errors import UserError
from zoomill.inspect import recognise, tfjs
from zoomill.sources import tfjs_fused


def weight(name, shape, **more):
    return {"name": name, "shape": shape, "dtype": "float32", **more}


def sized(*sizes):
    return {"dim": [{"size": str(size)} for size in sizes]}


def graph_model():
    """Return a graph model of 12 weights in two files."""
    attributes = {"dtype": {"type": "DT_FLOAT"}, "shape": {"shape": sized(-1, 4)}}
    nodes = [
        {"name": "x", "op": "Placeholder", "attr": attributes},
        {"name": "w", "op": "Const", "attr": {"dtype": {"type": "DT_FLOAT"}}},
        {"name": "y", "op": "_FusedMatMul", "input": ["x", "w"], "attr": {"fused_ops": {"list": {"s": ["UmVsdQ=="]}}}},
    ]
    ends = {"inputs": {"image": ["x:0", sized(-1, 4)]}, "outputs": {"scores": ["y:0", sized(-1, 3)]}}
    signature = {
        side: {key: {"name": place, "dtype": "DT_FLOAT", "tensorShape": shape} for key, (place, shape) in items.items()}
        for side, items in ends.items()
    }
    return {
        "format": "graph-model",
        "generatedBy": "2.18.0",
        "convertedBy": "TensorFlow.js Converter v4.22.0",
        "signature": signature,
        "modelTopology": {"node": nodes, "library": {}, "versions": {"producer": 440}},
        "weightsManifest": [{"paths": ["1.bin", "2.bin"], "weights": [weight("w", [4, 3])]}],
    }


@pytest.fixture
def save(tmp_path):
    """Return a function that writes a model and returns the path; ``sizes`` are the bytes of its files of weights."""

    def write(document, sizes=(40, 8)):
        for number, size in enumerate(sizes, 1):
            (tmp_path / f"{number}.bin").write_bytes(bytes(size))
        path = tmp_path / "model.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return path

    return write


def test_a_graph_model_has_its_signature_operators_and_weights(save):
    report = recognise.inspect(save(graph_model()).parent)
    (graph,) = report["graphs"]
    assert (report["kind"], report["notes"]) == ("tfjs_graph", [])
    assert report["producer"] == {
        "converted_by": "TensorFlow.js Converter v4.22.0",
        "generated_by": "2.18.0",
        "producer": 440,
    }
    assert graph["signatures"] == [
        {
            "name": None,
            "inputs": [{"name": "image", "tensor": "x:0", "dtype": "float32", "shape": [-1, 4]}],
            "outputs": [{"name": "scores", "tensor": "y:0", "dtype": "float32", "shape": [-1, 3]}],
        }
    ]
    assert graph["operators"] == {"Placeholder": 1, "Const": 1, "_FusedMatMul": 1}
    assert graph["parameters"] == {"float32": {"count": 12, "bytes": 48}}
    assert graph["custom_operators"] == {}


def test_texts_may_be_lists_of_bytes(save):
    document = graph_model()
    whole = recognise.inspect(save(document))
    document["modelTopology"]["node"][2]["attr"]["fused_ops"]["list"]["s"] = [list(b"Relu")]
    document["modelTopology"]["node"][0]["attr"]["_note"] = {"s": []}
    assert recognise.inspect(save(document)) == whole


def test_a_signature_among_the_metadata_counts_and_without_any_the_nodes_tell(save):
    document = graph_model()
    signature = document.pop("signature")
    path = save(document | {"userDefinedMetadata": {"signature": signature}})
    assert recognise.inspect(path)["graphs"][0]["signatures"][0]["outputs"][0]["name"] == "scores"
    path = save(document)
    assert recognise.inspect(path)["graphs"][0]["signatures"][0]["outputs"][0]["name"] == "y"


def test_quantised_weights_count_as_they_are_stored(save):
    document = graph_model()
    document["weightsManifest"][0]["weights"] = [
        weight("w", [4, 3], quantization={"dtype": "uint8", "scale": 0.5, "min": -1}),
        weight("b", [3], quantization={"dtype": "float16", "original_dtype": "float32"}),
    ]
    (graph,) = recognise.inspect(save(document, [10, 8]))["graphs"]
    assert graph["parameters"] == {"uint8": {"count": 12, "bytes": 12}, "float16": {"count": 3, "bytes": 6}}
    assert graph["quantisation"] == [
        {"tensor": "w", "kind": "affine", "dtype": "uint8", "original": "float32", "scale": [0.5], "min": [-1.0]},
        {"tensor": "b", "kind": "float16", "dtype": "float16", "original": "float32"},
    ]


@pytest.mark.parametrize("nested", [True, False])
def test_a_layers_model_is_described_as_keras_describes_it(save, nested):
    layers = [{"class_name": "Dense", "config": {"name": "d", "batch_input_shape": [None, 4], "dtype": "float32"}}]
    model = {"class_name": "Sequential", "config": {"name": "s", "layers": layers}}
    topology = {"keras_version": "2.4.0", "model_config": model} if nested else {"keras_version": "2.4.0", **model}
    report = recognise.inspect(save(graph_model() | {"modelTopology": topology, "format": "layers-model"}))
    (graph,) = report["graphs"]
    assert (report["kind"], report["producer"]["keras"]) == ("tfjs_layers", "2.4.0")
    assert graph["signatures"][0]["inputs"][0]["shape"] == [-1, 4]
    assert graph["operators"] == {"Dense": 1}


def test_missing_weights_are_noted_and_short_ones_refused(save, tmp_path):
    path = save(graph_model(), [40])
    assert recognise.inspect(path)["notes"] == ["1 of 2 files with weights missing: 2.bin"]
    save(graph_model(), [40, 7])
    with pytest.raises(UserError, match=r"model\.json: the weights are truncated: 47 of 48 bytes"):
        recognise.inspect(path)


@pytest.mark.parametrize("location", ["../1.bin", "/etc/passwd", "https://host/1.bin", "..\\1.bin", "", "a\0b", 7])
def test_weights_outside_the_folder_are_refused(save, location):
    document = graph_model()
    document["weightsManifest"][0]["paths"] = [location]
    with pytest.raises(UserError, match=r"model\.json: "):
        recognise.inspect(save(document))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        '{"a": 1}',
        '{"modelTopology": {"node": 5}, "weightsManifest": []}',
        '{"modelTopology": {"node": []}, "weightsManifest": [{"paths": [], "weights": [{"shape": [1e999]}]}]}',
        '{"modelTopology": {"class_name": "Model"}, "weightsManifest": 3}',
        "[" * 100000,
        '{"modelTopology": ' * 50000,
    ],
)
def test_json_that_is_no_model_is_refused_in_one_line(save, text):
    with pytest.raises(UserError, match=r"model\.json: is ") as error:
        recognise.inspect(save(text))
    assert "\n" not in str(error.value)


def test_a_truncated_model_is_refused(save):
    text = json.dumps(graph_model())
    for length in range(0, len(text), 7):
        with pytest.raises(UserError, match=r"model\.json: is truncated or damaged"):
            recognise.inspect(save(text[:length]))


def test_sizes_that_are_no_sizes_are_refused(save):
    document = graph_model()
    document["weightsManifest"][0]["weights"] = [weight("w", [1 << 70])]
    with pytest.raises(UserError, match="no memory can hold"):
        recognise.inspect(save(document))


def test_the_operators_that_exporters_write_as_plain_ones_are_those_that_are_passed_over():
    assert {*tfjs_fused._FUSED, "Prelu"} == tfjs.OWN
