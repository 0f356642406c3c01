"""Wrong .tflite files."""

import dataclasses

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mutants import weights
from zoomill.tflite import metadata, runtime, tflite_file

# Of operators with weights: the axes of the kernel, and the places of kernel and bias among the inputs.
_LAYERS = {
    "CONV_2D": ("OHWI", 1, 2),
    "DEPTHWISE_CONV_2D": ("1HWO", 1, 2),
    "FULLY_CONNECTED": ("OI", 1, 2),
    "TRANSPOSE_CONV": ("OHWI", 1, 3),
    "CONV_3D": ("DHWIO", 1, 2),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": ("OI", 3, 14),
}
# Operators without which a file has the same interface, but which change no number.
_CARRIERS = {"QUANTIZE", "DEQUANTIZE", "RESHAPE", "SQUEEZE", "EXPAND_DIMS"}
_INTEGERS = (schema.TensorType.INT8, schema.TensorType.UINT8, schema.TensorType.INT16)


class Network:
    """A .tflite file as layers; see :mod:`mutants.weights`."""

    def __init__(self, path, contract):
        self.model, self._contract = tflite_file.read(path), contract
        self.graph = self.model.subgraphs[0]
        self.colours, self._alike = weights.coloured(contract), weights.alike(contract)
        self._numbers = {}
        self._casts = {
            int(operator.outputs[0]): int(operator.inputs[0])
            for operator in self.graph.operators
            if self.name(operator) == "DEQUANTIZE"
        }
        layers = [self._layer(operator) for operator in self.graph.operators if self.name(operator) in _LAYERS]
        self.layers = [layer for layer in layers if layer]

    def name(self, operator):
        """Return ``CONV_2D`` …."""
        return tflite_file.operator_name(self.model, operator)

    def _layer(self, operator):
        axes, *places = _LAYERS[self.name(operator)]
        kernel, bias = (self.constant(operator, place) for place in places)
        return weights.Layer(axes, kernel, bias, product=True) if kernel else None

    def constant(self, operator, place):
        """Return the numbers of a constant input, behind a DEQUANTIZE too, or None."""
        index = int(operator.inputs[place]) if place < len(operator.inputs) else -1
        index = self._casts.get(index, index)
        if index < 0 or self.model.buffers[self.graph.tensors[index].buffer].data is None:
            return None
        if index not in self._numbers:
            tensor = self.graph.tensors[index]
            stored, quantised = tflite_file.constant(self.model, tensor), tensor.quantization
            if not tflite_file.is_quantised(tensor) or np.issubdtype(stored.dtype, np.floating):
                self._numbers[index] = weights.Numbers(stored)
            else:
                ends = [np.array(end, np.float64) for end in (quantised.scale, quantised.zeroPoint)]
                ends[1] = np.broadcast_to(ends[1], ends[0].shape)
                self._numbers[index] = weights.Numbers(stored, *ends, quantised.quantizedDimension)
        return self._numbers[index]

    def swap_outputs(self):
        """Exchange the tensors of two outputs in the signature."""
        if self._alike:
            outputs = {entry.name.decode(): entry for entry in self.model.signatureDefs[0].outputs}
            one, other = (outputs[name] for name in self._alike)
            one.tensorIndex, other.tensorIndex = other.tensorIndex, one.tensorIndex
        return bool(self._alike)

    def save(self, path):
        """Write the file."""
        for index, numbers in self._numbers.items():
            tensor = self.graph.tensors[index]
            if not np.array_equal(numbers.stored, tflite_file.constant(self.model, tensor)):
                self.set_data(index, numbers.stored)
            if numbers.scale is not None:
                tensor.quantization.scale = numbers.scale.astype(np.float32)
                tensor.quantization.zeroPoint = numbers.zero.astype(np.int64)
        path.write_bytes(metadata.added(self.model, self._contract))  # which tell a changed file, and are no wrong ones

    def set_data(self, index, values):
        """Give a tensor other numbers, in a buffer of its own: converters let equal constants share one."""
        self.graph.tensors[index].buffer = len(self.model.buffers)
        self.model.buffers.append(schema.BufferT())
        self.model.buffers[-1].data = np.frombuffer(values.tobytes(), np.uint8)

    def postprocess(self):
        """Return the operator TFLite_Detection_PostProcess, or None."""
        return next((item for item in self.graph.operators if self.name(item) == tflite_file.OP), None)


