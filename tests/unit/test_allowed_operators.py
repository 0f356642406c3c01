"""What TensorFlow graphs hold besides operators that compute, read as data."""

import pytest
from test_inspect_tensorflow import FLOAT, MESSAGES, Graph, classifier, meta_graph, saved_model

from zoomill.errors import UserError
from zoomill.inspect import allowed, allowed_operators, graph_walk, recognise, tensorflow_ops

HARMLESS = ["Conv2D", "HashTableV2", "LookupTableFindV2", "VarHandleOp", "AssignVariableOp", "ReadVariableOp", "While"]
HARMLESS += ["StatefulPartitionedCall", "TensorListReserve", "RandomStandardNormal", "Assert", "_FusedConv2D"]
JUDGED = {
    "ReadFile": allowed.TOUCHES_FILES,
    "SaveV2": allowed.TOUCHES_FILES,
    "ImmutableConst": allowed.TOUCHES_FILES,
    "TFRecordDataset": allowed.TOUCHES_FILES,
    "DebugIdentityV2": allowed.TOUCHES_FILES,
    "PyFunc": allowed.RUNS_CODE,
    "XlaCallModule": allowed.RUNS_CODE,
    "RpcCall": allowed.USES_NETWORK,
    "DataServiceDatasetV4": allowed.USES_NETWORK,
    "TensorSliceDataset": allowed.UNKNOWN,
    "Abort": allowed.UNKNOWN,
    "MyOwnOperator": allowed.UNKNOWN,
    "_XlaCompile": allowed.UNKNOWN,
}


def names(graph):
    return [(one.name, one.does) for one in allowed_operators.found(graph.message)]


@pytest.mark.parametrize("name", HARMLESS)
def test_what_networks_need_only_computes(name):
    assert tensorflow_ops.does(name) is None


@pytest.mark.parametrize("name", JUDGED)
def test_everything_else_is_judged_or_unknown(name):
    assert tensorflow_ops.does(name) == JUDGED[name]


def test_a_network_has_nothing_besides():
    assert names(classifier()) == []


def test_functions_count():
    graph = classifier()
    graph.node("write", "WriteFile", body=graph.function("f"))
    assert names(graph) == [("WriteFile", allowed.TOUCHES_FILES)]


def test_an_operator_may_be_named_where_a_function_is():
    graph = classifier().node("call", "PartitionedCall", f=("func", MESSAGES["NameAttrList"](name="WriteFile")))
    assert names(graph) == [("WriteFile", allowed.TOUCHES_FILES)]


def test_an_operator_may_be_named_by_a_function_s_own_attributes():
    function = MESSAGES["NameAttrList"](name="f")
    function.attr["g"].func.name = "ReadFile"
    graph = classifier().node("call", "PartitionedCall", f=("func", function))
    graph.function("f")
    assert names(graph) == [("ReadFile", allowed.TOUCHES_FILES)]


def test_a_function_hides_no_operator():
    graph = classifier().node("call", "WriteFile")
    graph.function("WriteFile")
    assert names(graph) == [("WriteFile", allowed.TOUCHES_FILES)]


@pytest.mark.parametrize(
    ("op", "key", "value", "harmless"),
    [
        ("PrintV2", "output_stream", b"stderr", True),
        ("PrintV2", "output_stream", b"file:///x", False),
        ("DecodeProtoV2", "descriptor_source", b"local://", True),
        ("DecodeProtoV2", "descriptor_source", b"/x", False),
        ("FixedUnigramCandidateSampler", "vocab_file", b"", True),
        ("FixedUnigramCandidateSampler", "vocab_file", b"/x", False),
    ],
)
def test_attributes_that_are_files_count(op, key, value, harmless):
    graph = classifier().node("a", op)
    graph.message.node[-1].attr[key].s = value
    assert names(graph) == ([] if harmless else [(op, allowed.TOUCHES_FILES)])


def test_only_what_is_needed_is_left_and_checked():
    graph = classifier().node("write", "WriteFile").node("writes", "Call", "^write")
    graph.node("read", "ReadFile", body=graph.function("Call"))
    left = allowed_operators.checked(graph.message, ["scores:0"], "file", [])
    assert {node.name for node in left.node} == {"image", "weights", "scores"} and not left.library.function


def test_control_inputs_are_needed():
    graph = classifier().node("write", "WriteFile").node("y", "Identity", "scores", "^write", T=("type", FLOAT))
    with pytest.raises(UserError, match=r"file: the node write is of WriteFile, which touches files; allow it"):
        allowed_operators.checked(graph.message, ["y"], "file", [])
    assert allowed_operators.checked(graph.message, ["y"], "file", ["WriteFile"])


@pytest.fixture
def write(tmp_path):
    def write(message, name):
        (tmp_path / name).write_bytes(message.SerializeToString())
        return tmp_path / name

    return write


def test_inspection_tells_of_a_frozen_graph_even_what_no_input_reaches(write):
    graph = classifier().const("name").node("secret", "ReadFile", "name")
    assert recognise.inspect(write(graph.message, "graph.pb"))["notes"] == ["touches files: ReadFile (1)"]


