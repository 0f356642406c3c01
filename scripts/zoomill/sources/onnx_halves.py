"""ONNX models of float16 as models of float32."""

from zoomill.inspect import onnx as inspect_onnx

_FLOAT, _HALF = 1, 10
# Attributes that name a dtype.
_DTYPES = ("dtype", "to")


def halves(model):
    """Return ``["float16"]`` for a model with numbers of that dtype, else an empty list."""
    tensors, nodes = inspect_onnx.contents(model)
    found = [tensor.data_type for tensor in tensors] + [kind.elem_type for kind in _interface(model.graph)]
    found += [attribute.i for node in nodes for attribute in node.attribute if attribute.name in _DTYPES]
    return ["float16"] if _HALF in found else []


def float_copy(model):
    """Return the model with float32 in place of float16, itself where it has none."""
    if not halves(model):
        return model
    from onnx import ModelProto, numpy_helper

    copy = ModelProto()
    copy.CopyFrom(model)
    tensors, nodes = inspect_onnx.contents(copy)
    for tensor in tensors:
        if tensor.data_type == _HALF:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype("float32"), tensor.name))
    for attribute in (attribute for node in nodes for attribute in node.attribute):
        if attribute.name in _DTYPES and attribute.i == _HALF:
            attribute.i = _FLOAT
    for kind in _interface(copy.graph):
        if kind.elem_type == _HALF:
            kind.elem_type = _FLOAT
    return copy


def _interface(graph):
    """Return the tensor types of all that a graph and those nested in it declare."""
    values = [*graph.input, *graph.output, *graph.value_info]
    found = [value.type.tensor_type for value in values if value.type.HasField("tensor_type")]
    for attribute in (attribute for node in graph.node for attribute in node.attribute):
        for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
            found += _interface(inner)
    return found
