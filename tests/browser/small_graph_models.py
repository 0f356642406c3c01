"""Small TensorFlow.js graph models, written by hand."""

import json

import numpy as np

SHAPE = [1, 4]
WEIGHT = np.arange(12, dtype=np.float32).reshape(4, 3) - 5
PICKED = np.array([0.1, 0.9, 0.8, 0.2], np.float32)
# Registers an operator as the files do that are delivered with a model.
TWICE = 'tf.registerOp("Twice", (node) => tf.mul(node.inputs[0], 2));\n'
INPUTS = np.random.RandomState(0).uniform(-1, 1, (3, *SHAPE)).astype(np.float32)

_TYPES = {"float32": "DT_FLOAT", "int32": "DT_INT32"}


def node(name, op, *inputs, dtype="float32", **attributes):
    """Return a node whose types are all ``dtype``."""
    types = {key: {"type": _TYPES[dtype]} for key in ("T", "dtype")}
    return {"name": name, "op": op, "input": list(inputs), "attr": {**types, **attributes}}


def placeholder(name="x", dtype="float32"):
    """Return an input of :data:`SHAPE`."""
    shape = {"shape": {"dim": [{"size": str(size)} for size in SHAPE]}}
    return node(name, "Placeholder", dtype=dtype, shape=shape)


def write(folder, nodes, outputs, weights=None, operators=None):
    """Write a model with the input ``x`` and a signature that calls everything by the names of its nodes.

    Args:
        folder: where.
        nodes: of the graph; constants are added.
        outputs: names of nodes.
        weights: ``{name of a constant: array}``.
        operators: content of the file that registers operators.
    """
    weights = weights or {}
    constants = [node(name, "Const", dtype=value.dtype.name) for name, value in weights.items()]
    manifest = [{"name": n, "shape": list(v.shape), "dtype": v.dtype.name} for n, v in weights.items()]
    document = {
        "format": "graph-model",
        "convertedBy": "a test",
        "modelTopology": {"node": [*nodes, *constants], "versions": {"producer": 1}},
        "signature": {
            "inputs": {"x": {"name": "x:0"}},
            "outputs": {name: {"name": name} for name in outputs},
        },
        "weightsManifest": [{"paths": ["group1-shard1of1.bin"], "weights": manifest}],
    }
    folder.mkdir(parents=True)
    (folder / "model.json").write_text(json.dumps(document))
    (folder / "group1-shard1of1.bin").write_bytes(b"".join(value.tobytes() for value in weights.values()))
    if operators:
        (folder / "operators.js").write_text(operators)
    return folder


def product(folder):
    """Write a model that multiplies by :data:`WEIGHT`."""
    return write(folder, [placeholder(), node("y", "MatMul", "x", "w")], ["y"], {"w": WEIGHT})


def twice(folder, operators=TWICE):
    """Write a model with an operator of its own."""
    return write(folder, [placeholder(), node("y", "Twice", "x")], ["y"], operators=operators)


def constant(folder):
    """Write a model that gives one of its weights as it is, and the product with it."""
    return write(folder, [placeholder(), node("y", "MatMul", "x", "w")], ["y", "w"], {"w": WEIGHT})


def chosen(folder):
    """Write a model with an operator whose output has no fixed shape: the places of positive values."""
    zero = {"zero": np.zeros(SHAPE, np.float32)}
    nodes = [placeholder(), node("positive", "Greater", "x", "zero"), node("y", "Where", "positive")]
    return write(folder, nodes, ["y"], zero)


def cast(folder):
    """Write a model that turns integers into floats."""
    types = {"SrcT": {"type": "DT_INT32"}, "DstT": {"type": "DT_FLOAT"}}
    return write(folder, [placeholder(dtype="int32"), node("y", "Cast", "x", **types)], ["y"])


def contract(outputs, dtype="float32"):
    """Return the contract of such a model; ``outputs`` maps names to shapes."""
    return {
        "model": "tested",
        "graph": "main",
        "inputs": [{"name": "x", "tensor": "x", "dtype": dtype, "shape": SHAPE}],
        "outputs": [{"name": n, "tensor": n, "dtype": "float32", "shape": s} for n, s in outputs.items()],
    }
