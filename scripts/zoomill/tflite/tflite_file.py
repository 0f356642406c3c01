"""Reading, editing and writing .tflite files as flatbuffers, and what can be said about them."""

import collections
import struct

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from zoomill.detection.postprocess import OP, Options
from zoomill.errors import UserError

SIGNATURE = "serving_default"
# Which inputs of an operator are activation, weights and bias.
BIASED = {
    "CONV_2D": (0, 1, 2),
    "DEPTHWISE_CONV_2D": (0, 1, 2),
    "FULLY_CONNECTED": (0, 1, 2),
    "TRANSPOSE_CONV": (2, 1, 3),
}
_BUILTINS = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
BUILTIN_NAMES = frozenset(_BUILTINS.values())
_FLOATS = (schema.TensorType.FLOAT16, schema.TensorType.FLOAT32, schema.TensorType.FLOAT64)
_BIASES = (schema.TensorType.INT32, schema.TensorType.INT64)
_TYPES = {code: name.lower() for name, code in vars(schema.TensorType).items() if not name.startswith("_")}


def read(path):
    """Return the file as a ``ModelT`` object tree whose buffers are uint8 arrays inside the tables.

    Raises:
        UserError: when the file is no TFLite flatbuffer.
    """
    with open(path, "rb") as file:
        return parse(file.read(), path)


def parse(data, path):
    """Return the ``ModelT`` of a file's content; as :func:`read`, which names ``path`` in errors."""
    if data[4:8] != b"TFL3":
        raise UserError(f"{path}: is no TFLite file")
    try:
        model = flatbuffer_utils.read_model_from_bytearray(bytearray(data))
    except (struct.error, IndexError, TypeError, ValueError) as error:
        raise UserError(f"{path}: is a damaged TFLite file: {error}") from error
    for buffer in model.buffers:
        if buffer.data is not None and not isinstance(buffer.data, np.ndarray):
            buffer.data = np.frombuffer(bytes(buffer.data), np.uint8)
    return model


def serialise(model):
    """Return the file's bytes; the same model always gives the same bytes."""
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def operator_name(model, operator):
    """Return ``CONV_2D``, ``TFLite_Detection_PostProcess`` …."""
    code = model.operatorCodes[operator.opcodeIndex]
    builtin = max(code.builtinCode, code.deprecatedBuiltinCode)
    return code.customCode.decode() if builtin == schema.BuiltinOperator.CUSTOM else _BUILTINS[builtin]


def operator_title(model, place):
    """Return ``CONV_2D 7 (the tensor that it makes)`` of an operator of the first subgraph, counted from 1."""
    operator = model.subgraphs[0].operators[place - 1]
    tensor = model.subgraphs[0].tensors[int(operator.outputs[0])]
    return f"{operator_name(model, operator)} {place} ({tensor.name.decode().split(';')[0]})"


def operators(model):
    """Return ``{operator name: count}`` over all subgraphs."""
    return dict(
        collections.Counter(operator_name(model, operator) for graph in model.subgraphs for operator in graph.operators)
    )


def is_quantised(tensor):
    """Tell whether a tensor's numbers stand for real ones by scale and zero point."""
    scale = None if tensor.quantization is None else tensor.quantization.scale
    return tensor.type not in _FLOATS and scale is not None and len(scale) > 0


def quantised_types(model):
    """Return the names of the types of all quantised tensors but biases, sorted."""
    tensors = [tensor for graph in model.subgraphs for tensor in graph.tensors if is_quantised(tensor)]
    return sorted({_TYPES[tensor.type] for tensor in tensors if tensor.type not in _BIASES})


def add_operator_code(model, builtin, version=1):
    """Add an operator of TFLite to those that a file uses and return its index."""
    code = schema.OperatorCodeT()
    code.builtinCode, code.deprecatedBuiltinCode, code.version = builtin, min(builtin, 127), version
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


def takes_floats_for_integers(model, operator):
    """Tell whether an operator reads a float activation and gives quantised values, as QUANTIZE alone may."""
    graph = model.subgraphs[0]
    first = next((int(index) for index in operator.inputs if index >= 0), None)
    return (
        operator_name(model, operator) != "QUANTIZE"
        and first is not None
        and graph.tensors[first].type == schema.TensorType.FLOAT32
        and any(is_quantised(graph.tensors[index]) for index in operator.outputs)
    )


