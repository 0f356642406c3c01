"""ONNX files."""

import collections
import struct

from zoomill.errors import UserError
from zoomill.inspect import allowed, guards, report, wire

_TEXT = (
    "undefined float32 uint8 int8 uint16 int16 int32 int64 string bool float16 float64 uint32 uint64 complex64 "
    "complex128 bfloat16 float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz uint4 int4 float4_e2m1fn "
    "float8_e8m0 uint2 int2"
)
_TYPES = _TEXT.split()
_EXTERNAL = 1

# Field numbers of onnx/onnx.proto, which never change.
_MESSAGES = {
    "ModelProto": {
        "ir_version": "1 int64",
        "producer_name": "2 string",
        "producer_version": "3 string",
        "graph": "7 GraphProto",
        "opset_import": "8 repeated OperatorSetIdProto",
        "functions": "25 repeated FunctionProto",
    },
    "OperatorSetIdProto": {"domain": "1 string", "version": "2 int64"},
    "FunctionProto": {"name": "1 string", "node": "7 repeated NodeProto", "domain": "10 string"},
    "GraphProto": {
        "node": "1 repeated NodeProto",
        "initializer": "5 repeated TensorProto",
        "input": "11 repeated ValueInfoProto",
        "output": "12 repeated ValueInfoProto",
        "sparse_initializer": "15 repeated SparseTensorProto",
    },
    "NodeProto": {
        "input": "1 repeated string",
        "output": "2 repeated string",
        "name": "3 string",
        "op_type": "4 string",
        "attribute": "5 repeated AttributeProto",
        "domain": "7 string",
    },
    "AttributeProto": {
        "name": "1 string",
        "i": "3 int64",
        "t": "5 TensorProto",
        "g": "6 GraphProto",
        "tensors": "10 repeated TensorProto",
        "graphs": "11 repeated GraphProto",
        "sparse_tensor": "22 SparseTensorProto",
        "sparse_tensors": "23 repeated SparseTensorProto",
    },
    "TensorProto": {
        "dims": "1 repeated int64",
        "data_type": "2 int32",
        "float_data": "4 repeated float",
        "int32_data": "5 repeated int32",
        "name": "8 string",
        "raw_data": "9 bytes",
        "external_data": "13 repeated StringStringEntryProto",
        "data_location": "14 int32",
    },
    "SparseTensorProto": {"values": "1 TensorProto", "indices": "2 TensorProto"},
    "StringStringEntryProto": {"key": "1 string", "value": "2 string"},
    "ValueInfoProto": {"name": "1 string", "type": "2 TypeProto"},
    "TypeProto": {"tensor_type": "1 TensorType"},
    "TensorType": {"elem_type": "1 int32", "shape": "2 TensorShapeProto"},
    "TensorShapeProto": {"dim": "1 repeated Dim"},
    "Dim": {"dim_value": "1 int64", "dim_param": "2 string"},
}
MESSAGES = wire.classes("zoomill.onnx", _MESSAGES)

