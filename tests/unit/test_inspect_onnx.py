"""Inspecting ONNX files, put together from the same messages that read them."""

import struct

import pytest

from zoomill.errors import UserError
from zoomill.inspect import recognise
from zoomill.inspect.onnx import MESSAGES

FLOAT, UINT8, INT8, INT64 = 1, 2, 3, 7


def model():
    """Return a model: a convolution with a weight that is listed as an input too, as IR version 3 does."""
    message = MESSAGES["ModelProto"](ir_version=3, producer_name="pytorch", producer_version="1.11")
    message.opset_import.add(version=13)
    graph = message.graph
    for side, name, sizes in ((graph.input, "x", ["batch", 3, 8, 8]), (graph.output, "y", ["batch", 4])):
        kind = side.add(name=name).type.tensor_type
        kind.elem_type = FLOAT
        for size in sizes:
            dim = kind.shape.dim.add()
            setattr(dim, "dim_param" if isinstance(size, str) else "dim_value", size)
    graph.input.add(name="w")
    add_tensor(graph, "w", FLOAT, [4, 3, 1, 1], struct.pack("<12f", *range(12)))
    graph.node.add(op_type="Conv", input=["x", "w"], output=["y"])
    return message


def add_tensor(graph, name, dtype, sizes, raw=b""):
    return graph.initializer.add(name=name, data_type=dtype, dims=sizes, raw_data=raw)


@pytest.fixture
def save(tmp_path):
    """Return a function that writes a model and returns the path."""

    def write(message):
        path = tmp_path / "model.onnx"
        path.write_bytes(message.SerializeToString())
        return path

    return write


def only_graph(path):
    (graph,) = recognise.inspect(path)["graphs"]
    return graph


def test_inputs_outputs_and_parameters_are_told(save):
    report = recognise.inspect(save(model()))
    (graph,) = report["graphs"]
    assert report["kind"] == "onnx"
    assert report["producer"] == {"producer": "pytorch 1.11", "ir_version": 3, "opset": {"ai.onnx": 13}}
    assert graph["signatures"] == [
        {
            "name": None,
            "inputs": [{"name": "x", "tensor": "x", "dtype": "float32", "shape": [-1, 3, 8, 8]}],
            "outputs": [{"name": "y", "tensor": "y", "dtype": "float32", "shape": [-1, 4]}],
        }
    ]
    assert graph["operators"] == {"Conv": 1}
    assert graph["parameters"] == {"float32": {"count": 12, "bytes": 48}}


def test_nested_graphs_and_functions_count_and_other_domains_are_custom(save):
    message = model()
    branch = message.graph.node.add(op_type="If").attribute.add(name="then_branch")
    branch.g.node.add(op_type="Relu")
    add_tensor(branch.g, "inner", INT64, [2], bytes(16))
    message.graph.node.add(op_type="Fused", domain="com.acme")
    message.graph.node.add(op_type="Twice", domain="local")
    message.functions.add(name="Twice", domain="local").node.add(op_type="Add")
    constant = message.graph.node.add(op_type="Constant", output=["c"]).attribute.add(name="value")
    constant.t.CopyFrom(MESSAGES["TensorProto"](data_type=FLOAT, dims=[3], float_data=[1, 2, 3]))
    graph = only_graph(save(message))
    kinds = ["Conv", "If", "Relu", "com.acme.Fused", "Add", "Constant"]
    assert graph["operators"] == dict.fromkeys(kinds, 1)
    assert (graph["control_flow"], graph["custom_operators"]) == ({"If": 1}, {"com.acme.Fused": 1})
    assert graph["parameters"] == {"float32": {"count": 15, "bytes": 60}, "int64": {"count": 2, "bytes": 16}}


def test_quantisation_is_read_from_the_nodes_around_a_tensor(save):
    message = model()
    add_tensor(message.graph, "scale", FLOAT, []).float_data.append(0.5)
    add_tensor(message.graph, "zero", UINT8, [], b"\x80")
    add_tensor(message.graph, "scales", FLOAT, [2], struct.pack("<2f", 0.1, 0.2))
    add_tensor(message.graph, "zeros", INT8, [2], b"\x00\xff")
    message.graph.node.add(op_type="QuantizeLinear", input=["x", "scale", "zero"], output=["q"])
    weights = message.graph.node.add(op_type="DequantizeLinear", input=["w8", "scales", "zeros"], output=["w"])
    weights.attribute.add(name="axis", i=0)
    assert only_graph(save(message))["quantisation"] == [
        {"tensor": "x", "kind": "QuantizeLinear", "dtype": "uint8", "scale": [0.5], "zero_point": [128]},
        {
            "tensor": "w8",
            "kind": "DequantizeLinear",
            "dtype": "int8",
            "scale": [0.1, 0.2],
            "zero_point": [0, -1],
            "axis": 0,
        },
    ]


