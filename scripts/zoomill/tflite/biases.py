"""Biases that ai-edge-quantizer cuts at the ends of 32 bits: those of nearly dead channels.

A bias is stored in steps of activation by weight. Where the weights of a channel are next to nothing, so is their
scale, and the bias has more steps than 32 bits can count.
"""

import numpy as np

from zoomill.tflite import tflite_file

# The middle half of 32 bits: the rest is left to the products that are added to a bias. TFLite's own converter widens
# scales until then, too (AdjustWeightsForBiasScale in tensorflow/lite/tools/optimize/quantization_utils.cc).
_MOST = 2.0**30


def restore(model, exact):
    """Write int64 biases anew.

    Args:
        model: ``ModelT`` of int16x8, changed in place.
        exact: ``ModelT`` of the float file.
    """
    floats = _floats(exact)
    for tensor in model.subgraphs[0].tensors:
        stored = tflite_file.constant(model, tensor)
        if stored.dtype == np.int64 and tflite_file.is_quantised(tensor) and (cut := _cut(stored)).any():
            whole = np.rint(floats[tensor.name] / tflite_file.steps(tensor, stored.shape)).astype(np.int64)
            _store(model, tensor, np.where(cut, whole, stored))


def widen(model, exact):
    """Give the weights of channels with a cut int32 bias a larger scale, by which it fits; no other channel changes.

    Args:
        model: ``ModelT`` with int8 weights, changed in place.
        exact: ``ModelT`` of the float file.
    """
    floats, graph = _floats(exact), model.subgraphs[0]
    for operator in graph.operators:
        places = tflite_file.BIASED.get(tflite_file.operator_name(model, operator), ())
        if not places or len(operator.inputs) <= places[-1] or operator.inputs[places[-1]] < 0:
            continue
        tensors = [graph.tensors[int(operator.inputs[place])] for place in places]
        stored = tflite_file.constant(model, tensors[-1])
        if stored.dtype == np.int32 and tflite_file.is_quantised(tensors[-1]) and (cut := _cut(stored)).any():
            _widen(model, floats, tensors, cut)


def _widen(model, floats, tensors, cut):
    """Change the scales of some channels, and the weights and biases that are stored by them.

    Args:
        model: ``ModelT``, changed in place.
        floats: see :func:`_floats`.
        tensors: activation, weights and bias.
        cut: bool ``[channels]``.
    """
    activation, weights, bias = tensors
    step = np.float64(activation.quantization.scale[0])
    scales, wanted = np.asarray(weights.quantization.scale, np.float64), np.abs(floats[bias.name]) / step / _MOST
    if scales.size == 1:  # for all channels
        cut, wanted = np.ones(1, bool), wanted.max(keepdims=True)
    scales = np.where(cut, np.maximum(scales, wanted), scales)
    for tensor, found in ((weights, scales), (bias, step * scales)):
        tensor.quantization.scale = np.where(cut, found, tensor.quantization.scale).astype(np.float32)
        stored = tflite_file.constant(model, tensor)
        anew = np.rint(floats[tensor.name] / tflite_file.steps(tensor, stored.shape))
        changed = tflite_file.along(tensor, cut, stored.shape)
        _store(model, tensor, np.where(changed, anew, stored).astype(stored.dtype))


def _floats(exact):
    """Return ``{name: float32 array}`` of the constants of a float file."""
    tensors = [tensor for tensor in exact.subgraphs[0].tensors if exact.buffers[tensor.buffer].data is not None]
    return {tensor.name: tflite_file.constant(exact, tensor) for tensor in tensors}


def _cut(stored):
    return np.abs(stored.astype(np.float64)) >= np.iinfo(np.int32).max


def _store(model, tensor, numbers):
    data = numbers.astype(numbers.dtype.newbyteorder("<")).tobytes()
    model.buffers[tensor.buffer].data = np.frombuffer(data, np.uint8)
