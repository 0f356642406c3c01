"""Inspecting TensorFlow's files, put together from the same messages that read them."""

import struct

import pytest

from zoomill.errors import UserError
from zoomill.inspect import recognise
from zoomill.inspect.graph import MESSAGES

FLOAT, INT32, INT64, BOOL = 1, 3, 9, 10


def shape(*sizes):
    message = MESSAGES["TensorShapeProto"]()
    for size in sizes:
        message.dim.add(size=size)
    return message


class Graph:
    """A GraphDef to which nodes are added."""

    def __init__(self):
        self.message = MESSAGES["GraphDef"]()
        self.message.versions.producer = 27

    def node(self, name, op, *inputs, body=None, **attributes):
        node = (self.message.node if body is None else body.node_def).add(name=name, op=op, input=inputs)
        for key, value in attributes.items():
            kind, content = value
            field = getattr(node.attr[key], kind)
            if kind in {"i", "f", "b", "type"}:
                setattr(node.attr[key], kind, content)
            else:
                field.CopyFrom(content)
        return self

    def placeholder(self, name, *sizes, dtype=FLOAT):
        return self.node(name, "Placeholder", dtype=("type", dtype), shape=("shape", shape(*sizes)))

    def const(self, name, *sizes, dtype=FLOAT, values=(), body=None):
        tensor = MESSAGES["TensorProto"](dtype=dtype, tensor_shape=shape(*sizes), float_val=values)
        return self.node(name, "Const", body=body, dtype=("type", dtype), value=("tensor", tensor))

    def function(self, name):
        body = self.message.library.function.add()
        body.signature.name = name
        return body


def classifier():
    """Return a frozen graph with one leftover and one constant nobody uses."""
    graph = Graph().placeholder("image", -1, 4).const("weights", 4, 3).const("unused", 7)
    graph.node("scores", "MatMul", "image", "weights", T=("type", FLOAT))
    graph.node("best", "ArgMax", "scores", T=("type", FLOAT)).node("check", "Assert", "scores")
    return graph.const("a", 2).node("leftover", "Neg", "a", T=("type", FLOAT))


def saved_model(*metas):
    message = MESSAGES["SavedModel"](saved_model_schema_version=1)
    message.meta_graphs.extend(metas)
    return message


def meta_graph(graph, signatures=(), tags=("serve",)):
    """Return a MetaGraphDef; ``signatures`` is ``{name: ({key: tensor}, {key: tensor})}``."""
    message = MESSAGES["MetaGraphDef"](graph_def=graph.message)
    message.meta_info_def.tags.extend(tags)
    message.meta_info_def.tensorflow_version = "2.3.0"
    for name, (inputs, outputs) in dict(signatures).items():
        definition = message.signature_def[name]
        for side, infos in ((definition.inputs, inputs), (definition.outputs, outputs)):
            for key, tensor in infos.items():
                side[key].name, side[key].dtype = tensor, FLOAT
                side[key].tensor_shape.CopyFrom(shape(-1, 3))
    return message


