"""TOCO, the TensorFlow Lite Optimizing Converter, called in process without starting TensorFlow.

The binding is private, but TOCO is finished: TensorFlow 2.17.1 is the last release that holds it, and the
environments pin it. Must run under Python 3.7, where TensorFlow 1.13.1 gives the binding of the original route.
"""

import re

from zoomill.toco.parts import import_part

# What comes when all transformations of the operators are done, in float and in uint8.
_DONE = "Before (?:dequantization graph transformations|shuffling of FC weights)"
_COUNTS = {
    "operators_before": r"Before Removing unused ops: (\d+) operators",
    "arrays_before": r"Before Removing unused ops: \d+ operators, (\d+) arrays",
    "operators_after": _DONE + r": (\d+) operators",
    "arrays_after": _DONE + r": \d+ operators, (\d+) arrays",
    "transient_bytes": r"Total transient array allocated size: (\d+) bytes",
    "optimal_transient_bytes": r"theoretical optimal value: (\d+) bytes",
}


def convert(graph, inputs, outputs, uint8_inputs=None, default_ranges=None):
    """Convert a frozen graph with the options ``--inference_type=FLOAT --allow_custom_ops``.

    Args:
        graph: GraphDef message.
        inputs: ``[{"tensor": name, "shape": [1, height, width, channels]}, …]``, float32.
        outputs: names of the output tensors.
        uint8_inputs: mean and standard value of each input for the options ``--inference_type=QUANTIZED_UINT8
            --change_concat_input_ranges=false`` instead. Weights, activations, inputs and outputs (not those of
            TFLite_Detection_PostProcess) are then uint8; their ranges are those of the graph's fake-quant nodes.
        default_ranges: lowest and highest value of every activation that has no such node, or None.

    Returns:
        The bytes of the .tflite file. TOCO's log goes to the process's stderr.

    Raises:
        Exception: TOCO's own, when it cannot convert the graph. It ends the process where a range is lacking.
    """
    flags_pb2 = import_part("tensorflow.lite.toco.toco_flags_pb2")
    types_pb2 = import_part("tensorflow.lite.toco.types_pb2")
    flags = flags_pb2.TocoFlags(
        input_format=flags_pb2.TENSORFLOW_GRAPHDEF,
        output_format=flags_pb2.TFLITE,
        inference_type=types_pb2.QUANTIZED_UINT8 if uint8_inputs else types_pb2.FLOAT,
        allow_custom_ops=True,
        drop_control_dependency=True,
    )
    if default_ranges:
        flags.default_ranges_min, flags.default_ranges_max = default_ranges
    model = import_part("tensorflow.lite.toco.model_flags_pb2").ModelFlags(output_arrays=outputs)
    model.change_concat_input_ranges = not uint8_inputs
    for number, promise in enumerate(inputs):
        array = model.input_arrays.add(name=promise["tensor"], data_type=types_pb2.FLOAT)
        array.shape.dims.extend(promise["shape"])
        if uint8_inputs:
            array.mean_value, array.std_value = uint8_inputs[number]
    return _binding()(model.SerializeToString(), flags.SerializeToString(), graph.SerializeToString())


def lacking_range(log):
    """Return the array for which TOCO had no range, as its log says, or None."""
    found = re.search(r"Array (\S+),.* is lacking min/max data", log)
    return found.group(1) if found else None


def _binding():
    """Return ``TocoConvert`` of the installed TensorFlow, 1.13 or 2.17."""
    try:
        return import_part("tensorflow.lite.toco.python.tensorflow_wrap_toco").TocoConvert
    except ImportError:
        # Registers a type that the binding's signature mentions.
        import_part("tensorflow.compiler.mlir.quantization.tensorflow.python.pywrap_function_lib")
        return import_part("tensorflow.python._pywrap_toco_api").TocoConvert


def use_original_operators(graph):
    """Replace FusedBatchNormV2 and V3 and AddV2 of an inference graph by the first versions, which TOCO 1.13 knows.

    In float32 inference they compute the same; TOCO 1.13 would keep the newer ones as custom operators and report
    success.
    """
    for node in graph.node:
        if node.op in ("FusedBatchNormV2", "FusedBatchNormV3"):
            node.op = "FusedBatchNorm"
            node.attr.pop("U", None)
        elif node.op == "AddV2":
            node.op = "Add"


def log_counts(log):
    """Return operator and array counts, memory and arithmetic operations that TOCO's log states.

    Args:
        log: the text TOCO wrote to stderr.

    Returns:
        dict of ints; ``arithmetic_operations`` counts a multiply-add as two, and is rounded to five or six
        digits by TensorFlow 1.13.
    """
    counts = {}
    for name, pattern in _COUNTS.items():
        found = re.search(pattern, log)
        if found:
            counts[name] = int(found.group(1))
    found = re.search(r"Estimated count of arithmetic ops: ([\d.]+)( billion| ops)", log)
    if found:
        scale = 1e9 if found.group(2) == " billion" else 1
        counts["arithmetic_operations"] = int(round(float(found.group(1)) * scale))
    return counts