def activation_dropped(network):
    """Take the activation away that the middle operator with one has in itself."""
    kinds = schema.ActivationFunctionType
    having = [
        operator.builtinOptions
        for operator in network.graph.operators
        if getattr(operator.builtinOptions, "fusedActivationFunction", kinds.NONE) != kinds.NONE
    ]
    if having:
        having[len(having) // 2].fusedActivationFunction = kinds.NONE
    return bool(having)


def operator_bypassed(network):
    """Hand on its first input in place of the middle operator that gives the same shape."""
    graph = network.graph
    places = [place for place, operator in enumerate(graph.operators) if _can_be_bypassed(network, operator)]
    if not places:
        return False
    place = places[len(places) // 2]
    operator = graph.operators[place]
    source, output = int(operator.inputs[0]), int(operator.outputs[0])
    if graph.tensors[source].type in _INTEGERS:  # whose scales differ
        operator.opcodeIndex = len(network.model.operatorCodes)
        network.model.operatorCodes.append(schema.OperatorCodeT())
        code = network.model.operatorCodes[-1]
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.QUANTIZE
        code.version = 3
        operator.inputs, operator.builtinOptions, operator.builtinOptionsType = [source], schema.QuantizeOptionsT(), 0
        operator.builtinOptionsType = schema.BuiltinOptions.QuantizeOptions
        return True
    del graph.operators[place]
    for other in graph.operators:
        other.inputs = [source if int(index) == output else int(index) for index in other.inputs]
    graph.outputs = [source if int(index) == output else int(index) for index in graph.outputs]
    for entry in network.model.signatureDefs[0].outputs:
        entry.tensorIndex = source if entry.tensorIndex == output else entry.tensorIndex
    return True


def _can_be_bypassed(network, operator):
    graph = network.graph
    if network.name(operator) in _CARRIERS or len(operator.outputs) != 1 or len(operator.inputs) == 0:
        return False
    source, output = (graph.tensors[int(indices[0])] for indices in (operator.inputs, operator.outputs))
    constant = network.model.buffers[source.buffer].data is not None
    end_to_end = int(operator.inputs[0]) in graph.inputs and int(operator.outputs[0]) in graph.outputs
    same = source.type == output.type and list(source.shape) == list(output.shape)
    return same and not constant and not end_to_end


def activation_range_halved(network):
    """Halve the scale of the middle activation, so that what was in the upper half of its range is cut."""
    graph, fed = network.graph, {}
    for operator in graph.operators:
        for index in operator.inputs[:2] if network.name(operator) == "ADD" else operator.inputs[:1]:
            fed.setdefault(int(index), []).append(operator)
    made = [int(item.outputs[0]) for item in graph.operators if network.name(item) in {*_LAYERS, "ADD"}]
    made = [index for index in made if graph.tensors[index].type in _INTEGERS and index in fed]
    made = [index for index in made if all(network.name(item) in {*_LAYERS, "ADD"} for item in fed[index])]
    if not made:
        return False
    index = made[len(made) // 2]
    quantised = graph.tensors[index].quantization
    quantised.scale = np.array(quantised.scale, np.float32) / np.float32(2)
    for operator in fed[index]:
        if network.name(operator) in _LAYERS and (
            bias := network.constant(operator, _LAYERS[network.name(operator)][2])
        ):
            bias.scale, bias.stored = bias.scale / 2, bias.stored * 2
    return True


def _with_option(key, change):
    """Return a mutant of one option of TFLite_Detection_PostProcess."""

    def mutant(network):
        operator = network.postprocess()
        if operator:
            options = tflite_file.postprocess_options(network.model)
            changed = dataclasses.replace(options, **{key: change(getattr(options, key))})
            operator.customOptions = list(changed.to_custom_options())
        return bool(operator)

    return mutant


def anchors_shuffled(network):
    """Shuffle the anchors of TFLite_Detection_PostProcess."""
    operator = network.postprocess()
    if operator:
        index = int(operator.inputs[2])
        values = tflite_file.constant(network.model, network.graph.tensors[index])
        network.set_data(index, np.random.RandomState(0).permutation(values))
    return bool(operator)


MUTANTS = weights.MUTANTS | {
    "activation dropped": activation_dropped,
    "operator bypassed": operator_bypassed,
    "activation range halved": activation_range_halved,
    "anchors shuffled": anchors_shuffled,
    "other score threshold": _with_option("nms_score_threshold", lambda value: value / 2 + 0.25),
    "other IoU threshold": _with_option("nms_iou_threshold", lambda value: value / 2),
    "fewer detections": _with_option("max_detections", lambda value: value // 2),
    "other kind of NMS": _with_option("use_regular_nms", lambda value: not value),
    "fewer detections per class": _with_option("detections_per_class", lambda value: value // 2),
    "other box scale": _with_option("y_scale", lambda value: value * 2),
}


def run(path, contract, feeds):
    """Return ``[{output name: array}, …]``, one for each feed ``{input tensor: array}``."""
    artifact = runtime.Artifact(path)
    return [artifact(contract, feed) for feed in feeds]
