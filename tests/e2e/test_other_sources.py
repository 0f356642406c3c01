"""ONNX, TFLite and TensorFlow.js models as sources: parity through the whole chain, and broken ones in one line."""

import base64
import json
from pathlib import Path

import figures
import numpy as np
import pytest
import yaml
from conftest import REPOSITORY, Workflow, source_flags

from zoomill import files
from zoomill.inspect.onnx import MESSAGES
from zoomill.tflite import runtime

RANDOM = np.random.RandomState(0)


@pytest.fixture
def export(command, environment_python, tmp_path, request):
    """Return a function that exports a model: the process, and the folder of the graph."""

    def run(kind, path, **options):
        python = environment_python("tf2" if kind == "tfjs" else "onnx")
        library = ["--library", request.getfixturevalue("javascript")] if kind == "tfjs" else []
        folder = tmp_path / "graph"
        flags = (*source_flags("tested", path, **options), "--output-dir", folder, *library)
        return command(python, f"export_{kind}", *flags), folder

    return run


@pytest.fixture
def largest_error(command, environment_python):
    """Return a function from an exported graph to the largest error of its float32 TFLite in each output.

    It is absolute, or a share of the output's peak.
    """

    def measure(folder, figure="max_abs"):
        flags = ("--graph", folder / "graph.pb", "--contract", folder / "contract.json")
        output = folder / "main.float32.tflite"
        process = command(environment_python("tf2"), "convert_tflite", *flags, "--output", output)
        assert process.returncode == 0, process.stderr
        with np.load(folder / "golden.npz") as golden:
            found = figures.of_artifact(runtime.Artifact(output), files.read_json(folder / "contract.json"), golden)
        assert all(errors["peak"] > 0 for errors in found.values())
        return {name: errors[figure] for name, errors in found.items()}

    return measure


def refused(process, folder):
    """Return the only line of a refusal, which leaves nothing behind."""
    assert process.returncode == 1, process.stderr
    assert not list(folder.glob("*"))
    last = process.stderr.strip().splitlines()[-1]
    assert "Traceback" not in process.stderr
    assert last.startswith("error: tested: ")
    return last


def onnx_model(path, **weights):
    """Write an ONNX model: a convolution of 3 x 8 x 8 numbers to ``features``, and their mean as ``mean``."""
    model = MESSAGES["ModelProto"](ir_version=8)
    model.opset_import.add(domain="", version=13)
    graph = model.graph
    for values, name, sizes in ((graph.input, "a/b:0", (1, 3, 8, 8)), (graph.output, "features", (1, 4, 6, 6))):
        tensor = values.add(name=name).type.tensor_type
        tensor.elem_type = 1
        for size in sizes:
            tensor.shape.dim.add(dim_value=size)
    graph.output.add(name="mean").type.tensor_type.elem_type = 1
    kernel = graph.initializer.add(name="kernel", dims=(4, 3, 3, 3), data_type=1)
    if weights:
        kernel.data_location = 1
        for key, value in weights.items():
            kernel.external_data.add(key=key, value=value)
    else:
        kernel.raw_data = RANDOM.randn(4, 3, 3, 3).astype("<f4").tobytes()
    graph.node.add(op_type="Conv", name="conv", input=["a/b:0", "kernel"], output=["features"])
    graph.node.add(op_type="GlobalAveragePool", name="pool", input=["features"], output=["mean"])
    # The graph's name has no field among the few that inspection needs: field 2, four letters.
    data = model.SerializeToString()
    inner = graph.SerializeToString() + b"\x12\x04test"
    model.ClearField("graph")
    data = model.SerializeToString() + b"\x3a" + varint(len(inner)) + inner
    path.write_bytes(data)
    return path


def varint(number):
    """Return a number as protocol buffers write it."""
    data = b""
    while number > 127:
        data, number = data + bytes([number & 127 | 128]), number >> 7
    return data + bytes([number])