def test_inspection_tells_nothing_of_a_saver_that_no_output_needs(write):
    graph = classifier().const("name").node("save/restore", "RestoreV2", "name")
    meta = meta_graph(graph, {"serving_default": ({"x": "image:0"}, {"y": "scores:0"})})
    assert recognise.inspect(write(meta, "model.meta"))["notes"] == []


def restoring(filename):
    """Return a meta graph of TensorFlow 1 whose signature reads a file of the given name."""
    graph = classifier().node("save/Const", "Const").node("other", "Const").node("read", "RestoreV2", filename)
    meta = meta_graph(graph, {"serving_default": ({"x": "image:0"}, {"y": "scores:0", "z": "read:0"})})
    meta.saver_def.filename_tensor_name, meta.saver_def.restore_op_name = "save/Const:0", "read"
    return saved_model(meta)


def test_the_saver_of_a_saved_model_reads_its_own_variables_only(write):
    assert recognise.inspect(write(restoring("save/Const"), "saved_model.pb"))["notes"] == []
    assert recognise.inspect(write(restoring("other"), "saved_model.pb"))["notes"] == ["touches files: RestoreV2 (1)"]


def initialising(bound):
    """Return a SavedModel of TensorFlow 2 whose function reads a table's file, named by its last argument."""
    graph = Graph().const("a")
    inner, outer = graph.function("inner"), graph.function("outer")
    for body in (inner, outer):
        body.signature.input_arg.add(name="file")
    graph.node("same", "Identity", "file", body=inner)
    graph.node("fill", "InitializeTableFromTextFileV2", "file", "same:output:0", body=inner)
    graph.node("call", "PartitionedCall", "file", body=outer, f=("func", MESSAGES["NameAttrList"](name="inner")))
    meta = meta_graph(graph)
    meta.object_graph_def.nodes.add()
    meta.object_graph_def.nodes.add().asset.asset_file_def_index = 0
    meta.asset_file_def.add(filename="words.txt")
    meta.object_graph_def.concrete_functions["outer"].bound_inputs.extend(bound)
    graph.message.library.function.add().signature.name = "saves"
    return saved_model(meta)


@pytest.mark.parametrize(("bound", "harmless"), [([1], True), ([0], False), ([], False), ([7], False)])
def test_a_table_reads_an_asset_only(write, bound, harmless):
    notes = [] if harmless else ["touches files: InitializeTableFromTextFileV2 (1)"]
    assert recognise.inspect(write(initialising(bound), "saved_model.pb"))["notes"] == notes


@pytest.mark.parametrize("name", ["../../words.txt", "/words.txt", "a/../../../x"])
def test_assets_are_inside_the_folder(write, name):
    message = initialising([1])
    message.meta_graphs[0].asset_file_def[0].filename = name
    with pytest.raises(UserError, match="which is not inside the model's folder"):
        recognise.inspect(write(message, "saved_model.pb"))


def chain(length):
    graph = Graph().placeholder("n0", 1)
    for index in range(1, length):
        graph.node(f"n{index}", "Identity", f"n{index - 1}")
    return graph


def test_a_graph_may_be_as_long_as_tensorflow_survives():
    graph_walk.require_sound(chain(graph_walk.LONGEST).message, "file")
    with pytest.raises(UserError, match="file: has 20,001 nodes in a row"):
        graph_walk.require_sound(chain(graph_walk.LONGEST + 1).message, "file")


def test_a_while_loop_is_no_cycle_but_any_other_way_back_is():
    graph = Graph().placeholder("x").node("enter", "Enter", "x").node("merge", "Merge", "enter", "next")
    graph.node("next", "NextIteration", "merge")
    graph_walk.require_sound(graph.message, "file")
    graph.message.node[-1].op = "Identity"
    with pytest.raises(UserError, match="file: its nodes feed themselves, merge for one"):
        graph_walk.require_sound(graph.message, "file")


def calling(calls):
    graph = Graph().placeholder("x")
    for name, called in calls.items():
        body = graph.function(name)
        for index, one in enumerate(called):
            graph.node(f"n{index}", "PartitionedCall", body=body, f=("func", MESSAGES["NameAttrList"](name=one)))
    return graph.message


@pytest.mark.parametrize(
    ("calls", "line"),
    [
        ({"f": ["g"], "g": ["f"]}, "its function f calls itself"),
        ({f"f{i}": [f"f{i + 1}"] * 2 for i in range(40)} | {"f40": []}, "more than 1,000,000"),
        ({f"f{i}": [f"f{i + 1}"] for i in range(300)} | {"f300": []}, "more than 200 deep"),
    ],
)
def test_functions_that_do_not_end_are_refused(calls, line):
    with pytest.raises(UserError, match=line):
        graph_walk.require_sound(calling(calls), "file")


@pytest.mark.parametrize(
    ("graph", "line"),
    [
        (Graph().node("a", "Neg", "b"), "the node a reads b, which is not there"),
        (Graph().placeholder("a").placeholder("a"), "has two nodes a"),
        (Graph().const("a", 1 << 20, 1 << 20), "its constants have 4,398,046,511,104 bytes"),
        (Graph().const("a", -2), "the constant a has a negative size"),
    ],
)
def test_graphs_that_make_no_sense_are_refused(graph, line):
    with pytest.raises(UserError, match=f"file: {line}"):
        graph_walk.require_sound(graph.message, "file")
