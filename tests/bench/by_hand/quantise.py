"""Make four variants of a float .tflite of digits: FLOAT SAMPLES FOLDER."""

import sys

import digits
from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer import quantizer, recipe

source, samples, folder = sys.argv[1:]
FLOAT16 = {
    "weight_tensor_config": {"num_bits": 16, "symmetric": True, "granularity": "TENSORWISE", "dtype": "FLOAT"},
    "compute_precision": "FLOAT",
    "explicit_dequantize": True,
}
RECIPES = {
    "float16": [{"regex": ".*", "operation": "*", "algorithm_key": "float_casting", "op_config": FLOAT16}],
    "dynamic": recipe.dynamic_wi8_afp32(),
    "int8": recipe.static_wi8_ai8(),
    "int16x8": recipe.static_wi8_ai16(),
}
((signature, ends),) = Interpreter(source).get_signature_list().items()
given = {signature: [{ends["inputs"][0]: sample} for sample in digits.samples(samples)]}
for variant, chosen in RECIPES.items():
    work = quantizer.Quantizer(source, chosen)
    ranges = work.calibrate(given) if work.need_calibration else None
    work.quantize(ranges).export_model(f"{folder}/main.{variant}.tflite")