def tfjs_graph(folder):
    """Write a TFJS graph model of fused operators whose weights are stored in every way there is."""
    arrays = {
        "kernel": ("uint8", RANDOM.randint(0, 256, (3, 3, 2, 4))),
        "bias": ("float16", RANDOM.randn(4)),
        "slope": ("uint16", RANDOM.randint(0, 65536, (1, 1, 4))),
        "depthwise": ("float32", RANDOM.randn(3, 3, 4, 1)),
        "shape": ("int32", np.array([1, 64])),
        "matrix": ("float32", RANDOM.randn(64, 3) / 8),
        "offset": ("float32", RANDOM.randn(3)),
    }
    weights, data, nodes = [], b"", [node("x", "Placeholder", [], dtype="DT_FLOAT", shape=[1, 4, 4, 2])]
    for name, (stored, array) in arrays.items():
        dtype = "int32" if stored == "int32" else "float32"
        entry = {"name": name, "shape": list(array.shape), "dtype": dtype}
        if stored not in ("float32", "int32"):
            entry["quantization"] = {"dtype": stored, "original_dtype": "float32"}
        if stored.startswith("uint"):
            entry["quantization"].update(min=-0.5, scale=1 / array.max())
        weights.append(entry)
        data += array.astype(np.dtype(stored).newbyteorder("<")).tobytes()
        kind = {"int32": "DT_INT32", "float32": "DT_FLOAT"}[dtype]
        nodes.append(node(name, "Const", [], dtype=kind, value=list(array.shape)))
    plane = {"strides": [1, 1, 1, 1], "dilations": [1, 1, 1, 1], "padding": "SAME", "data_format": "NHWC"}
    prelu, fused = ({"num_args": count, "epsilon": 0.0, "T": "DT_FLOAT"} for count in (2, 1))
    nodes += [
        node(
            "conv", "_FusedConv2D", ["x", "kernel", "bias", "slope"], fused_ops=["BiasAdd", "Prelu"], **plane, **prelu
        ),
        node(
            "deep",
            "FusedDepthwiseConv2dNative",
            ["conv", "depthwise", "bias"],
            fused_ops=["BiasAdd", "Relu6"],
            **plane,
            **fused,
        ),
        node("plain", "Prelu", ["deep", "slope"]),
        node("flat", "Reshape", ["plain", "shape"], T="DT_FLOAT", Tshape="DT_INT32"),
        node(
            "dense",
            "_FusedMatMul",
            ["flat", "matrix", "offset"],
            fused_ops=["BiasAdd", "Elu"],
            **fused,
        ),
    ]
    signature = {
        "inputs": {"picture:0": {"name": "x:0", "dtype": "DT_FLOAT"}},
        "outputs": {"z": {"name": "dense:0", "dtype": "DT_FLOAT"}, "a": {"name": "deep:0", "dtype": "DT_FLOAT"}},
    }
    document = {"format": "graph-model", "modelTopology": {"node": nodes, "versions": {}}, "signature": signature}
    return tfjs_files(folder, document, weights, data)


def tfjs_files(folder, document, weights, data, paths=("weights.bin",)):
    """Write a TFJS model and return the path of its model.json."""
    (folder / "weights.bin").write_bytes(data)
    document["weightsManifest"] = [{"paths": list(paths), "weights": weights}]
    path = folder / "model.json"
    path.write_text(json.dumps(document))
    return path


def node(name, op, inputs, **attributes):
    """Return a node of a GraphDef in JSON."""
    return {"name": name, "op": op, "input": inputs, "attr": {k: attribute(k, v) for k, v in attributes.items()}}


def attribute(key, value):
    """Return an attribute of a node in JSON."""
    if key in ("value", "shape"):
        shape = {"dim": [{"size": str(size)} for size in value]}
        return {"shape": shape} if key == "shape" else {"tensor": {"tensorShape": shape}}
    if isinstance(value, list):
        kind = "i" if isinstance(value[0], int) else "s"
        return {"list": {kind: [str(item) if kind == "i" else text(item) for item in value]}}
    if isinstance(value, str):
        return {"type": value} if value.startswith("DT_") else {"s": text(value)}
    return {"f": value} if isinstance(value, float) else {"i": str(value)}


def text(value):
    """Return a text as converters write it: in base64 or, those of 2018 and 2019, as a list of bytes."""
    return list(value.encode()) if value in ("SAME", "BiasAdd") else base64.b64encode(value.encode()).decode()


def layers_model(folder, layers, **weights):
    """Write a TFJS layers model: a Sequential."""
    config = {"name": "s", "layers": layers}
    document = {
        "modelTopology": {"keras_version": "2.4.0", "model_config": {"class_name": "Sequential", "config": config}}
    }
    entries = [{"name": name, "shape": list(array.shape), "dtype": "float32"} for name, array in weights.items()]
    return tfjs_files(folder, document, entries, b"".join(array.astype("<f4").tobytes() for array in weights.values()))


DENSE = {
    "class_name": "Dense",
    "config": {"name": "dense", "units": 3, "activation": "tanh", "batch_input_shape": [None, 5], "dtype": "float32"},
}
KERNEL = {"dense/kernel": RANDOM.randn(5, 3), "dense/bias": RANDOM.randn(3)}