def describe(model):
    """Return converter, operators, and name, dtype and shape of the inputs and outputs, as JSON values."""
    graph = model.subgraphs[0]

    def tensors(indices):
        return [
            {
                "name": graph.tensors[index].name.decode(),
                "dtype": _TYPES[graph.tensors[index].type],
                "shape": [int(size) for size in _shape(graph.tensors[index])],
            }
            for index in indices
        ]

    return {
        "converter": (model.description or b"").decode(),
        "operators": operators(model),
        "inputs": tensors(graph.inputs),
        "outputs": tensors(graph.outputs),
    }


def constant(model, tensor):
    """Return the stored numbers of a constant tensor, in its dtype and shape; none for one without values."""
    data = model.buffers[tensor.buffer].data
    if tensor.type == schema.TensorType.INT4:
        stored = _halves(data, np.prod(_shape(tensor)))
    else:
        dtype = np.dtype(_TYPES[tensor.type]).newbyteorder("<")
        stored = np.frombuffer(b"" if data is None else bytes(data), dtype)
    return stored.reshape(_shape(tensor)) if stored.size == np.prod(_shape(tensor)) else stored


def _halves(data, count):
    """Return the numbers of four bits in bytes, the lower half of each first, as int8."""
    both = np.frombuffer(b"" if data is None else bytes(data), np.int8)
    return np.stack([both << 4 >> 4, both >> 4], axis=-1).reshape(-1)[:count]


def steps(tensor, shape):
    """Return the scale of a quantised tensor, one number or as many as broadcast to ``shape``."""
    return along(tensor, np.asarray(tensor.quantization.scale, np.float64), shape)


def real(tensor, stored):
    """Return the real numbers, float64, that the stored ones of a tensor stand for."""
    values = stored.astype(np.float64)
    if not is_quantised(tensor):
        return values
    return steps(tensor, stored.shape) * (values - along(tensor, zero_points(tensor), stored.shape))


def zero_points(tensor):
    """Return the zero point of each scale of a quantised tensor, int64 ``[scales]``; 0 where the file has none."""
    points, count = tensor.quantization.zeroPoint, len(tensor.quantization.scale)
    return np.asarray(points, np.int64) if points is not None and len(points) else np.zeros(count, np.int64)


def ends(tensor):
    """Return the smallest and the largest real number that a quantised activation can be."""
    limits = np.iinfo(_TYPES[tensor.type])
    scale, zero_point = float(tensor.quantization.scale[0]), int(tensor.quantization.zeroPoint[0])
    return scale * (limits.min - zero_point), scale * (limits.max - zero_point)


def along(tensor, numbers, shape):
    """Return the numbers of channels so that they broadcast along a tensor's quantised dimension to ``shape``."""
    if numbers.size == 1:
        return numbers.reshape(())
    if len(shape) == 1:
        return numbers  # along its only dimension: some converters wrote that of the weights beside a bias
    sizes = [1] * len(shape)
    sizes[tensor.quantization.quantizedDimension] = -1
    return numbers.reshape(sizes)


def plain(value):
    """Turn an object of the flatbuffer schema into JSON values."""
    if hasattr(value, "__dict__"):
        return {key: plain(item) for key, item in vars(value).items()}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def weights(model):
    """Return ``(subgraph, tensor)`` of all weights of more than 1024 elements but anchors and biases (one axis)."""
    return [
        (graph, tensor)
        for graph in model.subgraphs
        for tensor in graph.tensors
        if model.buffers[tensor.buffer].data is not None
        and len(_shape(tensor)) > 1
        and np.prod(_shape(tensor)) > 1024
        and tensor.name != b"anchors"
    ]


def weight_dtypes(model):
    """Return ``{dtype: [operator and tensor, …]}`` of all :func:`weights`, by who reads them first."""
    found = {}
    for graph, tensor in weights(model):
        index = next(place for place, one in enumerate(graph.tensors) if one is tensor)
        readers = (operator_name(model, operator) for operator in graph.operators if index in operator.inputs)
        phrase = f"{next(readers, 'nothing')} reads {tensor.name.decode()}"
        found.setdefault(_TYPES[tensor.type], []).append(phrase)
    return found


