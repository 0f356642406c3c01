"""TensorFlow graphs: the messages of a GraphDef, and what can be said about one without running it."""

import collections
import struct

from zoomill.inspect import graph_walk, report, wire
from zoomill.inspect.graph_walk import producer
from zoomill.inspect.tensorflow_ops import is_custom

_TEXT = (
    "INVALID FLOAT DOUBLE INT32 UINT8 INT16 INT8 STRING COMPLEX64 INT64 BOOL QINT8 QUINT8 QINT32 BFLOAT16 QINT16 "
    "QUINT16 UINT16 COMPLEX128 HALF RESOURCE VARIANT UINT32 UINT64 FLOAT8_E5M2 FLOAT8_E4M3FN FLOAT8_E4M3FNUZ "
    "FLOAT8_E4M3B11FNUZ FLOAT8_E5M2FNUZ INT4 UINT4 INT2 UINT2 FLOAT4_E2M1FN"
)
_TYPES = _TEXT.split()
_DTYPES = [{"FLOAT": "float32", "DOUBLE": "float64", "HALF": "float16"}.get(name, name.lower()) for name in _TYPES]
_REFERENCE = 100
_ENUM = {f"DT_{name}": code for code, name in enumerate(_TYPES)}
_ENUM |= {f"{name}_REF": code + _REFERENCE for name, code in _ENUM.items() if code}

# Field numbers of tensorflow/core/framework/*.proto and tensorflow/core/protobuf/{meta_graph,saved_model}.proto.
_MESSAGES = {
    "SavedModel": {"saved_model_schema_version": "1 int64", "meta_graphs": "2 repeated MetaGraphDef"},
    "MetaGraphDef": {
        "meta_info_def": "1 MetaInfoDef",
        "graph_def": "2 GraphDef",
        "saver_def": "3 SaverDef",
        "collection_def": "4 map CollectionDef",
        "signature_def": "5 map SignatureDef",
        "asset_file_def": "6 repeated AssetFileDef",
        "object_graph_def": "7 SavedObjectGraph",
    },
    "SaverDef": {"filename_tensor_name": "1 string", "restore_op_name": "3 string"},
    "CollectionDef": {"node_list": "1 NodeList", "bytes_list": "2 BytesList", "any_list": "5 AnyList"},
    "NodeList": {"value": "1 repeated string"},
    "BytesList": {"value": "1 repeated bytes"},
    "AnyList": {"value": "1 repeated Any"},
    "Any": {"value": "2 bytes"},
    "VariableDef": {
        "variable_name": "1 string",
        "initializer_name": "2 string",
        "snapshot_name": "3 string",
        "initial_value_name": "6 string",
    },
    "AssetFileDef": {"tensor_info": "1 TensorInfo", "filename": "2 string"},
    "SavedObjectGraph": {"nodes": "1 repeated SavedObject", "concrete_functions": "2 map SavedConcreteFunction"},
    "SavedObject": {"asset": "5 SavedAsset"},
    "SavedAsset": {"asset_file_def_index": "1 int32"},
    "SavedConcreteFunction": {"bound_inputs": "2 repeated int32"},
    "MetaInfoDef": {"tags": "4 repeated string", "tensorflow_version": "5 string"},
    "SignatureDef": {"inputs": "1 map TensorInfo", "outputs": "2 map TensorInfo"},
    "TensorInfo": {
        "name": "1 string",
        "dtype": "2 DataType",
        "tensor_shape": "3 TensorShapeProto",
        "coo_sparse": "4 CooSparse",
        "composite_tensor": "5 CompositeTensor",
    },
    "CooSparse": {
        "values_tensor_name": "1 string",
        "indices_tensor_name": "2 string",
        "dense_shape_tensor_name": "3 string",
    },
    "CompositeTensor": {"components": "2 repeated TensorInfo"},
    "GraphDef": {"node": "1 repeated NodeDef", "library": "2 FunctionDefLibrary", "versions": "4 VersionDef"},
    "VersionDef": {"producer": "1 int32", "min_consumer": "2 int32"},
    "FunctionDefLibrary": {
        "function": "1 repeated FunctionDef",
        "gradient": "2 repeated GradientDef",
        "registered_gradients": "3 repeated RegisteredGradient",
    },
    "GradientDef": {"function_name": "1 string", "gradient_func": "2 string"},
    "RegisteredGradient": {"gradient_func": "1 string", "registered_op_type": "2 string"},
    "FunctionDef": {"signature": "1 OpDef", "node_def": "3 repeated NodeDef"},
    "OpDef": {"name": "1 string", "input_arg": "2 repeated ArgDef"},
    "ArgDef": {"name": "1 string"},
    "NodeDef": {"name": "1 string", "op": "2 string", "input": "3 repeated string", "attr": "5 map AttrValue"},
    "AttrValue": {
        "list": "1 ListValue",
        "s": "2 bytes",
        "i": "3 int64",
        "f": "4 float",
        "b": "5 bool",
        "type": "6 DataType",
        "shape": "7 TensorShapeProto",
        "tensor": "8 TensorProto",
        "func": "10 NameAttrList",
    },
    "ListValue": {
        "type": "6 repeated DataType",
        "shape": "7 repeated TensorShapeProto",
        "func": "9 repeated NameAttrList",
    },
    "NameAttrList": {"name": "1 string", "attr": "2 map AttrValue"},
    "TensorProto": {
        "dtype": "1 DataType",
        "tensor_shape": "2 TensorShapeProto",
        "tensor_content": "4 bytes",
        "float_val": "5 repeated float",
    },
    "TensorShapeProto": {"dim": "2 repeated Dim", "unknown_rank": "3 bool"},
    "Dim": {"size": "1 int64"},
    "BundleHeaderProto": {"num_shards": "1 int32"},
    "BundleEntryProto": {
        "dtype": "1 DataType",
        "shape": "2 TensorShapeProto",
        "shard_id": "3 int32",
        "offset": "4 int64",
        "size": "5 int64",
    },
}
MESSAGES = wire.classes("zoomill.tensorflow", _MESSAGES, {"DataType": _ENUM})

