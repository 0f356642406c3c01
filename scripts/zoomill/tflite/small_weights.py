"""Weights that ai-edge-quantizer leaves in float32, as embedding tables and slopes of PRELU: stored small all the same.

No such operator reads small weights. So DEQUANTIZE stands between, as TensorFlow's converter puts it; its kernel runs
once, as what it reads is constant.
"""

import copy

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from zoomill.tflite import tflite_file
from zoomill.tflite.tflite_ends import cast

# Dtypes, and the version of DEQUANTIZE that reads them.
_TYPES = {"float16": (schema.TensorType.FLOAT16, 3), "int8": (schema.TensorType.INT8, 2)}


def store(model, dtype):
    """Store all weights that are still float32 as float16, or as int8 with one scale each.

    Args:
        model: ``ModelT`` of :mod:`zoomill.tflite.tflite_file`, changed in place.
        dtype: ``float16`` or ``int8``.
    """
    kind, version = _TYPES[dtype]
    left = [one for one in tflite_file.weights(model) if one[1].type == schema.TensorType.FLOAT32]
    if not left:
        return
    code = tflite_file.add_operator_code(model, schema.BuiltinOperator.DEQUANTIZE, version)
    for graph, tensor in left:
        numbers = tflite_file.constant(model, tensor)
        twin, index = copy.deepcopy(tensor), next(i for i, one in enumerate(graph.tensors) if one is tensor)
        twin.name, twin.type, twin.buffer = tensor.name + f"_{dtype}".encode(), kind, len(model.buffers)
        if dtype == "int8":
            scale = np.float32(max(np.abs(numbers).max(), np.finfo(np.float32).tiny) / 127)
            numbers = np.rint(numbers / scale)
            twin.quantization = schema.QuantizationParametersT()
            twin.quantization.scale, twin.quantization.zeroPoint = np.array([scale]), np.zeros(1, np.int64)
        model.buffers.append(schema.BufferT())
        model.buffers[-1].data = np.frombuffer(numbers.astype(dtype).tobytes(), np.uint8)
        graph.tensors.append(twin)
        graph.operators.insert(0, cast(code, "DEQUANTIZE", len(graph.tensors) - 1, index))
        tensor.buffer = 0
    holders = [*(tensor for graph in model.subgraphs for tensor in graph.tensors), *(model.metadata or [])]
    used = sorted({0, *(one.buffer for one in holders)})
    model.buffers = [model.buffers[place] for place in used]
    for one in holders:
        one.buffer = used.index(one.buffer)