@pytest.fixture
def save(tmp_path):
    """Return a function that writes a message to a file and returns the path."""

    def write(message, name="graph.pb"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(message.SerializeToString())
        return path

    return write


def only_graph(path):
    (graph,) = recognise.inspect(path)["graphs"]
    return graph


def names(tensors):
    return [tensor["name"] for tensor in tensors]


def test_a_frozen_graph_has_placeholders_as_inputs_and_unread_nodes_as_outputs(save):
    report = recognise.inspect(save(classifier().message))
    (graph,) = report["graphs"]
    assert (report["kind"], report["producer"]) == ("graph_def", {"producer": 27})
    assert graph["signatures"] == [
        {
            "name": None,
            "inputs": [{"name": "image", "tensor": "image:0", "dtype": "float32", "shape": [-1, 4]}],
            "outputs": [{"name": "best", "tensor": "best:0", "dtype": "int64", "shape": None}],
        }
    ]
    assert graph["operators"] == {"Placeholder": 1, "Const": 1, "MatMul": 1, "ArgMax": 1}
    assert graph["parameters"] == {"float32": {"count": 12, "bytes": 48}}


def test_an_operator_with_its_output_types_as_attribute_gives_that_many_outputs(save):
    types = MESSAGES["ListValue"](type=[FLOAT, FLOAT, INT32])
    graph = Graph().placeholder("image", 1).node("Detect", "TFLite_Detect", "image", _output_types=("list", types))
    found = only_graph(save(graph.message))
    assert names(found["signatures"][0]["outputs"]) == ["Detect", "Detect:1", "Detect:2"]
    assert [tensor["dtype"] for tensor in found["signatures"][0]["outputs"]] == ["float32", "float32", "int32"]
    assert found["custom_operators"] == {"TFLite_Detect": 1}


def test_a_graph_with_variables_ends_at_its_identities(save):
    graph = classifier().node("v", "VariableV2", dtype=("type", FLOAT), shape=("shape", shape(5)))
    graph.node("sum", "Add", "scores", "v").node("output", "Identity", "sum", T=("type", FLOAT))
    graph.node("assign", "Assign", "v", "scores")
    report = recognise.inspect(save(graph.message))
    (found,) = report["graphs"]
    assert names(found["signatures"][0]["outputs"]) == ["output"]
    assert found["parameters"]["float32"]["count"] == 17
    assert report["notes"] == [
        "not frozen: the values of its variables, v for one, are in a checkpoint (tf1_checkpoint)"
    ]
    assert not recognise.inspect(save(classifier().message))["notes"]


def test_a_training_graph_without_placeholder_has_no_outputs_and_says_so(save):
    graph = Graph().node("v", "VariableV2", dtype=("type", FLOAT), shape=("shape", shape(5)))
    graph.node("read", "Identity", "v", T=("type", FLOAT))
    report = recognise.inspect(save(meta_graph(graph), "model.ckpt.meta"))
    assert report["graphs"][0]["signatures"] == [{"name": None, "inputs": [], "outputs": []}]
    assert "training graph" in report["notes"][0]


def test_signatures_of_a_saved_model_are_told_and_only_what_they_need_is_counted(save):
    graph = Graph().placeholder("x", -1, 3)
    for name, size in (("kernel", 6), ("momentum", 100)):
        graph.node(name, "VarHandleOp", dtype=("type", FLOAT), shape=("shape", shape(size)))
    inner, outer, unused = graph.function("inner"), graph.function("outer"), graph.function("unused")
    call = {"f": ("func", MESSAGES["NameAttrList"](name="outer"))}
    graph.node("call", "StatefulPartitionedCall", "x", "kernel", **call)
    graph.node("while", "StatelessWhile", body=outer, body_=("func", MESSAGES["NameAttrList"](name="inner")))
    graph.node("again", "inner", body=outer).node("mine", "Addons>Op", body=inner).node("n", "Neg", body=unused)
    graph.const("c", 2, dtype=INT64, body=inner)
    sides = ({"image": "x:0"}, {"scores": "call:0"})
    metas = [meta_graph(graph, {"serving_default": sides, "__saved_model_init_op": ({}, {"init": "call:0"})})]
    report = recognise.inspect(save(saved_model(*metas), "model/saved_model.pb").parent)
    (found,) = report["graphs"]
    assert (report["kind"], report["file"], found["name"]) == ("saved_model", "model", "serve")
    assert found["signatures"] == [
        {
            "name": "serving_default",
            "inputs": [{"name": "image", "tensor": "x:0", "dtype": "float32", "shape": [-1, 3]}],
            "outputs": [{"name": "scores", "tensor": "call:0", "dtype": "float32", "shape": [-1, 3]}],
        }
    ]
    counted = ["Addons>Op", "Const", "Placeholder", "StatefulPartitionedCall", "StatelessWhile", "VarHandleOp"]
    assert found["operators"] == dict.fromkeys(counted, 1)
    assert (found["control_flow"], found["custom_operators"]) == ({"StatelessWhile": 1}, {"Addons>Op": 1})
    assert found["parameters"] == {"float32": {"count": 6, "bytes": 24}, "int64": {"count": 2, "bytes": 16}}


def test_every_tag_set_of_a_hub_module_is_a_graph(save):
    sides = {"default": ({"x": "image:0"}, {"y": "scores:0"})}
    metas = [meta_graph(classifier(), sides, tags) for tags in ((), ("train",))]
    path = save(saved_model(*metas), "module/saved_model.pb")
    (path.parent / "tfhub_module.pb").write_bytes(b"\x08\x03")
    report = recognise.inspect(path)
    assert (report["kind"], [graph["name"] for graph in report["graphs"]]) == ("hub_module", ["", "train"])


def test_sparse_tensors_name_all_their_parts(save):
    graph = Graph().placeholder("i", 2).placeholder("v", 2).placeholder("s", 2).node("y", "Identity", "v")
    meta = meta_graph(graph, {"s": ({}, {"y": "y:0"})})
    parts = {"indices_tensor_name": "i:0", "values_tensor_name": "v:0", "dense_shape_tensor_name": "s:0"}
    meta.signature_def["s"].inputs["x"].coo_sparse.CopyFrom(MESSAGES["CooSparse"](**parts))
    (found,) = only_graph(save(saved_model(meta), "saved_model.pb"))["signatures"]
    assert found["inputs"][0]["tensor"] == "i:0, v:0, s:0"


def test_fake_quantisation_is_told_with_the_ranges_that_are_constant(save):
    graph = Graph().placeholder("x", 1).const("low", values=[-1.5]).const("high", values=[1.25])
    graph.node("high/read", "Identity", "high").placeholder("range")
    graph.node("q", "FakeQuantWithMinMaxVars", "x", "low", "high/read", num_bits=("i", 4), narrow_range=("b", True))
    graph.node("r", "FakeQuantWithMinMaxVars", "q", "low", "range")
    graph.node("s", "FakeQuantWithMinMaxArgs", "r", min=("f", -6.0), max=("f", 6.0))
    found = only_graph(save(graph.message))["quantisation"]
    assert sorted(found, key=lambda entry: entry["tensor"]) == [
        {
            "tensor": "q",
            "kind": "FakeQuantWithMinMaxVars",
            "bits": 4,
            "narrow_range": True,
            "min": [-1.5],
            "max": [1.25],
        },
        {"tensor": "r", "kind": "FakeQuantWithMinMaxVars", "bits": 8, "narrow_range": False, "min": [-1.5]},
        {
            "tensor": "s",
            "kind": "FakeQuantWithMinMaxArgs",
            "bits": 8,
            "narrow_range": False,
            "min": [-6.0],
            "max": [6.0],
        },
    ]


def test_ranges_inside_a_function_are_not_taken_from_nodes_outside_of_the_same_name(save):
    graph = Graph().placeholder("x", 1).const("low", values=[-1.5]).const("high", values=[1.25])
    body = graph.function("f")
    graph.node("q", "FakeQuantWithMinMaxVars", "x", "low", "inner:output:0", body=body).const(
        "inner", values=[3.0], body=body
    )
    graph.node("y", "PartitionedCall", "x", "low", "high", f=("func", MESSAGES["NameAttrList"](name="f")))
    (found,) = only_graph(save(graph.message))["quantisation"]
    assert (found["max"], "min" in found) == ([3.0], False)


# Checkpoints.


def varint(number):
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)


