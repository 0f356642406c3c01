"""Make TensorFlow graphs that do more than compute or break TensorFlow, export each, and say what came of it.

Usage: python hostile_graphs.py FOLDER — files are made in FOLDER only; prints ``{case: "exported" or the error}``.
"""

import contextlib
import io
import json
import os
import sys
import traceback
from pathlib import Path

os.environ.update(TF_USE_LEGACY_KERAS="1", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

import export_frozen_graph
import export_saved_model
from zoomill.errors import UserError

v1 = tf.compat.v1
FLOAT = 1
FOLDER = Path(sys.argv[1]).resolve()
MARKER = str(FOLDER / "marker")
SECRET = str(FOLDER / "secret")


def graph(build, size=4):
    """Return a GraphDef from ``x`` to ``y``; ``build`` makes the one of the other."""
    with tf.Graph().as_default() as made:
        x = v1.placeholder(tf.float32, [1, size], "x")
        tf.identity(build(x), "y")
        return made.as_graph_def()


def after(action, value):
    """Return the value, made after an operator without an output."""
    with tf.control_dependencies([action]):
        return tf.identity(value)


def read_file():
    return graph(lambda x: x + tf.cast(tf.io.decode_raw(tf.io.read_file(SECRET), tf.uint8)[:4], tf.float32))


def write_file():
    return graph(lambda x: after(tf.io.write_file(MARKER, "x"), x))


def write_file_in_a_branch():
    def write(x):
        return after(tf.io.write_file(MARKER, "x"), x)

    return graph(lambda x: tf.cond(x[0, 0] < 1e9, lambda: write(x), lambda: x))


def print_into_a_file():
    return graph(lambda x: after(tf.raw_ops.PrintV2(input="x", output_stream=f"file://{MARKER}"), x))


def call_python():
    return graph(lambda x: tf.numpy_function(lambda value: value, [x], tf.float32))


def print_to_the_terminal():
    return graph(lambda x: after(tf.raw_ops.PrintV2(input="seen", output_stream="stdout"), tf.nn.relu(x)))


def chain():
    made = graph(lambda x: x)
    before = "x"
    for index in range(60_000):
        node = made.node.add(name=f"n{index}", op="Identity", input=[before])
        node.attr["T"].type, before = FLOAT, node.name
    next(node for node in made.node if node.name == "y").input[0] = before
    return made


def cycle():
    made = graph(lambda x: tf.nn.relu(x, "a"))
    next(node for node in made.node if node.name == "a").input[0] = "y"
    return made


def large_constant():
    made = graph(lambda x: x + tf.reduce_sum(tf.constant(1.0, shape=[2, 2], name="c")))
    shape = next(node for node in made.node if node.name == "c").attr["value"].tensor.tensor_shape
    for dim in shape.dim:
        dim.size = 1 << 30
    return made


def large_input():
    return graph(tf.reduce_sum, size=1 << 40)


def functions(calls):
    """Return a graph whose functions call others: ``{name: [names of those it calls one after another]}``."""
    made = graph(tf.identity)
    for name, called in calls.items():
        body = made.library.function.add()
        body.signature.name = name
        body.signature.input_arg.add(name="x", type=FLOAT)
        body.signature.output_arg.add(name="y", type=FLOAT)
        last = "x"
        for index, one in enumerate(called):
            node = body.node_def.add(name=f"n{index}", op="PartitionedCall", input=[last])
            node.attr["Tin"].list.type.append(FLOAT)
            node.attr["Tout"].list.type.append(FLOAT)
            node.attr["f"].func.name = one
            last = f"n{index}:output:0"
        body.ret["y"] = last
    node = made.node.add(name="call", op="PartitionedCall", input=["x"])
    node.attr["Tin"].list.type.append(FLOAT)
    node.attr["Tout"].list.type.append(FLOAT)
    node.attr["f"].func.name = next(iter(calls))
    next(node for node in made.node if node.name == "y").input[0] = "call"
    return made


def function_that_calls_itself():
    return functions({"f": ["f"]})


def functions_that_double():
    return functions({f"f{i}": [f"f{i + 1}"] * 2 for i in range(60)} | {"f60": []})


def functions_far_inside():
    return functions({f"f{i}": [f"f{i + 1}"] for i in range(5000)} | {"f5000": []})


FROZEN = (
    read_file,
    write_file,
    write_file_in_a_branch,
    print_into_a_file,
    call_python,
    print_to_the_terminal,
    chain,
    cycle,
    large_constant,
    large_input,
    function_that_calls_itself,
    functions_that_double,
    functions_far_inside,
)


class Network(tf.Module):
    """A network that may have a table of words in an asset and do something when it is initialised or called."""

    def __init__(self, vocabulary=None, on_load=None, on_call=None):
        self.kernel, self.table = tf.Variable(np.ones((4, 2), np.float32)), None
        self.on_call = on_call
        if vocabulary:
            initializer = tf.lookup.TextFileInitializer(
                vocabulary, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
            )
            self.table = tf.lookup.StaticHashTable(initializer, -1)
        if on_load:
            self.resource = Resource(on_load)

    @tf.function(input_signature=[tf.TensorSpec([1, 4], name="x")])
    def __call__(self, x):
        y = x @ self.kernel
        return after(self.on_call(), y) if self.on_call else y


class Resource(tf.saved_model.experimental.TrackableResource):
    """A resource whose initialisation does something."""

    def __init__(self, on_load):
        super().__init__()
        self.on_load = on_load
        self._resource_handle = self._create_resource()

    def _create_resource(self):
        return tf.raw_ops.VarHandleOp(dtype=tf.float32, shape=[])

    def _initialize(self):
        return self.on_load()


def write():
    return tf.io.write_file(MARKER, "x")


def saved(folder, **options):
    network = Network(**options)
    tf.saved_model.save(network, str(folder), signatures=network.__call__)


def harmless_asset(folder):
    saved(folder, vocabulary=SECRET)


def on_call(folder):
    saved(folder, on_call=write)


def on_load(folder):
    saved(folder, on_load=write)


def asset_outside(folder):
    harmless_asset(folder)
    change(folder, lambda meta: setattr(meta.asset_file_def[0], "filename", "../../secret"))


def table_of_another_file(folder):
    """The initialiser takes its file's name from a constant, no more from the asset."""

    def point(meta):
        for function in meta.graph_def.library.function:
            for node in function.node_def:
                if node.op == "InitializeTableFromTextFileV2":
                    name = function.node_def.add(name="name", op="Const")
                    name.attr["dtype"].type = tf.string.as_datatype_enum
                    name.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(SECRET))
                    node.input[1] = "name:output:0"
                    break

    harmless_asset(folder)
    change(folder, point)


