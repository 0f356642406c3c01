"""Integer .tflite files as floating-point ones of the same numbers: what they compute without their own rounding."""

import copy

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from zoomill.errors import UserError
from zoomill.tflite import tflite_file

# What stands for real numbers by scale and zero point, and how it is stored; float16 does without both.
_STORED = {
    schema.TensorType.INT8: np.int8,
    schema.TensorType.UINT8: np.uint8,
    schema.TensorType.INT16: np.int16,
    schema.TensorType.INT32: np.int32,
    schema.TensorType.INT64: np.int64,
    schema.TensorType.FLOAT16: np.float16,
}
# Operators whose results may lie on both sides of the range in which they are stored.
_CUTTING = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "SUB", "MUL", "DIV")
_NONE, _RELU, _RELU6 = (getattr(schema.ActivationFunctionType, name) for name in ("NONE", "RELU", "RELU6"))
_OPERATORS = {_RELU: schema.BuiltinOperator.RELU, _RELU6: schema.BuiltinOperator.RELU6}


def float_copy(model, path):
    """Return a file's model with real numbers in place of the integers that stand for them.

    Constants become what they stand for, activations float32. QUANTIZE and DEQUANTIZE hand on what they get. An
    activation function that only the range of an integer tensor tells of is written out: what starts at 0 is a ReLU,
    0 to 6 a ReLU6. Any other end of a range comes from calibration, so that cutting there is part of the rounding.

    Args:
        model: ``ModelT`` of :mod:`zoomill.tflite.tflite_file`; is not changed.
        path: file name for messages.

    Returns:
        ``ModelT`` with the same tensors in the same order.

    Raises:
        UserError: when integers are stored in a form that is not known.
    """
    result = copy.deepcopy(model)
    for graph in result.subgraphs:
        for operator in graph.operators:
            _write_out_activation(result, graph, operator)
            if hasattr(operator.builtinOptions, "asymmetricQuantizeInputs"):
                operator.builtinOptions.asymmetricQuantizeInputs = False  # of floats that are rounded as it runs
        for tensor in graph.tensors:
            _make_real(result, tensor, path)
        graph.operators = [operator for operator in graph.operators if not _folded(result, graph, operator)]
    return result


def _write_out_activation(model, graph, operator):
    """Give an operator the activation function that the range of its integer output implies, if any."""
    name = tflite_file.operator_name(model, operator)
    if name == "QUANTIZE":
        before, after = (graph.tensors[int(side[0])] for side in (operator.inputs, operator.outputs))
        implied = implied_activation(after)
        if tflite_file.is_quantised(before) and implied not in (_NONE, implied_activation(before)):
            operator.opcodeIndex = tflite_file.add_operator_code(model, _OPERATORS[implied])
            operator.builtinOptions, operator.builtinOptionsType = None, schema.BuiltinOptions.NONE
    elif name in _CUTTING and operator.builtinOptions and operator.builtinOptions.fusedActivationFunction == _NONE:
        operator.builtinOptions.fusedActivationFunction = implied_activation(graph.tensors[int(operator.outputs[0])])


def implied_activation(tensor):
    """Return the ``ActivationFunctionType`` that cuts where the range of a quantised tensor does, NONE without one."""
    if not tflite_file.is_quantised(tensor) or len(tensor.quantization.scale) > 1:
        return _NONE
    ends = np.iinfo(_STORED[tensor.type])
    scale, zero_point = float(tensor.quantization.scale[0]), int(tflite_file.zero_points(tensor)[0])
    if zero_point != ends.min:
        return _NONE
    return _RELU6 if abs(scale * (ends.max - ends.min) - 6) < scale / 2 else _RELU


def _make_real(model, tensor, path):
    """Let a tensor hold the float32 numbers that it stands for."""
    quantised = tflite_file.is_quantised(tensor)
    if not quantised and tensor.type != schema.TensorType.FLOAT16:
        return
    blockwise = quantised and tensor.quantization.details is not None
    if tensor.type not in _STORED or blockwise or tensor.sparsity is not None:
        raise UserError(f"{path}: how {tensor.name.decode()} is quantised is not known")
    stored = tflite_file.constant(model, tensor)
    if stored.size:
        real = tflite_file.real(tensor, stored)
        tensor.buffer = len(model.buffers)  # others may share the old one
        model.buffers.append(schema.BufferT())
        model.buffers[-1].data = np.frombuffer(real.astype("<f4").tobytes(), np.uint8)
    tensor.type, tensor.quantization = schema.TensorType.FLOAT32, None


def _folded(model, graph, operator):
    """Let QUANTIZE and DEQUANTIZE hand on floats; return whether nothing is left to do at run time."""
    if tflite_file.operator_name(model, operator) not in ("QUANTIZE", "DEQUANTIZE"):
        return False
    before, after = (graph.tensors[int(side[0])] for side in (operator.inputs, operator.outputs))
    if model.buffers[before.buffer].data is not None and len(model.buffers[before.buffer].data):
        after.buffer = before.buffer
        return True
    operator.opcodeIndex = tflite_file.add_operator_code(model, schema.BuiltinOperator.CAST)
    operator.builtinOptions, operator.builtinOptionsType = schema.CastOptionsT(), schema.BuiltinOptions.CastOptions
    return False