def block(pairs):
    """Return a LevelDB block with its trailer; keys share their beginnings with the one before."""
    data, before = b"", b""
    for key, value in pairs:
        shared = next((n for n in range(min(len(key), len(before)), 0, -1) if key[:n] == before[:n]), 0)
        data += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        before = key
    return data + struct.pack("<II", 0, 1) + bytes(5)


def write_checkpoint(prefix, variables, missing=0):
    """Write an index of two blocks and the data file it needs, ``missing`` bytes shorter."""
    pairs, offset = [(b"", MESSAGES["BundleHeaderProto"](num_shards=1).SerializeToString())], 0
    for name, (dtype, size, sizes) in sorted(variables.items()):
        entry = MESSAGES["BundleEntryProto"](dtype=dtype, shape=shape(*sizes), offset=offset, size=size)
        pairs.append((name.encode(), entry.SerializeToString()))
        offset += size
    data, handles = b"", []
    for part in (pairs[:2], pairs[2:]):
        content = block(part)
        handles.append((part[-1][0], varint(len(data)) + varint(len(content) - 5)))
        data += content
    index = varint(len(data)) + varint(len(block(handles)) - 5)
    footer = (varint(0) + varint(0) + index).ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)
    prefix.parent.mkdir(parents=True, exist_ok=True)
    prefix.with_name(f"{prefix.name}.index").write_bytes(data + block(handles) + footer)
    prefix.with_name(f"{prefix.name}.data-00000-of-00001").write_bytes(bytes(offset - missing))


VARIABLES = {
    "dense/kernel": (FLOAT, 48, [4, 3]),
    "dense/kernel/ExponentialMovingAverage": (FLOAT, 48, [4, 3]),
    "global_step": (INT64, 8, []),
}


def test_variables_of_a_checkpoint_are_listed_with_their_names_and_shapes(save, tmp_path):
    path = save(meta_graph(classifier()), "model.ckpt.meta")
    write_checkpoint(tmp_path / "model.ckpt", VARIABLES)
    report = recognise.inspect(path)
    assert report["checkpoint"] == {
        "variables": [
            {"name": "dense/kernel", "dtype": "float32", "shape": [4, 3]},
            {"name": "dense/kernel/ExponentialMovingAverage", "dtype": "float32", "shape": [4, 3]},
            {"name": "global_step", "dtype": "int64", "shape": []},
        ],
        "parameters": {"float32": {"count": 24, "bytes": 96}, "int64": {"count": 1, "bytes": 8}},
    }
    assert report["notes"] == []


@pytest.mark.parametrize("suffix", ["", ".index"])
def test_a_checkpoint_of_another_name_is_given_by_prefix_or_index(save, tmp_path, suffix):
    path = save(meta_graph(classifier()), "graph.meta")
    write_checkpoint(tmp_path / "elsewhere/model-7", VARIABLES)
    assert recognise.inspect(path)["checkpoint"] is None
    assert len(recognise.inspect(path, tmp_path / f"elsewhere/model-7{suffix}")["checkpoint"]["variables"]) == 3


