"""ONNX Runtime: sessions whose results do not depend on the machine, drawn inputs, and tensors inside of a model."""

import numpy as np

from zoomill.framework import refusing

# Operators whose outputs depend on the shape of their input only.
_OF_SHAPES = ("Shape", "Size")


def session(model, path):
    """Return an ONNX Runtime session on one thread.

    Args:
        model: ModelProto.
        path: of the file, for messages.

    Raises:
        UserError: when ONNX Runtime cannot run it.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    # Without it, products of uint8 and int8 saturate on x86-64 without VNNI, and results depend on the machine.
    options.add_session_config_entry("session.x64quantprecision", "1")
    with refusing(f"{path}: ONNX Runtime cannot run it"):
        return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def dtypes(runtime):
    """Return ``{input name: NumPy dtype}`` of a session."""
    types = {"float": "float32", "double": "float64", "bool": "bool"}
    names = {entry.name: entry.type.removeprefix("tensor(").removesuffix(")") for entry in runtime.get_inputs()}
    return {name: np.dtype(types.get(found, found)) for name, found in names.items()}


def draw(dtype, shape, limits, random):
    """Return a drawn input.

    Args:
        dtype: NumPy dtype.
        shape: sizes.
        limits: smallest and largest value of integers, None for 0 and 1; floats lie between 0 and 1.
        random: NumPy's RandomState.
    """
    if np.dtype(dtype).kind in "iu":
        low, high = limits or (0, 1)
        return random.randint(int(low), int(high) + 1, shape).astype(dtype)
    return random.uniform(0, 1, shape).astype(dtype)


def steady(model):
    """Return the names of tensors that depend on nothing but constants and the shapes of the inputs."""
    fed = {value.name for value in model.graph.input} - {tensor.name for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type not in _OF_SHAPES and fed.intersection(needed(node)):
            fed.update(node.output)
    names = {name for node in model.graph.node for name in node.output}
    return (names | {tensor.name for tensor in model.graph.initializer}) - fed


def needed(node):
    """Return the names of all tensors that a node and the graphs nested in it read."""
    names = [name for name in node.input if name]
    for attribute in node.attribute:
        for graph in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
            names += [name for inner in graph.node for name in needed(inner)]
            names += [value.name for value in graph.output]
    return names


def tensors(model, names, feed, path):
    """Return ``{name: array}`` of tensors inside of a model, for one feed ``{input name: array}``."""
    from onnx import ModelProto, numpy_helper

    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    found = {name: numpy_helper.to_array(constants[name]) for name in names if name in constants}
    found.update({name: feed[name] for name in names if name in feed})
    if inner := [name for name in names if name not in found]:
        opened = ModelProto()
        opened.CopyFrom(model)
        del opened.graph.output[:]
        for name in inner:
            opened.graph.output.add(name=name)
        runtime = session(opened, path)
        with refusing(f"{path}: ONNX Runtime cannot run it"):
            found.update(zip(inner, runtime.run(inner, feed), strict=True))
    return found
