"""What a Keras configuration may name, judged as data."""

import json

import pytest

from zoomill.errors import UserError
from zoomill.inspect import allowed, allowed_layers, guards
from zoomill.inspect.graph import MESSAGES


def layer(kind, name="it", **settings):
    return {"class_name": kind, "config": {"name": name, **settings}}


def model(*layers):
    return {"class_name": "Functional", "config": {"name": "model", "layers": list(layers)}}


def names(*layers):
    return [(one.does, one.name) for one in allowed_layers.found(model(*layers))]


def node(operator):
    return MESSAGES["NodeDef"](name="node", op=operator).SerializeToString().decode()


ORDINARY = [
    layer("Dense", activation="relu", kernel_initializer="glorot_uniform", kernel_regularizer=None),
    layer("Dense", kernel_initializer={"class_name": "VarianceScaling", "config": {"scale": 2.0}}),
    layer("Dense", bias_initializer={"module": "tensorflow.python.ops.init_ops_v2", **layer("Constant")}),
    layer("Dense", kernel_constraint={"class_name": "MaxNorm", "config": {}}, kernel_regularizer="l2"),
    layer("Activation", activation={"class_name": "function", "module": "builtins", "config": "relu"}),
    layer("BatchNormalizationV1"),
    layer("TimeDistributed", layer=layer("Bidirectional", layer=layer("LSTM"))),
    layer("RNN", cell=layer("StackedRNNCells", cells=[layer("GRUCell"), layer("LSTMCell")])),
    layer("MultiHeadAttention") | {"module": "keras.layers", "registered_name": None},
    model(layer("EinsumDense")) | {"module": "keras.src.models.functional", "registered_name": "Functional"},
    layer("GetItem") | {"module": "keras.src.ops.numpy", "registered_name": "GetItem"},
    layer("TFOpLambda", function="compat.v1.nn.conv2d"),
    layer("TFOpLambda", function="math.truediv"),
    layer("SlicingOpLambda", function="__operators__.getitem"),
    layer("InstanceProperty", attr_name="shape"),
    layer("TensorFlowOpLayer", node_def=node("AddV2")),
    layer("TensorFlowOpLayer", node_def={"name": "node", "op": "Relu"}),
    layer("StringLookup", vocabulary=["a", "b"]),
    layer("Dense", dtype={"class_name": "DTypePolicy", "module": "keras", "config": {"name": "mixed_float16"}}),
    {**layer("Dense"), "inbound_nodes": [{"args": [{"class_name": "__keras_tensor__", "config": {}}]}]},
]