@pytest.mark.slow
def test_an_onnx_model_becomes_channels_last_and_agrees_with_onnx_runtime(export, largest_error, tmp_path):
    process, folder = export("onnx", onnx_model(tmp_path / "m.onnx"))
    assert process.returncode == 0, process.stderr
    contract = files.read_json(folder / "contract.json")
    assert [(entry["name"], entry["shape"]) for entry in contract["inputs"]] == [("a_b", [1, 8, 8, 3])]
    assert [(entry["name"], entry["shape"]) for entry in contract["outputs"]] == [
        ("features", [1, 6, 6, 4]),
        ("mean", [1, 1, 1, 4]),
    ]
    assert contract["notes"][0] == "a_b is NHWC here and NCHW in the source"
    assert max(largest_error(folder).values()) < 1e-5


@pytest.mark.slow
def test_fused_operators_and_stored_weights_agree_with_tensorflow_js(export, largest_error, tmp_path):
    process, folder = export("tfjs", tfjs_graph(tmp_path))
    assert process.returncode == 0, process.stderr
    assert [entry["name"] for entry in files.read_json(folder / "contract.json")["outputs"]] == ["a", "z"]
    assert max(largest_error(folder).values()) < 1e-5


# Its input is that of a layer inside, by another name than Keras gives it.
NESTED = {"class_name": "Sequential", "config": {"name": "inner", "layers": [DENSE]}}


@pytest.mark.slow
@pytest.mark.parametrize("layer", [DENSE, NESTED], ids=["flat", "nested"])
def test_a_layers_model_agrees_with_tensorflow_js(export, largest_error, tmp_path, layer):
    process, folder = export("tfjs", layers_model(tmp_path, [layer], **KERNEL))
    assert process.returncode == 0, process.stderr
    (error,) = largest_error(folder).values()
    assert error < 1e-6