_CONTROL_FLOW = {"LoopCond", "If", "StatelessIf", "While", "StatelessWhile", "Case", "StatelessCase", "For"}
_CONTROL_FLOW |= {f"{ref}{op}" for op in ("Switch", "Merge", "Enter", "Exit", "NextIteration") for ref in ("", "Ref")}
VARIABLES = {"VarHandleOp", "Variable", "VariableV2"}
_PLACEHOLDERS = {"Placeholder", "PlaceholderV2"}
_NO_OUTPUTS = {"Const", "NoOp", "Assert", "PlaceholderWithDefault"} | _PLACEHOLDERS
# Operators whose attribute T is the type of their input, and the type of their output where no attribute tells it.
_COMPARISONS = ["Greater", "GreaterEqual", "Less", "LessEqual", "Equal", "NotEqual", "IsNan", "IsInf", "IsFinite"]
_OUTPUT_TYPES = dict.fromkeys(_COMPARISONS, "bool") | {
    "Shape": "int32",
    "Size": "int32",
    "Rank": "int32",
    "ArgMax": "int64",
    "ArgMin": "int64",
    "Where": "int64",
}
_OUTPUT_TYPES |= {"Dequantize": "float32", "NonMaxSuppressionV3": "int32", "NonMaxSuppressionV2": "int32"}


def dtype(code):
    """Return NumPy's name of a DataType; None for DT_INVALID and types of the future."""
    code %= _REFERENCE
    return _DTYPES[code] if 0 < code < len(_DTYPES) else None


def sizes(shape):
    """Return a TensorShapeProto as a list, None where the rank is unknown."""
    return None if shape.unknown_rank else [dim.size for dim in shape.dim]


def describe(graph_def, signature_defs, name="", parameters=None):
    """Return a report's graph.

    Args:
        graph_def: GraphDef.
        signature_defs: ``{name: SignatureDef}``; where it is empty, inputs and outputs are told from the nodes.
            Nodes that no output needs do not count, unless no output can be told.
        name: the report's name of this graph.
        parameters: :class:`~zoomill.inspect.report.Parameters` that are stored elsewhere, instead of the constants.

    Raises:
        ValueError: when a node or signature reads a node that is not there.
    """
    nodes = {node.name: node for node in graph_def.node}
    for node in graph_def.node:
        for source in node.input:
            if producer(source) not in nodes:
                raise ValueError(f"node {node.name!r} reads {source!r}, which is not there")
    if signature_defs:
        signatures = [_signature(key, signature_defs[key]) for key in sorted(signature_defs)]
    else:
        signatures = [_told_from_nodes(nodes)]
    outputs = [producer(end) for end in ends({"signatures": signatures})]
    for end in outputs:
        if end not in nodes:
            raise ValueError(f"a signature reads {end!r}, which is not there")
    functions = graph_walk.functions_of(graph_def)
    bodies = _used(nodes, functions, outputs or nodes)
    used = [node for body in bodies for node in body]
    return report.graph(
        signatures,
        collections.Counter(node.op for node in used if node.op not in functions),
        _CONTROL_FLOW,
        is_custom,
        parameters or _parameters(used),
        [entry for body in bodies for entry in _fake_quantisation(body)],
        name,
    )


def ends(one):
    """Return the tensors of all outputs in a report's graph."""
    return [end for entry in one["signatures"] for item in entry["outputs"] for end in item["tensor"].split(", ")]


def _signature(name, definition):
    def side(infos):
        return [_info(key, infos[key]) for key in sorted(infos)]

    return report.signature(name, side(definition.inputs), side(definition.outputs))