def test_a_missing_data_file_is_noted_and_a_short_one_refused(save, tmp_path):
    path = save(saved_model(meta_graph(classifier())), "saved_model.pb")
    write_checkpoint(tmp_path / "variables/variables", VARIABLES)
    (tmp_path / "variables/variables.data-00000-of-00001").unlink()
    assert recognise.inspect(path)["notes"] == [
        "1 of 1 files with weights missing: variables.data-00000-of-00001",
    ]
    write_checkpoint(tmp_path / "variables/variables", VARIABLES, missing=1)
    with pytest.raises(UserError, match=r"variables\.data-00000-of-00001: is truncated: has 103 of 104 bytes"):
        recognise.inspect(path)


def test_a_broken_index_is_refused(save, tmp_path):
    path = save(meta_graph(classifier()), "model.ckpt.meta")
    write_checkpoint(tmp_path / "model.ckpt", VARIABLES)
    index = tmp_path / "model.ckpt.index"
    data = index.read_bytes()
    end_of_block = struct.pack("<II", 0, 1)
    compressed = data.replace(end_of_block + b"\0", end_of_block + b"\1")
    miscounted = data.replace(end_of_block, struct.pack("<II", 0, 1000))
    for broken in (b"", data[:-1], data[:20] + data[-48:], compressed, miscounted):
        index.write_bytes(broken)
        with pytest.raises(UserError, match=r"truncated|damaged"):
            recognise.inspect(path)


# Broken files.


def test_every_truncated_graph_is_refused_or_ends_between_two_nodes(save):
    data = classifier().message.SerializeToString()
    path = save(classifier().message)
    whole = [len(node.SerializeToString()) + 2 for node in classifier().message.node]
    between = {sum(whole[:count]) for count in range(1, len(whole) + 1)}
    for length in set(range(len(data))) - between:
        path.write_bytes(data[:length])
        with pytest.raises(UserError, match=r"graph\.pb: is truncated"):
            recognise.inspect(path)


def test_a_graph_that_lacks_a_node_is_refused(save):
    graph = Graph().placeholder("x", 1).node("y", "Neg", "gone:1")
    with pytest.raises(UserError, match="node 'y' reads 'gone:1', which is not there"):
        recognise.inspect(save(graph.message))


def test_a_signature_that_names_a_missing_tensor_is_refused(save):
    meta = meta_graph(classifier(), {"serving_default": ({"x": "image:0"}, {"y": "gone:0"})})
    with pytest.raises(UserError, match="a signature reads 'gone', which is not there"):
        recognise.inspect(save(saved_model(meta), "saved_model.pb"))


def test_a_constant_of_absurd_size_is_refused(save):
    graph = Graph().placeholder("x", 1).const("c", 1 << 40, 1 << 40).node("y", "Add", "x", "c")
    with pytest.raises(UserError, match="no memory can hold"):
        recognise.inspect(save(graph.message))


def test_functions_and_nodes_that_call_each_other_in_a_ring_come_to_an_end(save):
    graph = Graph().placeholder("x", 1).node("m", "Merge", "x", "n").node("n", "NextIteration", "m")
    calls = {"f": ("func", MESSAGES["NameAttrList"](name="f"))}
    graph.node("call", "PartitionedCall", body=graph.function("f"), **calls)
    graph.node("y", "PartitionedCall", "m", **calls)
    assert only_graph(save(graph.message))["operators"]["PartitionedCall"] == 2


def test_a_saved_model_file_may_hold_no_graph(save):
    with pytest.raises(UserError, match="neither a GraphDef nor a SavedModel"):
        recognise.inspect(save(saved_model(), "saved_model.pb"))


def test_a_real_detector_has_one_input_and_exactly_four_outputs(zoo):
    path = zoo / "aiy_ssd_mobilenet_v1_0.125_person_cat_dog/mobilenet_ssd_256res_0.125_person_cat_dog.pb"
    (signature,) = only_graph(path)["signatures"]
    assert names(signature["inputs"]) == ["image_tensor"]
    outputs = ["detection_boxes", "detection_classes", "detection_scores", "num_detections"]
    assert sorted(names(signature["outputs"])) == outputs


def test_parameters_of_a_real_saved_model_are_without_those_of_its_optimiser(zoo):
    report = recognise.inspect(zoo / "samplenet_cifar10_multi_framework/samplenet_tf2")
    assert report["graphs"][0]["parameters"]["float32"]["count"] == 196426
    assert report["checkpoint"]["parameters"]["float32"]["count"] > 3 * 196426