REAL = {
    "onnx:onnx_mobilenet_v2_128_0.5/mobilenet_v2_128_0.5.onnx": 1e-5,
    "onnx:onnx_st_ssd_mobilenet_v1_025_256_coco_person/st_ssd_mobilenet_v1_025_256.onnx": 1e-5,
    "tfjs:tfjs_human_models/antispoof.json": 1e-5,
    "tfjs:tfjs_human_models/blazeface.json": 1e-4,
    "tfjs:emnist_digits_savedmodel_tfjs_tflite/tfjs_model/model.json": 1e-5,
    "tflite:mlperf_tiny_ad01_autoencoder/ad01_fp32.tflite": 1e-4,
    "tflite:mlperf_tiny_vww01_mobilenet/vww_96_int8.tflite": 1e-5,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_real_models_agree_with_their_own_runtime(export, largest_error, zoo, name):
    kind, _, path = name.partition(":")
    process, folder = export(kind, zoo / path)
    assert process.returncode == 0, process.stderr
    assert max(largest_error(folder, "share").values()) < REAL[name]


@pytest.mark.slow
def test_an_int8_file_says_that_it_becomes_float(export, zoo):
    process, folder = export("tflite", zoo / "mlperf_tiny_ad01_autoencoder/ad01_int8.tflite")
    assert process.returncode == 0, process.stderr
    contract = files.read_json(folder / "contract.json")
    assert contract["inputs"][0]["dtype"] == "float32"
    assert contract["notes"] == [
        "the source computes with int8; here these numbers are floats, without its own rounding"
    ]


def test_a_truncated_onnx_file_is_refused(export, tmp_path):
    path = onnx_model(tmp_path / "m.onnx")
    path.write_bytes(path.read_bytes()[:-100])
    assert f"{path}: is no ONNX file that can be read" in refused(*export("onnx", path))


@pytest.mark.parametrize("location", ["../secret.bin", "/etc/hostname"])
def test_external_data_outside_the_folder_is_refused(export, tmp_path, location):
    (tmp_path / "secret.bin").write_bytes(bytes(432))
    (tmp_path / "model").mkdir()
    path = onnx_model(tmp_path / "model/m.onnx", location=location)
    assert "is not inside the model's folder; refused" in refused(*export("onnx", path))


def test_an_unknown_input_to_keep_the_layout_of_is_refused(export, tmp_path):
    process = export("onnx", onnx_model(tmp_path / "m.onnx"), keep_layout=["nothing"])
    assert "has no input nothing to keep the layout of" in refused(*process)


def test_detections_of_a_tflite_file_are_refused_with_where_to_end(export, zoo):
    line = refused(*export("tflite", zoo / "coco_ssd_mobilenet_v1_1.0_quant_2018_06_29/detect.tflite"))
    assert "TFLite_Detection_PostProcess is a custom operator" in line
    assert "source.output_tensors, for example at Squeeze, convert_scores" in line


def test_a_truncated_tflite_file_is_refused(export, zoo, tmp_path):
    path = tmp_path / "m.tflite"
    path.write_bytes((zoo / "mlperf_tiny_ad01_autoencoder/ad01_int8.tflite").read_bytes()[:2000])
    assert str(path) in refused(*export("tflite", path))


@pytest.mark.parametrize("paths", [["../weights.bin"], ["/etc/hostname"], ["https://host.example/w.bin"]])
def test_weights_outside_the_folder_are_refused(export, tmp_path, paths):
    path = tfjs_files(tmp_path, {"modelTopology": {"node": []}}, [], b"", paths)
    assert "is not inside the model's folder; refused" in refused(*export("tfjs", path))


@pytest.mark.parametrize("change, complaint", [(-1, "the weights are truncated"), (1, "1 bytes of weights more")])
def test_weights_of_another_length_are_refused(export, tmp_path, change, complaint):
    path = tfjs_graph(tmp_path)
    weights = Path(tmp_path, "weights.bin")
    weights.write_bytes(weights.read_bytes()[:-1] if change < 0 else weights.read_bytes() + b"x")
    assert complaint in refused(*export("tfjs", path))


def test_a_layers_model_with_a_lambda_is_refused(export, tmp_path):
    layer = {"class_name": "Lambda", "config": {"name": "run_me", "function": ["x", None, None]}}
    line = refused(*export("tfjs", layers_model(tmp_path, [DENSE, layer], **KERNEL)))
    assert "the layer run_me is of Lambda" in line


def test_weights_that_no_layer_has_are_refused(export, tmp_path):
    path = layers_model(tmp_path, [DENSE], **KERNEL, **{"dense/other": np.zeros(2)})
    assert "the weight dense/other is only in its layers or only in its manifest" in refused(*export("tfjs", path))


def digits_classifier(folder):
    """Write a TFJS graph model that takes a digit for the class whose mean is nearest; return its weights."""
    with np.load(REPOSITORY / "starter/digits/digits.npz") as stored:
        images, labels = stored["images"][:-360].reshape(-1, 64) / 16, stored["labels"][:-360]
    means = np.stack([images[labels == digit].mean(0) for digit in range(10)])
    arrays = {"shape": np.array([1, 64], "<i4"), "matrix": 20 * means.T, "offset": -10 * (means**2).sum(1)}
    nodes = [node("x", "Placeholder", [], dtype="DT_FLOAT", shape=[1, 8, 8, 1])]
    weights, data = [], b""
    for name, array in arrays.items():
        dtype, kind = ("int32", "DT_INT32") if name == "shape" else ("float32", "DT_FLOAT")
        weights.append({"name": name, "shape": list(array.shape), "dtype": dtype})
        data += array.astype(np.dtype(dtype).newbyteorder("<")).tobytes()
        nodes.append(node(name, "Const", [], dtype=kind, value=list(array.shape)))
    float32 = {"T": "DT_FLOAT"}
    nodes += [
        node("flat", "Reshape", ["x", "shape"], **float32, Tshape="DT_INT32"),
        node("product", "MatMul", ["flat", "matrix"], **float32),
        node("sum", "AddV2", ["product", "offset"], **float32),
        node("probabilities", "Softmax", ["sum"], **float32),
    ]
    document = {"format": "graph-model", "modelTopology": {"node": nodes, "versions": {}}}
    tfjs_files(folder, document, weights, data)
    return arrays


@pytest.mark.slow
def test_a_tensorflow_js_source_is_scored_on_the_samples_of_its_card(repository_copy, tmp_path):
    (tmp_path / "model").mkdir()
    arrays = digits_classifier(tmp_path / "model")
    listed = [
        {"name": path.name, "urls": [str(path)], "sha256": files.digest(path)}
        for path in (tmp_path / "model").iterdir()
    ]
    card = {
        "title": "Digits by their means",
        "task": "image-classification",
        "licence": "Apache-2.0",
        "source": {"kind": "tfjs", "path": "model.json", "files": listed},
        "inputs": [{"value_range": [0, 1]}],
        "labels": list("0123456789"),
        "evaluation": {"dataset": "digits", "samples": {"first": 144, "last": 163}, "metric": {"name": "top_k"}},
    }
    (repository_copy / "models/nearest.yaml").write_text(yaml.safe_dump(card))
    run = Workflow(tmp_path / "run", repository_copy)
    run.run("results/nearest/source.metric.json", config=["models=[nearest]"])
    pictures = [np.load(run.file(f"sources/digits/heldout/{number:03}.npy")) for number in range(20)]
    scores = np.stack(pictures).reshape(20, 64) / 255 @ arrays["matrix"] + arrays["offset"]
    with np.load(REPOSITORY / "starter/digits/digits.npz") as stored:
        right = scores.argmax(1) == stored["labels"][-360:][:20]
    evidence = files.read_json(run.file("results/nearest/source.metric.json"))
    assert evidence["samples"] == 20
    assert 0.5 < evidence["values"]["top_1"] == pytest.approx(right.mean())
