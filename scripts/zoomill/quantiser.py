"""Weight quantisation by ai-edge-quantizer."""

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
VARIANTS = ("dynamic", "float16")


def quantise(path, variant):
    """Return the bytes of the ``variant`` (one of :data:`VARIANTS`) of the float32 file at ``path``."""
    from ai_edge_quantizer import quantizer, recipe

    work = quantizer.Quantizer(path, _FLOAT16 if variant == "float16" else recipe.dynamic_wi8_afp32())
    return bytes(work.quantize().quantized_model)