HOSTILE = {
    "lambda": (layer("Lambda", function=["code"]), allowed.RUNS_CODE, "Lambda"),
    "lambda of another module": ({**layer("Lambda"), "module": "keras.layers"}, allowed.RUNS_CODE, "Lambda"),
    "code as an activation": (
        layer("Dense", activation={"class_name": "__lambda__", "config": {"value": "code"}}),
        allowed.RUNS_CODE,
        "Lambda",
    ),
    "code among arguments": (
        {**layer("Dense"), "inbound_nodes": [{"kwargs": {"mask": {"class_name": "__lambda__", "config": {}}}}]},
        allowed.RUNS_CODE,
        "Lambda",
    ),
    "wrapped": (layer("TimeDistributed", layer=layer("Wrapper", layer=layer("Lambda"))), allowed.UNKNOWN, "Wrapper"),
    "module": ({**layer("Dense"), "module": "os"}, allowed.UNKNOWN, "os.Dense"),
    "module like Keras's": (
        {**layer("Dense"), "module": "keras_evil.layers"},
        allowed.UNKNOWN,
        "keras_evil.layers.Dense",
    ),
    "module that does more": (
        {**layer("Dense"), "module": "keras.src.utils"},
        allowed.UNKNOWN,
        "keras.src.utils.Dense",
    ),
    "registered": ({**layer("Dense"), "registered_name": "other>Dense"}, allowed.UNKNOWN, "other>Dense"),
    "custom": (layer("Custom>Mine"), allowed.UNKNOWN, "Custom>Mine"),
    "no name": (layer(["Dense"]), allowed.UNKNOWN, "['Dense']"),
    "another model": (layer("TFSMLayer", filepath="/model"), allowed.TOUCHES_FILES, "TFSMLayer"),
    "pickle": (layer("TorchModuleWrapper"), allowed.RUNS_CODE, "TorchModuleWrapper"),
    "vocabulary": (layer("TextVectorization", vocabulary="/etc/passwd"), allowed.TOUCHES_FILES, "TextVectorization"),
    "file": (layer("TFOpLambda", function="io.read_file"), allowed.TOUCHES_FILES, "io.read_file"),
    "old name": (
        layer("TFOpLambda", function="compat.v1.write_file"),
        allowed.TOUCHES_FILES,
        "compat.v1.write_file",
    ),
    "library": (layer("SlicingOpLambda", function="load_op_library"), allowed.RUNS_CODE, "load_op_library"),
    "raw": (layer("TFOpLambda", function="raw_ops.ReadFile"), allowed.UNKNOWN, "raw_ops.ReadFile"),
    "no function": (layer("TFOpLambda"), allowed.UNKNOWN, "None"),
    "class method": (
        layer("ClassMethod", cls_symbol="io.TFRecordWriter", method_name="close"),
        allowed.TOUCHES_FILES,
        "io.TFRecordWriter.close",
    ),
    "attribute": (layer("InstanceMethod", attr_name="__reduce__"), allowed.UNKNOWN, "__reduce__"),
    "node": (layer("TensorFlowOpLayer", node_def=node("ReadFile")), allowed.TOUCHES_FILES, "ReadFile"),
    "no node": (layer("TensorFlowOpLayer", node_def=None), allowed.UNKNOWN, "None"),
    "function": (
        layer("Dense", activation={"class_name": "function", "module": "os", "config": "relu"}),
        allowed.UNKNOWN,
        "relu",
    ),
    "activation": (layer("Dense", activation="deserialize"), allowed.UNKNOWN, "deserialize"),
    "initializer": (layer("Dense", kernel_initializer="load"), allowed.UNKNOWN, "load"),
    "type": ({"class_name": "__typespec__", "spec_name": "Evil", "module": "os"}, allowed.UNKNOWN, "__typespec__"),
    "in camel case": ({"className": "Lambda", "config": {}}, allowed.RUNS_CODE, "Lambda"),
}


@pytest.mark.parametrize("one", ORDINARY, ids=str)
def test_what_networks_are_made_of_is_allowed(one):
    assert names(one) == []


@pytest.mark.parametrize(("one", "does", "name"), HOSTILE.values(), ids=HOSTILE)
def test_what_no_network_needs_is_found(one, does, name):
    assert names(one)[0] == (does, name)


def test_what_is_found_is_refused_by_layer_and_name_unless_the_card_allows_it():
    found = allowed_layers.found(model(layer("Lambda", "plus"), layer("Mine", "own")))
    with pytest.raises(UserError, match=r"m\.h5: the layer plus is of Lambda, which runs code; allow it in the card"):
        allowed.require("m.h5", found, ["Mine"])
    allowed.require("m.h5", found, ["Mine", "Lambda"])


def test_a_configuration_may_be_of_any_depth():
    nested = layer("Lambda")
    for _ in range(100_000):
        nested = [nested]
    assert names(nested) == [(allowed.RUNS_CODE, "Lambda")]


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', '{"b": [{"a": 1, "a": 2}]}', "[" * 100_000, "{", ""])
def test_json_that_can_be_read_in_two_ways_or_in_none_is_refused(text):
    with pytest.raises(UserError, match=r"^model\.json: is truncated or damaged: it holds JSON"):
        guards.parsed(text, "model.json")


def test_json_is_read():
    assert guards.parsed(json.dumps(ORDINARY[0]), "model.json") == ORDINARY[0]