def change(folder, edit):
    """Edit the meta graph of a SavedModel."""
    file = folder / "saved_model.pb"
    message = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    edit(message.meta_graphs[0])
    file.write_bytes(message.SerializeToString())


def saved_by_1(folder, main_op=None):
    """Write a SavedModel of TensorFlow 1 with a variable and a table of words in an asset."""
    builder = v1.saved_model.Builder(str(folder))
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [1, 4], "x")
        kernel = v1.get_variable("kernel", initializer=np.ones((4, 2), np.float32), use_resource=True)
        file = tf.constant(SECRET)
        v1.add_to_collection(v1.GraphKeys.ASSET_FILEPATHS, file)
        table = tf.raw_ops.HashTableV2(key_dtype=tf.string, value_dtype=tf.int64)
        fill = tf.raw_ops.InitializeTableFromTextFileV2(
            table_handle=table, filename=file, key_index=-2, value_index=-1, vocab_size=-1, delimiter="\t"
        )
        y = tf.matmul(x, kernel)
        session.run(v1.global_variables_initializer())
        signature = v1.saved_model.predict_signature_def({"x": x}, {"y": y})
        initialise = tf.group(fill, *([main_op()] if main_op else []))
        builder.add_meta_graph_and_variables(
            session,
            ["serve"],
            {"serving_default": signature},
            assets_collection=v1.get_collection(v1.GraphKeys.ASSET_FILEPATHS),
            main_op=initialise,
        )
    builder.save()


def harmless_asset_of_1(folder):
    saved_by_1(folder)


def on_load_of_1(folder):
    saved_by_1(folder, write)


