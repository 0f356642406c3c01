"""Small ONNX models of the kinds that onnx2tf fails at, each loaded as a source: ``onnx_loads.py FOLDER``, in onnx.

Writes ``loads.json``: for each model ``refused``, the line; or ``share``, the largest error of the graph in any output
by the largest value of ONNX Runtime, ``rounded``, the same of the source's own numbers, ``notes``, ``shapes`` of inputs
and outputs, and ``operators`` of the graph.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

RANDOM = np.random.RandomState(0)
FLOAT, HALF, INT = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT64
PICTURE, SEQUENCE = (1, 3, 8, 6), (5, 1, 3)
KERNEL = RANDOM.randn(4, 3, 3, 3).astype(np.float32)
CONV = helper.make_node("Conv", ["x", "kernel"], ["c"], "conv", pads=[1] * 4)


def graph(nodes, shape=PICTURE, outputs=("y",), opset=17, dtype=FLOAT, **constants):
    """Return a ModelProto from ``x`` to ``outputs``; ``kernel`` is a constant of all."""
    used = {name for node in nodes for name in node.input}
    constants = {name: array for name, array in {"kernel": KERNEL, **constants}.items() if name in used}
    ends = [helper.make_tensor_value_info(name, dtype, None) for name in outputs]
    made = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", dtype, shape)],
        ends,
        [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()],
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(made, opset_imports=opsets, ir_version=8)


def node(operator, inputs, outputs=("y",), **attributes):
    return helper.make_node(operator, inputs, outputs, "tested", **attributes)


def behind(operator, *inputs, opset=17, outputs=("y",), constants=None, **attributes):
    """Return a model of a convolution and an operator that reads it."""
    tested = node(operator, ["c", *inputs], outputs, **attributes)
    return graph([CONV, tested], opset=opset, outputs=outputs, **(constants or {}))


def branches(condition, *before, **constants):
    """Return a model with an If: then ``c * 2``, else ``c - 2``, 2 being a constant of each branch."""
    two = numpy_helper.from_array(np.float32(2), "two")
    then, other = (
        helper.make_graph([helper.make_node(operator, ["c", "two"], ["r"])], operator, [], [OPEN], [two])
        for operator in ("Mul", "Sub")
    )
    tested = node("If", [condition], then_branch=then, else_branch=other)
    return graph([CONV, *before, tested], **constants)


def recurrent(operator, direction, outputs, lengths=None):
    """Return a model of a recurrent operator without bias and states, but with lengths where these are given."""
    gates, ways = {"LSTM": 4, "GRU": 3, "RNN": 1}[operator], 1 + (direction == "bidirectional")
    inputs = ["x", "w", "r"] if lengths is None else ["x", "w", "r", "", "lengths"]
    weights = {"w": RANDOM.randn(ways, gates * 4, 3), "r": RANDOM.randn(ways, gates * 4, 4)}
    constants = {name: array.astype(np.float32) for name, array in weights.items()}
    tested = node(operator, inputs, outputs, direction=direction, hidden_size=4)
    named = [name for name in outputs if name]
    return graph([tested], SEQUENCE, named, lengths=np.array([lengths or 0], np.int32), **constants)


def loop():
    """Return a model that adds 1 three times."""
    body = helper.make_graph(
        [helper.make_node("Add", ["v", "one"], ["w"]), helper.make_node("Identity", ["go"], ["on"])],
        "body",
        [helper.make_tensor_value_info(*value) for value in (("i", INT, []), ("go", 9, []), ("v", FLOAT, None))],
        [helper.make_tensor_value_info("on", 9, []), helper.make_tensor_value_info("w", FLOAT, None)],
        [numpy_helper.from_array(np.float32(1), "one")],
    )
    return graph([CONV, node("Loop", ["times", "", "c"], body=body)], times=np.array(3))


OPEN = helper.make_tensor_value_info("r", FLOAT, None)
SIZES = np.array([1, 4, 13, 9])
LAST = {"perm": [0, 3, 1, 2]}
MODELS = {
    "float16": graph([CONV, node("Relu", ["c"])], dtype=HALF, kernel=KERNEL.astype(np.float16)),
    "if of the input": branches(
        "b",
        helper.make_node("ReduceMax", ["x"], ["m"], keepdims=0),
        helper.make_node("Greater", ["m", "zero"], ["b"]),
        zero=np.float32(0),
    ),
    "if of the shape": branches(
        "b",
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Gather", ["s", "one"], ["n"]),
        helper.make_node("Equal", ["n", "four"], ["b"]),
        one=np.array(1),
        four=np.array(4),
    ),
    "loop": loop(),
    "sequence": graph(
        [
            CONV,
            node("SplitToSequence", ["c"], ["l"], axis=1),
            helper.make_node("ConcatFromSequence", ["l"], ["y"], axis=1),
        ]
    ),
    "random": graph([CONV, node("RandomNormalLike", ["c"], ["n"]), helper.make_node("Add", ["c", "n"], ["y"])]),
    "open size": graph([CONV, node("NonZero", ["c"], ["n"]), helper.make_node("Cast", ["n"], ["y"], to=FLOAT)]),
    "unknown": behind("FastGelu", domain="com.microsoft"),
    "pad of axes": behind(
        "Pad",
        "pads",
        "value",
        "axes",
        opset=18,
        constants={"pads": np.array([2, 1, 0, 3]), "value": np.float32(0.5), "axes": np.array([3, -2])},
    ),
    "LSTM": recurrent("LSTM", "reverse", ["Y", "", "Y_c"]),
    "GRU": recurrent("GRU", "bidirectional", ["", "Y_h"]),
    "RNN": recurrent("RNN", "forward", ["Y"]),
    "full lengths": recurrent("LSTM", "forward", ["Y"], 5),
    "lengths": recurrent("LSTM", "forward", ["Y"], 3),
    "channels-last": graph(
        [
            node("Transpose", ["x"], ["t"], **LAST),
            helper.make_node("Conv", ["t", "kernel"], ["c"]),
            helper.make_node("Transpose", ["c"], ["y"], perm=[0, 2, 3, 1]),
        ],
        (1, 8, 6, 3),
    ),
    "channels-last by its size": graph([node("Mul", ["x", "two"])], (1, 8, 6, 3), two=np.float32(2)),
    "channels-first with a width of 3": graph(
        [CONV, node("Relu", ["c"])], (1, 5, 8, 3), kernel=np.ones((4, 5, 3, 3), np.float32)
    ),
    "softmax of a matrix": behind("Softmax", opset=11, axis=1),
    "same lower": graph([node("Conv", ["x", "kernel"], auto_pad="SAME_LOWER", strides=[2, 2])]),
    "same lower pool": behind("AveragePool", auto_pad="SAME_LOWER", strides=[2, 2], kernel_shape=[3, 3]),
    "kernel without a size": behind("ConvTranspose", "kernel", strides=[2, 2]),
    "upsample": behind("Upsample", "s", opset=9, mode="linear", constants={"s": np.array([1, 1, 2, 3], np.float32)}),
    "nearest upsample": behind("Upsample", "s", opset=9, constants={"s": np.array([1, 1, 1.5, 2], np.float32)}),
    "align corners": behind(
        "Resize",
        *("", "", "s"),
        opset=18,
        mode="linear",
        coordinate_transformation_mode="align_corners",
        constants={"s": SIZES},
    ),
    "resize of the input": graph(
        [
            CONV,
            helper.make_node("ReduceMax", ["x"], ["m"], keepdims=0),
            helper.make_node("Ceil", ["m"], ["up"]),
            helper.make_node("Mul", ["up", "ones"], ["s"]),
            node("Resize", ["c", "", "s"]),
        ],
        ones=np.ones(4, np.float32),
    ),
    "apart": graph(
        [CONV, node("CumSum", ["c", "one"], ["s"]), helper.make_node("Relu", ["s"], ["y"], "after")], one=np.array(1)
    ),
    "another shape": graph(
        [CONV, node("GatherND", ["c", "i"], ["g"]), helper.make_node("Relu", ["g"], ["y"], "after")],
        i=np.array([[0, 1, 2]]),
    ),
    "failing": behind("Pad", "pads", opset=19, mode="wrap", constants={"pads": np.array([0, 0, 1, 1, 0, 0, 1, 1])}),
}


def loaded(model, folder):
    """Return the row of a model."""
    import tensorflow as tf

    from zoomill.errors import UserError
    from zoomill.sources import onnx_source

    onnx.save(model, folder / "model.onnx")
    try:
        source = onnx_source.load(folder, {"path": "model.onnx"}, {"inputs": [], "outputs": []})
    except UserError as error:
        return {"refused": str(error)}
    (entry,) = source.inputs
    feed = {entry.name: np.random.RandomState(1).standard_normal(entry.shape).astype(entry.dtype)}
    expected = source.run(feed)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.import_graph_def(source.graph, name="")
        tensors = {output.name: output.tensor for output in source.outputs}
        found = session.run(tensors, {entry.tensor: feed[entry.name]})
    shares = [np.abs(found[name] - array).max() / np.abs(array).max() for name, array in expected.items()]
    own = source.rounded(feed) if source.rounded else {}
    return {
        "share": float(max(shares)),
        "rounded": max((float(np.abs(array - expected[name]).max()) for name, array in own.items()), default=None),
        "notes": source.notes,
        "shapes": [list(entry.shape), *(list(array.shape) for array in found.values())],
        "operators": sorted({part.op for part in source.graph.node}),
    }


def main(folder):
    """Load all models."""
    rows = {name: loaded(model, Path(folder)) for name, model in MODELS.items()}
    Path(folder, "loads.json").write_text(json.dumps(rows))


if __name__ == "__main__":
    main(sys.argv[1])