def external(message, location, length=40):
    tensor = add_tensor(message.graph, "far", FLOAT, [10])
    tensor.data_location = 1
    tensor.external_data.add(key="location", value=location)
    tensor.external_data.add(key="length", value=str(length))
    return message


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/passwd", "a/../../weights.bin", "", "..\\weights.bin"])
def test_data_outside_the_folder_are_refused(save, location):
    with pytest.raises(UserError, match="not inside the model's folder; refused"):
        recognise.inspect(save(external(model(), location)))


def test_a_link_that_leads_out_of_the_folder_is_refused(save, tmp_path):
    (tmp_path / "link.bin").symlink_to("/etc/passwd")
    with pytest.raises(UserError, match=r"'link\.bin', which is not inside"):
        recognise.inspect(save(external(model(), "link.bin")))


@pytest.mark.parametrize(("key", "value"), [("length", "1" + "0" * 18), ("offset", "-1"), ("length", "many")])
def test_data_at_a_place_that_no_file_has_are_refused(save, tmp_path, key, value):
    (tmp_path / "weights.bin").write_bytes(bytes(40))
    message = external(model(), "weights.bin")
    message.graph.initializer[-1].external_data.add(key=key, value=value)
    with pytest.raises(UserError, match=r"at a place that no file has|is truncated: has 40 of 10{18} bytes"):
        recognise.inspect(save(message))


@pytest.mark.parametrize("sparse", ["values", "indices"])
def test_parts_of_sparse_tensors_are_as_bound_to_the_folder(save, sparse):
    message = model()
    attribute = message.graph.node[0].attribute.add(name="sparse_value")
    tensor = getattr(attribute.sparse_tensor, sparse)
    tensor.data_location = 1
    tensor.external_data.add(key="location", value="/etc/passwd")
    with pytest.raises(UserError, match="not inside the model's folder; refused"):
        recognise.inspect(save(message))


def test_operators_of_others_are_noted_and_those_that_the_model_defines_are_not(save):
    message = model()
    message.graph.node.add(op_type="Read", domain="evil", name="r")
    message.graph.node.add(op_type="QLinearAdd", domain="com.microsoft")
    message.graph.node.add(op_type="Block", domain="mine")
    message.functions.add(name="Block", domain="mine").node.add(op_type="Read", domain="evil")
    assert recognise.inspect(save(message))["notes"] == ["is not known to be harmless: evil.Read (2)"]


def test_missing_external_data_are_noted_and_short_ones_refused(save, tmp_path):
    path = save(external(model(), "weights.bin"))
    report = recognise.inspect(path)
    assert report["notes"] == ["1 of 1 files with weights missing: weights.bin"]
    assert report["graphs"][0]["parameters"]["float32"]["count"] == 22
    (tmp_path / "weights.bin").write_bytes(bytes(39))
    with pytest.raises(UserError, match=r"weights\.bin is truncated: has 39 of 40 bytes"):
        recognise.inspect(path)


def test_every_truncated_file_is_refused(save):
    path = save(model())
    data = path.read_bytes()
    # Only the number of the opset comes after the graph.
    for length in range(data.index(b"Conv")):
        path.write_bytes(data[:length])
        with pytest.raises(UserError, match=r"model\.onnx: is truncated"):
            recognise.inspect(path)


def test_weights_that_do_not_fill_their_shape_are_refused(save):
    message = model()
    message.graph.initializer[0].dims[0] = 400
    with pytest.raises(UserError, match="'w' has 48 bytes where its shape needs 4800"):
        recognise.inspect(save(message))


def test_graphs_nested_too_deep_are_refused(save):
    message = model()
    graph = message.graph
    for _ in range(60):
        graph = graph.node.add(op_type="If").attribute.add(name="then_branch").g
    graph.node.add(op_type="Relu")
    with pytest.raises(UserError, match="truncated|damaged"):
        recognise.inspect(save(message))