def float_operators(model):
    """Return ``{operator name: count}`` of what computes in float in a file whose activations are integers, else none.

    TFLite_Detection_PostProcess, which has no integers, does not count.
    """
    ends = [
        (operator_name(model, operator), [graph.tensors[int(index)] for index in operator.outputs])
        for graph in model.subgraphs
        for operator in graph.operators
    ]
    if not any(map(is_quantised, (tensor for _, tensors in ends for tensor in tensors))):
        return {}
    names = [name for name, tensors in ends if any(tensor.type == schema.TensorType.FLOAT32 for tensor in tensors)]
    return dict(sorted(collections.Counter(name for name in names if name not in ("DEQUANTIZE", OP)).items()))


def postprocess_options(model):
    """Return the :class:`~zoomill.detection.postprocess.Options` in the file, or None where it has no such op."""
    for operator in model.subgraphs[0].operators:
        if operator_name(model, operator) == OP:
            return Options.from_custom_options(bytes(operator.customOptions))
    return None


def append_postprocess(model, anchors, options):
    """Graft TFLite_Detection_PostProcess onto a model that ends at its two raw heads.

    Args:
        model: ``ModelT``, changed in place.
        anchors: float32 ``[anchors, 4]``: ycenter, xcenter, height, width.
        options: :class:`~zoomill.detection.postprocess.Options`.
    """
    graph = model.subgraphs[0]
    model.buffers.append(schema.BufferT())
    model.buffers[-1].data = np.frombuffer(anchors.astype("<f4").tobytes(), np.uint8)
    anchor_tensor = _add_tensor(graph, "anchors", list(anchors.shape), len(model.buffers) - 1)
    outputs = [_add_tensor(graph, f"{OP}:{index}" if index else OP, [], 0) for index in range(4)]

    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode, code.version = OP.encode(), 1
    model.operatorCodes.append(code)

    operator = schema.OperatorT()
    operator.opcodeIndex = len(model.operatorCodes) - 1
    operator.inputs = [*(int(index) for index in graph.outputs), anchor_tensor]
    operator.outputs = outputs
    operator.customOptions = list(options.to_custom_options())
    graph.operators.append(operator)
    graph.outputs = outputs


def canonicalise(model):
    """Write custom options with sorted keys: TOCO leaves them in the order of a hash map."""
    for operator in model.subgraphs[0].operators:
        if operator_name(model, operator) == OP:
            from flatbuffers import flexbuffers

            stored = flexbuffers.Loads(bytes(operator.customOptions))
            operator.customOptions = list(flexbuffers.Dumps(dict(sorted(stored.items()))))


def simplify_names(model):
    """Give every tensor one readable name: the MLIR converter joins those of all fused nodes by semicolons."""
    taken = set()
    for tensor in model.subgraphs[0].tensors:
        name = base = tensor.name.decode().split(";")[0]
        suffix = 0
        while name in taken:
            suffix += 1
            name = f"{base}_{suffix}"
        taken.add(name)
        tensor.name = name.encode()


def set_signature(model, contract):
    """Replace the file's signatures by the contract's one, and name the tensors as the contract does.

    Raises:
        UserError: when the file's inputs or outputs are not as many as the contract's.
    """
    graph = model.subgraphs[0]
    signature = schema.SignatureDefT()
    signature.signatureKey = SIGNATURE.encode()
    signature.subgraphIndex = 0
    signature.inputs = _tensor_map(graph, graph.inputs, contract["inputs"])
    signature.outputs = _tensor_map(graph, graph.outputs, contract["outputs"])
    model.signatureDefs = [signature]


def _tensor_map(graph, indices, promised):
    if len(indices) != len(promised):
        raise UserError(f"the file has {len(indices)} inputs or outputs where the contract has {len(promised)}")
    result = []
    for index, promise in zip(indices, promised, strict=True):
        name = promise["tensor"].encode()
        for position, tensor in enumerate(graph.tensors):
            if tensor.name == name and position != index:
                tensor.name += b"_quantized"
        graph.tensors[index].name = name
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = promise["name"].encode(), int(index)
        result.append(entry)
    return result


def _add_tensor(graph, name, shape, buffer):
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.buffer = name.encode(), shape, buffer
    tensor.type = schema.TensorType.FLOAT32
    tensor.quantization = schema.QuantizationParametersT()
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def _shape(tensor):
    return [] if tensor.shape is None else tensor.shape
