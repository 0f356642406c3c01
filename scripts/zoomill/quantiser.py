"""Weight quantisation by ai-edge-quantizer."""

from ai_edge_quantizer import quantizer, recipe

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
RECIPES = {"float16": _FLOAT16, "dynamic": recipe.dynamic_wi8_afp32()}


def quantise(path, variant):
    """Return the bytes of the ``variant`` (a key of :data:`RECIPES`) of the float32 file at ``path``."""
    work = quantizer.Quantizer(path, RECIPES[variant])
    return bytes(work.quantize().quantized_model)