_CONTROL_FLOW = {"If", "Loop", "Scan"}
OWN_DOMAINS = {"", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training"}
# What ONNX Runtime runs without a library of others: ONNX's own operators, and those that it adds.
_ALLOWED_DOMAINS = {*OWN_DOMAINS, "com.microsoft"}


def read(path):
    """Report an .onnx file; nodes of nested graphs and of called functions count.

    Raises:
        UserError: when it is no ONNX file, or keeps data outside its folder.
    """
    model = wire.parse(MESSAGES["ModelProto"](), path)
    if not model.HasField("graph") or not model.opset_import:
        raise UserError(f"{path}: is truncated, or is no ONNX model")
    tensors, nodes = contents(model)
    functions = {_operator(function.domain, function.name) for function in model.functions}
    operators = collections.Counter(_operator(node.domain, node.op_type) for node in nodes)
    customs = {_operator(node.domain, node.op_type) for node in nodes if node.domain not in OWN_DOMAINS}
    parameters = report.Parameters()
    for tensor in tensors:
        _require_data(path, tensor)
        parameters.add(_dtype(tensor.data_type), tensor.dims)
    graph = report.graph(
        [_signature(model.graph)],
        {name: count for name, count in operators.items() if name not in functions},
        _CONTROL_FLOW,
        (customs - functions).__contains__,
        parameters,
        _quantisation(nodes, {tensor.name: tensor for tensor in tensors}),
    )
    producer = {
        "producer": f"{model.producer_name} {model.producer_version}".strip(),
        "ir_version": model.ir_version,
        "opset": {entry.domain or "ai.onnx": entry.version for entry in model.opset_import},
    }
    files = _external_files(path, tensors)
    notes = guards.missing(files) + allowed.notes(found(model, nodes))
    return report.report("onnx", producer, [graph], notes=notes, files=guards.names_beside(path, files))


def found(model, nodes):
    """Return the operators that neither ONNX nor the model itself defines, as :class:`~.allowed.Found` entries."""
    functions = {(function.domain, function.name) for function in model.functions}
    return [
        allowed.Found(
            allowed.UNKNOWN, _operator(node.domain, node.op_type), f"the node {node.name or ', '.join(node.output)}"
        )
        for node in nodes
        if node.domain not in _ALLOWED_DOMAINS and (node.domain, node.op_type) not in functions
    ]


def external(path, tensor):
    """Return where a tensor is outside the file: path, offset and number of bytes; None where it is inside.

    Args:
        path: of the model.
        tensor: TensorProto.

    Raises:
        UserError: when it is outside the model's folder, or at a place that no file has.
    """
    if tensor.data_location != _EXTERNAL and not tensor.external_data:
        return None
    entry = {pair.key: pair.value for pair in tensor.external_data}
    file = guards.beside(path, entry.get("location", ""))
    try:
        size = report.byte_size(_dtype(tensor.data_type), tensor.dims) or 0
        offset, length = int(entry.get("offset", 0)), int(entry.get("length", size))
    except ValueError:
        offset = length = -1
    if min(offset, length) < 0 or offset + length >> 63:
        raise UserError(f"{path}: {tensor.name!r} is kept in {file.name} at a place that no file has; refused")
    return file, offset, length


def contents(model):
    """Return all constant tensors and all nodes, those of nested graphs and of functions too."""
    tensors, sparse, nodes = [], [], []
    graphs, bodies = [model.graph], [list(function.node) for function in model.functions]
    while graphs or bodies:
        if graphs:
            graph = graphs.pop()
            tensors += graph.initializer
            sparse += graph.sparse_initializer
            bodies.append(list(graph.node))
        body = bodies.pop()
        nodes += body
        for attribute in (attribute for node in body for attribute in node.attribute):
            graphs += [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]
            tensors += [*([attribute.t] if attribute.HasField("t") else []), *attribute.tensors]
            sparse += [*([attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else [])]
            sparse += attribute.sparse_tensors
    return [*tensors, *(part for one in sparse for part in (one.values, one.indices))], nodes


def _operator(domain, name):
    return name if domain in {"", "ai.onnx"} else f"{domain}.{name}"


def _dtype(code):
    return _TYPES[code] if 0 < code < len(_TYPES) else f"type{code}"


def _signature(graph):
    # Until IR version 3 the weights were listed among the inputs.
    weights = {tensor.name for tensor in graph.initializer}
    return report.signature(
        None,
        [_interface(value) for value in graph.input if value.name not in weights],
        [_interface(value) for value in graph.output],
    )


def _interface(value):
    kind = value.type.tensor_type
    shape = [dim.dim_value or -1 for dim in kind.shape.dim] if kind.HasField("shape") else None
    return report.tensor(value.name, value.name, _dtype(kind.elem_type) if kind.elem_type else None, shape)


def _require_data(path, tensor):
    """Refuse a tensor whose data are not as many as its shape needs."""
    needed = report.byte_size(_dtype(tensor.data_type), tensor.dims)
    if tensor.raw_data and needed is not None and len(tensor.raw_data) != needed:
        found = len(tensor.raw_data)
        raise UserError(f"{path}: is damaged: {tensor.name!r} has {found} bytes where its shape needs {needed}")


def _external_files(path, tensors):
    """Return the files that hold tensors of the model, each checked to be in its folder and to be long enough."""
    ends = {}
    for file, offset, length in filter(None, (external(path, tensor) for tensor in tensors)):
        ends[file] = max(ends.get(file, 0), offset + length)
    for file, end in ends.items():
        if file.exists() and file.stat().st_size < end:
            raise UserError(f"{path}: {file.name} is truncated: has {file.stat().st_size} of {end} bytes")
    return sorted(ends)


def _quantisation(nodes, constants):
    """Tell scale and zero point of every QuantizeLinear and DequantizeLinear."""
    constants = dict(constants)
    for node in nodes:
        if node.op_type == "Constant" and node.attribute and node.output:
            constants[node.output[0]] = node.attribute[0].t
    found = []
    for node in nodes:
        if node.op_type in {"QuantizeLinear", "DequantizeLinear"} and len(node.input) > 1:
            scales = _values(constants.get(node.input[1]))
            zero = constants.get(node.input[2]) if len(node.input) > 2 else None
            axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 1)
            found.append(
                {
                    "tensor": node.input[0],
                    "kind": node.op_type,
                    "dtype": _dtype(zero.data_type) if zero else None,
                    "scale": scales and [report.number(scale) for scale in scales],
                    "zero_point": _values(zero),
                    "axis": axis if scales and len(scales) > 1 else None,
                }
            )
    return found


def _values(tensor):
    """Return a constant's numbers, None where there is none or its dtype is rare."""
    codes = {"float32": "f", "float16": "e", "uint8": "B", "int8": "b", "uint16": "H", "int16": "h", "int32": "i"}
    if tensor is None or _dtype(tensor.data_type) not in codes:
        return None
    if tensor.raw_data:
        code = codes[_dtype(tensor.data_type)]
        return list(struct.unpack(f"<{len(tensor.raw_data) // struct.calcsize(code)}{code}", tensor.raw_data))
    return list(tensor.float_data or tensor.int32_data) or None
