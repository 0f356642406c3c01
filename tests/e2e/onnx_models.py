"""Small integer ONNX models for the tests, written by the Python of envs/onnx.yaml: ``onnx_models.py FOLDER``.

Pictures ``x`` ``[1, 3, 4, 4]`` become ``y`` ``[1, 4, 4, 4]`` by a convolution of 1 x 1, rows ``[1, 3]`` in ``dynamic``
by a matrix. Their integers stand in ``arrays.npz``, with scales and zero points.
"""

import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

RANDOM = np.random.RandomState(0)
ARRAYS = {
    "weights": RANDOM.randint(-127, 128, (4, 3, 1, 1)).astype(np.int8),
    "bias": RANDOM.randint(-9000, 9000, 4).astype(np.int32),
    "x_scale": np.float32(1 / 128),
    "x_point": np.uint8(128),
    "w_scale": np.array([0.01, 0.002, 0.02, 0.005], np.float32),
    "w_point": np.zeros(4, np.int8),
    "b_scale": np.array([0.01, 0.002, 0.02, 0.005], np.float32) / np.float32(128),
    "b_point": np.zeros(4, np.int32),
    "y_scale": np.float32(0.04),
    "y_point": np.uint8(128),
    "cut_point": np.uint8(0),
    "sum_scale": np.float32(0.08),
    "flat": RANDOM.randint(-127, 128, (3, 4)).astype(np.int8),
    "one_scale": np.float32(0.01),
    "one_point": np.int8(3),
}
ARRAYS["weights"][0] = 127  # products of two of them with large numbers of a picture go beyond int16
X, W, B, Y = (("x_scale", "x_point"), ("w_scale", "w_point"), ("b_scale", "b_point"), ("y_scale", "y_point"))
QUANTISED = ("QuantizeLinear", ["x", *X], "xq")
CONVOLVED = ("QLinearConv", ["xq", *X, "weights", *W, *Y, "bias"], "cq")
MODELS = {
    "qlinear": [QUANTISED, CONVOLVED, ("DequantizeLinear", ["cq", *Y], "y")],
    # Its range starts at 0, which tells of a ReLU; the integers are turned around on their way.
    "qdq": [
        QUANTISED,
        ("DequantizeLinear", ["xq", *X], "xr"),
        ("DequantizeLinear", ["weights", *W], "wr"),
        ("DequantizeLinear", ["bias", *B], "br"),
        ("Conv", ["xr", "wr", "br"], "c"),
        ("QuantizeLinear", ["c", "y_scale", "cut_point"], "cq"),
        ("Transpose", ["cq"], "tq"),
        ("DequantizeLinear", ["tq", "y_scale", "cut_point"], "t"),
        ("Transpose", ["t"], "y"),
    ],
    "contrib": [
        QUANTISED,
        CONVOLVED,
        ("QLinearAdd", ["cq", *Y, "cq", *Y, "sum_scale", "y_point"], "sq"),
        ("DequantizeLinear", ["sq", "sum_scale", "y_point"], "y"),
    ],
    "dynamic": [
        ("DynamicQuantizeLinear", ["x"], ("xq", "s", "z")),
        ("MatMulInteger", ["xq", "flat", "z", "one_point"], "m"),
        ("Cast", ["m"], "f"),
        ("Mul", ["s", "one_scale"], "scale"),
        ("Mul", ["f", "scale"], "y"),
    ],
    "unknown": [QUANTISED, ("QLinearReduceMean", ["xq", *X, *Y], "mq"), ("DequantizeLinear", ["mq", *Y], "y")],
}
CONTRIB = ("QLinearAdd", "QLinearReduceMean")
ATTRIBUTES = {
    "Cast": {"to": TensorProto.FLOAT},
    "Transpose": {"perm": [0, 3, 2, 1]},
    "QLinearReduceMean": {"axes": [2, 3], "keepdims": 1},
}


def node(operator, inputs, outputs):
    domain = {"domain": "com.microsoft"} if operator in CONTRIB else {}
    axis = {"axis": 0} if operator == "DequantizeLinear" and inputs[0] in ("weights", "bias") else {}
    outputs = [outputs] if isinstance(outputs, str) else outputs
    return helper.make_node(operator, inputs, outputs, **domain, **axis, **ATTRIBUTES.get(operator, {}))


def main(folder):
    """Write all models."""
    for name, steps in MODELS.items():
        used = {value for _, inputs, _ in steps for value in inputs}
        flat = name == "dynamic"
        sizes = {"x": [1, 3] if flat else [1, 3, 4, 4], "y": [1, 4] if flat else [1, 4, None, None]}
        ends = [helper.make_tensor_value_info(end, TensorProto.FLOAT, shape) for end, shape in sizes.items()]
        constants = [numpy_helper.from_array(np.asarray(ARRAYS[key]), key) for key in sorted(used & set(ARRAYS))]
        graph = helper.make_graph([node(*step) for step in steps], name, ends[:1], ends[1:], constants)
        opsets = [helper.make_opsetid("", 13), helper.make_opsetid("com.microsoft", 1)]
        onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), os.path.join(folder, f"{name}.onnx"))
    np.savez(os.path.join(folder, "arrays.npz"), **ARRAYS)


if __name__ == "__main__":
    main(sys.argv[1])
