"""Post-training quantisation by ai-edge-quantizer, from a float file and its calibration."""

import re
import tempfile

import numpy as np

from zoomill.tflite import biases, quantisable, small_weights, tflite_ends, tflite_file

# Half-precision storage of every weight, computed in float32: what the converter calls float16 quantisation.
_FLOAT16 = [
    {
        "regex": ".*",
        "operation": "*",
        "algorithm_key": "float_casting",
        "op_config": {
            "weight_tensor_config": {
                "num_bits": 16,
                "symmetric": True,
                "granularity": "TENSORWISE",
                "dtype": "FLOAT",
            },
            "compute_precision": "FLOAT",
            "explicit_dequantize": True,
            "skip_checks": False,
            "min_weight_elements": 0,
        },
    }
]


def quantise(path, variant, ranges=None, in_float=()):
    """Return a variant of a float file as ``ModelT`` of :mod:`zoomill.tflite.tflite_file`.

    Args:
        path: float32 .tflite file with one signature.
        variant: its name; ``uint8_io`` is that of ``int8_io``, before its ends are recast.
        ranges: ``{tensor: [smallest, largest]}`` of all activations, for variants with integer activations.
        in_float: names of tensors whose operators stay in float, with all weights that cannot be quantised.

    Raises:
        UserError: for a file that cannot be quantised.
    """
    exact = tflite_file.read(path)
    quantisable.check(path, exact, calibrated=ranges is not None)
    from ai_edge_quantizer import quantizer

    work = quantizer.Quantizer(path, _recipe(variant, in_float))
    calibration = ranges and {
        tensor: {"min": np.array(low, np.float32).reshape(1, 1), "max": np.array(high, np.float32).reshape(1, 1)}
        for tensor, (low, high) in ranges.items()
    }
    with tempfile.NamedTemporaryFile(suffix=".tflite") as file:
        file.write(work.quantize(calibration).quantized_model)
        file.flush()
        model = tflite_file.read(file.name)
    if ranges:
        biases.restore(model, exact)
        biases.widen(model, exact)
    if not in_float:
        small_weights.store(model, "float16" if variant == "float16" else "int8")
    tflite_ends.reconnect(model)
    if variant in ("int8_io", "uint8_io"):
        tflite_ends.round_off(model, ranges)
    return model


def _recipe(variant, in_float):
    """Return the recipe of a variant; later entries of a recipe overrule earlier ones."""
    from ai_edge_quantizer import qtyping, quantizer, recipe, recipe_manager

    if variant == "float16":
        return _FLOAT16
    if variant == "dynamic":
        return recipe.dynamic_wi8_afp32()
    manager = recipe_manager.RecipeManager()
    if variant in ("weight_int8", "weight_int4"):
        manager.add_weight_only_config(
            ".*", qtyping.TFLOperationName.ALL_SUPPORTED, 4 if variant == "weight_int4" else 8
        )
        for name in ("DEPTHWISE_CONV_2D", "CONV_2D_TRANSPOSE") if variant == "weight_int4" else ():  # have no four bits
            manager.add_weight_only_config(".*", qtyping.TFLOperationName(name), 8)
        return manager.get_quantization_recipe()
    bits = 16 if variant == "int16x8" else 8
    scales = qtyping.QuantGranularity.TENSORWISE if variant == "int8_tensor" else qtyping.QuantGranularity.CHANNELWISE
    manager.add_static_config(".*", qtyping.TFLOperationName.ALL_SUPPORTED, bits, 8, weight_granularity=scales)
    exempt = []
    if in_float:  # one pattern: with one for each name, files of many operators take minutes
        names = "|".join(map(re.escape, in_float))
        exempt.append((f"(^|;)({names})(;|$)", qtyping.TFLOperationName.ALL_SUPPORTED))
    if variant in ("int8", "int8_tensor", "int16x8"):
        # Otherwise the default recipe quantises the ends too, of a detector even its class numbers.
        exempt += [(".*", qtyping.TFLOperationName.INPUT), (".*", qtyping.TFLOperationName.OUTPUT)]
    for pattern, operation in exempt:
        manager.add_quantization_config(pattern, operation, algorithm_key=quantizer.AlgorithmName.NO_QUANTIZE)
    return manager.get_quantization_recipe()