def on_restore_of_1(folder):
    """The saver's restore operator waits for one that writes."""

    def edit(meta):
        nodes = {node.name: node for node in meta.graph_def.node}
        for name, value in (("path", MARKER), ("text", "x")):
            node = meta.graph_def.node.add(name=name, op="Const")
            node.attr["dtype"].type = tf.string.as_datatype_enum
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
        meta.graph_def.node.add(name="write", op="WriteFile", input=["path", "text"])
        nodes[meta.saver_def.restore_op_name].input.append("^write")

    saved_by_1(folder)
    change(folder, edit)


def asset_outside_of_1(folder):
    def edit(meta):
        (stored,) = meta.collection_def["saved_model_assets"].any_list.value
        stored.value = stored.value.replace(b"\x06secret", b"\x0c../../secret")

    saved_by_1(folder)
    change(folder, edit)


def restore_of_another_file_of_1(folder):
    """The signature reads another checkpoint of the machine."""

    def edit(meta):
        for name, value in (("where", [str(folder / "variables/variables")]), ("which", ["kernel"]), ("slices", [""])):
            node = meta.graph_def.node.add(name=name, op="Const")
            node.attr["dtype"].type = tf.string.as_datatype_enum
            shaped = value[0] if name == "where" else value
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(shaped))
        node = meta.graph_def.node.add(name="other", op="RestoreV2", input=["where", "which", "slices"])
        node.attr["dtypes"].list.type.append(FLOAT)
        meta.signature_def["serving_default"].outputs["y"].name = "other:0"

    saved_by_1(folder)
    change(folder, edit)


SAVED = (
    harmless_asset,
    on_call,
    on_load,
    asset_outside,
    table_of_another_file,
    harmless_asset_of_1,
    on_load_of_1,
    on_restore_of_1,
    asset_outside_of_1,
    restore_of_another_file_of_1,
)


def forked(function):
    """Return what a function returns, or how it fails, in a fork; this process never starts TensorFlow's threads."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            with contextlib.redirect_stderr(io.StringIO()):
                text = function()
        except UserError as error:
            text = f"error: {error}"
        except BaseException:
            text = traceback.format_exc()
        os.write(writing, text.encode())
        os._exit(0)
    os.close(writing)
    with open(reading) as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    return text or f"ended by signal {status}"


def export(command, case, path, **options):
    """Run an export command and return what it says."""
    card = '{"inputs": [], "outputs": [], "labels": [], "label_offset": 0}'
    said = ["--source", str(path.parent), "--options", json.dumps({"path": path.name, **options})]

    def run():
        command(["--model", "m", *said, "--card", card, "--output-dir", str(FOLDER / f"{case}.out")])
        return "exported"

    return forked(run)


def make_frozen(make):
    path = FOLDER / f"{make.__name__}.pb"
    return forked(lambda: f"{path.write_bytes(make().SerializeToString())} bytes")


def make_saved(make):
    folder = FOLDER / make.__name__
    folder.mkdir()
    made = forked(lambda: make(folder) or "made")
    assert made == "made", made
    return folder


def main():
    """Try all cases."""
    Path(SECRET).write_text("a\nb\nc\nd\n")
    ends = {"input_tensors": {"x": "x"}, "output_tensors": {"y": "y"}}
    usual = {"tags": ["serve"], "signature": "serving_default"}
    found = {}
    for make in FROZEN:
        make_frozen(make)
        found[make.__name__] = export(export_frozen_graph.main, make.__name__, FOLDER / f"{make.__name__}.pb", **ends)
    Path(MARKER).unlink(missing_ok=True)
    allowed = {**ends, "allow": ["WriteFile"]}
    found["allowed"] = export(export_frozen_graph.main, "allowed", FOLDER / "write_file.pb", **allowed)
    found["allowed wrote"] = Path(MARKER).exists()
    Path(MARKER).unlink(missing_ok=True)
    for make in SAVED:
        folder = make_saved(make)
        Path(MARKER).unlink(missing_ok=True)
        found[make.__name__] = export(export_saved_model.main, make.__name__, folder, **usual)
        found["wrote"] = found.get("wrote", []) + [make.__name__] * Path(MARKER).exists()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
