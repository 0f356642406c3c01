"""Inspecting .tflite files."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from small_models import Builder, dense, dense_contract, heads, options

from zoomill.errors import UserError
from zoomill.inspect import recognise
from zoomill.tflite import tflite_file


@pytest.fixture
def save(tmp_path):
    """Return a function that writes a model and returns the path."""

    def write(model):
        path = tmp_path / "model.tflite"
        path.write_bytes(tflite_file.serialise(model))
        return path

    return write


def only_graph(path):
    (graph,) = recognise.inspect(path)["graphs"]
    return graph


def quantise(tensor, dtype, scales, zero_points, axis=0):
    tensor.type = dtype
    tensor.quantization.scale, tensor.quantization.zeroPoint = scales, zero_points
    tensor.quantization.quantizedDimension = axis


def test_a_file_without_signature_has_the_inputs_and_outputs_of_its_graph(save):
    report = recognise.inspect(save(dense(units=3)))
    (graph,) = report["graphs"]
    assert (report["kind"], report["file"]) == ("tflite", "model.tflite")
    assert report["producer"] == {"description": "MLIR Converted.", "schema": 3}
    start, end = "input;left;over", "output"
    assert graph["signatures"] == [
        {
            "name": None,
            "inputs": [{"name": start, "tensor": start, "dtype": "float32", "shape": [1, 4]}],
            "outputs": [{"name": end, "tensor": end, "dtype": "float32", "shape": [1, 3]}],
        }
    ]
    assert graph["operators"] == {"FULLY_CONNECTED": 1}
    assert graph["parameters"] == {"float32": {"count": 15, "bytes": 60}}


def test_every_signature_names_its_tensors(save):
    model = dense(units=3)
    tflite_file.set_signature(model, dense_contract(3))
    (signature,) = only_graph(save(model))["signatures"]
    assert signature["name"] == "serving_default"
    assert [(item["name"], item["tensor"]) for item in signature["inputs"]] == [("x", "image")]
    assert [(item["name"], item["tensor"]) for item in signature["outputs"]] == [("y", "scores")]


def test_unknown_sizes_are_told(save):
    model = dense()
    model.subgraphs[0].tensors[0].shapeSignature = [-1, 4]
    assert only_graph(save(model))["signatures"][0]["inputs"][0]["shape"] == [-1, 4]


def test_the_oldest_runtime_is_read_from_the_metadata(save):
    model = dense()
    model.metadata = [schema.MetadataT()]
    model.metadata[0].name, model.metadata[0].buffer = b"min_runtime_version", len(model.buffers)
    model.buffers.append(schema.BufferT())
    model.buffers[-1].data = np.frombuffer(b"1.5.0".ljust(16, b"\0"), np.uint8)
    assert recognise.inspect(save(model))["producer"]["min_runtime"] == "1.5.0"


def test_quantisation_is_told_for_each_tensor(save):
    model = dense(units=3)
    start, weights = model.subgraphs[0].tensors[:2]
    quantise(start, schema.TensorType.UINT8, [0.0078125], [128])
    quantise(weights, schema.TensorType.INT8, [0.1, 0.2, 0.3], [0, 0, 0], axis=0)
    assert only_graph(save(model))["quantisation"] == [
        {"tensor": "input;left;over", "kind": "affine", "dtype": "uint8", "scale": [0.0078125], "zero_point": [128]},
        {
            "tensor": "weights;also;fused",
            "kind": "affine",
            "dtype": "int8",
            "scale": [0.1, 0.2, 0.3],
            "zero_point": [0, 0, 0],
            "axis": 0,
        },
    ]


def test_a_scale_that_is_no_number_is_still_json(save, command, tmp_path):
    import sys

    model = dense()
    quantise(model.subgraphs[0].tensors[0], schema.TensorType.INT8, [np.nan], [0])
    process = command(sys.executable, "inspect_model", save(model), "--json", "-")
    assert '"nan"' in process.stdout


def test_custom_operators_and_control_flow_are_told(save):
    builder = Builder()
    ends = [builder.tensor(name, [1]) for name in ("x", "y")]
    builder.operator("WHILE", [ends[0]], [ends[1]], schema.WhileOptionsT())
    builder.operator("FlexErf", [ends[0]], [ends[1]])
    graph = only_graph(save(builder.build(ends[:1], ends[1:])))
    assert (graph["control_flow"], graph["custom_operators"]) == ({"WHILE": 1}, {"FlexErf": 1})


def test_weights_that_tensors_share_count_once(save):
    model = heads(5, 3)
    tflite_file.append_postprocess(model, np.zeros((5, 4), np.float32), options())
    twin = schema.TensorT()
    anchors = model.subgraphs[0].tensors[2]
    twin.name, twin.shape, twin.type, twin.buffer = b"twin", anchors.shape, anchors.type, anchors.buffer
    model.subgraphs[0].tensors.append(twin)
    graph = only_graph(save(model))
    assert graph["parameters"] == {"float32": {"count": 20, "bytes": 80}}
    assert graph["custom_operators"] == {"TFLite_Detection_PostProcess": 1}


def test_every_truncated_file_is_refused(save):
    path = save(dense(units=2))
    data = path.read_bytes()
    for length in range(0, len(data) - 8, 8):
        path.write_bytes(data[:length])
        with pytest.raises(UserError, match=r"model\.tflite: is "):
            recognise.inspect(path)


def test_an_index_without_its_tensor_is_refused(save):
    model = dense()
    model.subgraphs[0].inputs = [99]
    with pytest.raises(UserError, match="damaged"):
        recognise.inspect(save(model))


def test_a_length_that_the_file_cannot_hold_is_refused(save):
    path = save(dense())
    data = bytearray(path.read_bytes())
    shape = (300).to_bytes(4, "little") + (4).to_bytes(4, "little")
    at = data.index((2).to_bytes(4, "little") + shape)
    data[at : at + 4] = (1 << 30).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(UserError, match="it lists more than it holds"):
        recognise.inspect(path)


def test_options_of_the_post_processing_are_told(save):
    model, asked = heads(5, 4), options(use_regular_nms=False)
    tflite_file.append_postprocess(model, np.zeros((5, 4), np.float32), asked)
    (note,) = recognise.inspect(save(model))["notes"]
    assert note.startswith("TFLite_Detection_PostProcess has detections_per_class 100, h_scale 5.0, ")
    assert "nms_score_threshold 0.3" in note and "use_regular_nms False" in note


@pytest.mark.parametrize("content", [b"", b"\x00\x01", bytes(range(256)), b"\xff" * 40, b"\x00\x28\xff"])
def test_options_that_are_no_map_are_left_out(save, content):
    model = heads(5, 4)
    tflite_file.append_postprocess(model, np.zeros((5, 4), np.float32), options())
    model.subgraphs[0].operators[-1].customOptions = list(content)
    assert recognise.inspect(save(model))["notes"] == []