def _info(key, info):
    return report.tensor(key, ", ".join(_places(info)), dtype(info.dtype), sizes(info.tensor_shape))


def _places(info):
    if info.HasField("coo_sparse"):
        parts = info.coo_sparse
        return [parts.indices_tensor_name, parts.values_tensor_name, parts.dense_shape_tensor_name]
    components = [place for part in info.composite_tensor.components for place in _places(part)]
    return components or [info.name]


def _told_from_nodes(nodes):
    """Take every placeholder as an input, and as outputs the nodes nobody reads, without what is left over.

    Left over are nodes that no input reaches. In a graph that still has its variables, training and saving leave
    more ends behind; the outputs are then the Identity nodes, if any end is one, and none can be told where there is
    no placeholder.
    """
    inputs = [node for node in nodes.values() if node.op in _PLACEHOLDERS]
    readers = collections.defaultdict(list)
    for node in nodes.values():
        for source in node.input:
            readers[producer(source)].append(node.name)
    reached = graph_walk.closure([node.name for node in inputs] or nodes, lambda name: readers[name])
    ends = [node for name, node in nodes.items() if not readers[name] and node.op not in _NO_OUTPUTS]
    ends = [node for node in ends if node.name in reached]
    if any(node.op in VARIABLES for node in nodes.values()):
        ends = [node for node in ends if node.op == "Identity"] or ends if inputs else []
    return report.signature(
        None,
        [
            report.tensor(node.name, f"{node.name}:0", dtype(node.attr["dtype"].type), _attribute_shape(node, "shape"))
            for node in inputs
        ],
        [item for node in ends for item in _outputs(node)],
    )


def _attribute_shape(node, name):
    return sizes(node.attr[name].shape) if name in node.attr else None


def _outputs(node):
    """Return a node's outputs: as many as its attributes tell, else one."""
    told = next((node.attr[key].list.type for key in ("_output_types", "Tout") if key in node.attr), [])
    dtypes = [dtype(code) for code in told] or [_output_dtype(node)]
    shapes = [sizes(shape) for shape in node.attr["_output_shapes"].list.shape] if "_output_shapes" in node.attr else []
    shapes += [None] * len(dtypes)
    return [
        report.tensor(f"{node.name}:{index}" if index else node.name, f"{node.name}:{index}", kind, shape)
        for index, (kind, shape) in enumerate(zip(dtypes, shapes, strict=False))
    ]


def _output_dtype(node):
    explicit = [dtype(node.attr[key].type) for key in ("DstT", "dtype", "out_type", "output_type") if key in node.attr]
    if explicit or node.op in _OUTPUT_TYPES:
        return (explicit or [_OUTPUT_TYPES[node.op]])[0]
    return dtype(node.attr["T"].type) if "T" in node.attr else None


def _used(nodes, functions, ends):
    """Return lists of nodes: those that ``ends`` need, and the body of each function that is called."""
    used = [nodes[name] for name in graph_walk.closure(ends, lambda name: map(producer, nodes[name].input))]
    called = graph_walk.closure(
        graph_walk.calls(used, functions), lambda name: graph_walk.calls(functions[name], functions)
    )
    return [used, *(functions[name] for name in called)]


def _parameters(used):
    parameters = report.Parameters()
    for node in used:
        if node.op == "Const":
            value = node.attr["value"].tensor
            parameters.add(dtype(value.dtype) or "unknown", sizes(value.tensor_shape) or [])
        elif node.op in VARIABLES:
            parameters.add(dtype(node.attr["dtype"].type) or "unknown", _attribute_shape(node, "shape") or [])
    return parameters


def _fake_quantisation(body):
    nodes, found = {node.name: node for node in body}, []
    for node in body:
        if not node.op.startswith(("FakeQuantWithMinMax", "QuantizeAndDequantize")) or "Grad" in node.op:
            continue
        low, high = ([node.attr[key].f] if key in node.attr else None for key in ("min", "max"))
        if not node.op.startswith("FakeQuantWithMinMaxArgs") and len(node.input) > 2:
            low, high = (_constant(nodes, source) for source in node.input[1:3])
        found.append(
            {
                "tensor": node.name,
                "kind": node.op,
                "bits": node.attr["num_bits"].i if "num_bits" in node.attr else 8,
                "narrow_range": node.attr["narrow_range"].b if "narrow_range" in node.attr else False,
                "min": low and [report.number(value) for value in low],
                "max": high and [report.number(value) for value in high],
            }
        )
    return found


def _constant(nodes, source):
    """Return the float32 values of a constant, read directly or through an Identity; else None."""
    node = nodes.get(producer(source))
    if node is not None and node.op == "Identity":
        node = nodes.get(producer(node.input[0]))
    if node is None or node.op != "Const":
        return None
    value = node.attr["value"].tensor
    if value.tensor_content:
        return list(struct.unpack(f"<{len(value.tensor_content) // 4}f", value.tensor_content))
    return list(value.float_val) or None
