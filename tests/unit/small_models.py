"""Small .tflite files, put together in memory, and running them on LiteRT."""

import io
import zipfile

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from zoomill.detection import ssd_contract
from zoomill.detection.postprocess import Options
from zoomill.tflite import tflite_file

OPTIONS = {
    "max_detections": 10,
    "max_classes_per_detection": 1,
    "detections_per_class": 100,
    "use_regular_nms": True,
    "nms_score_threshold": 0.3,
    "nms_iou_threshold": 0.6,
    "num_classes": 3,
    "y_scale": 10.0,
    "x_scale": 10.0,
    "h_scale": 5.0,
    "w_scale": 5.0,
}


def options(**changes):
    """Return post-processing options with some of them changed."""
    return Options(**{**OPTIONS, **changes})


class Builder:
    """A model of one graph, to which tensors and operators are added."""

    def __init__(self, description="MLIR Converted."):
        self.graph = schema.SubGraphT()
        self.graph.name, self.graph.tensors, self.graph.operators = b"main", [], []
        self.model = schema.ModelT()
        self.model.version, self.model.description = 3, description.encode()
        self.model.subgraphs, self.model.operatorCodes = [self.graph], []
        self.model.buffers = [schema.BufferT()]

    def tensor(self, name, value, dtype=np.float32):
        """Add a constant array, or a tensor whose shape is ``value``, and return its index."""
        tensor = schema.TensorT()
        tensor.name, tensor.buffer = name.encode(), 0
        tensor.quantization = schema.QuantizationParametersT()
        if isinstance(value, np.ndarray):
            dtype, tensor.buffer = value.dtype, len(self.model.buffers)
            self.model.buffers.append(schema.BufferT())
            self.model.buffers[-1].data = np.frombuffer(value.tobytes(), np.uint8)
        tensor.shape = list(value.shape if isinstance(value, np.ndarray) else value)
        tensor.type = getattr(schema.TensorType, np.dtype(dtype).name.upper())
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def quantised(self, name, value, scale, zero_point, dtype=np.int8, dimension=0):
        """Add a tensor that stands for real numbers, with one scale or a list of them, and return its index."""
        index = self.tensor(name, value, dtype)
        quantisation = self.graph.tensors[index].quantization
        quantisation.scale = np.atleast_1d(np.array(scale, np.float32))
        quantisation.zeroPoint = np.broadcast_to(np.array(zero_point, np.int64), quantisation.scale.shape).copy()
        quantisation.quantizedDimension = dimension
        return index

    def operator(self, name, inputs, outputs, settings=None):
        """Add an operator: a built-in one, or a custom one where there is none of this name."""
        code, operator = schema.OperatorCodeT(), schema.OperatorT()
        builtin = getattr(schema.BuiltinOperator, name, schema.BuiltinOperator.CUSTOM)
        code.builtinCode, code.deprecatedBuiltinCode, code.version = builtin, min(builtin, 127), 1
        if builtin == schema.BuiltinOperator.CUSTOM:
            code.customCode = name.encode()
        elif settings is not None:
            kind = type(settings).__name__.removesuffix("T")
            operator.builtinOptions, operator.builtinOptionsType = settings, getattr(schema.BuiltinOptions, kind)
        operator.opcodeIndex, operator.inputs, operator.outputs = len(self.model.operatorCodes), inputs, outputs
        self.model.operatorCodes.append(code)
        self.graph.operators.append(operator)

    def build(self, inputs, outputs):
        """Name the graph's inputs and outputs and return the model."""
        self.graph.inputs, self.graph.outputs = inputs, outputs
        return self.model


def heads(anchors, columns):
    """Return a model whose two outputs, raw heads, are its inputs."""
    builder = Builder()
    ends = [builder.tensor("boxes", [1, anchors, 4]), builder.tensor("scores", [1, anchors, columns])]
    return builder.build(ends, ends)


def heads_contract(asked, anchors):
    """Return the contract of the heads with post-processing behind them."""
    inputs = [
        {"name": name, "tensor": tensor, "dtype": "float32", "shape": [1, anchors, size]}
        for name, tensor, size in (("box_encodings", "boxes", 4), ("scores", "scores", asked.num_classes + 1))
    ]
    return ssd_contract.with_postprocess({"model": "small", "inputs": inputs}, "detect_regular", asked)


def dense(units=300, description="MLIR Converted.", seed=0, relu=False):
    """Return a fully connected layer from ``[1, 4]`` to ``[1, units]`` with weights and a bias."""
    random = np.random.default_rng(seed)
    builder = Builder(description)
    start = builder.tensor("input;left;over", [1, 4])
    weights = builder.tensor("weights;also;fused", random.normal(size=(units, 4)).astype(np.float32))
    bias = builder.tensor("bias", random.normal(size=units).astype(np.float32))
    end = builder.tensor("output", [1, units])
    settings = schema.FullyConnectedOptionsT()
    settings.fusedActivationFunction = int(relu)
    builder.operator("FULLY_CONNECTED", [start, weights, bias], [end], settings)
    return builder.build([start], [end])


def dense_contract(units=300):
    """Return the contract of :func:`dense`."""
    return {
        "model": "small",
        "graph": "main",
        "inputs": [{"name": "x", "tensor": "image", "dtype": "float32", "shape": [1, 4]}],
        "outputs": [{"name": "y", "tensor": "scores", "dtype": "float32", "shape": [1, units]}],
    }


def picture_classifier(classes=3, side=2):
    """Return a model from a picture ``[1, side, side, 3]`` to the probabilities of classes."""
    builder, size = Builder(), 3 * side * side
    random = np.random.default_rng(0)
    start, flat = builder.tensor("image", [1, side, side, 3]), builder.tensor("flat", [1, size])
    weights = builder.tensor("weights", random.normal(size=(classes, size)).astype(np.float32) / side)
    bias, shape = builder.tensor("bias", np.zeros(classes, np.float32)), builder.tensor("shape", np.int32([1, size]))
    logits, end = builder.tensor("logits", [1, classes]), builder.tensor("scores", [1, classes])
    builder.operator("RESHAPE", [start, shape], [flat], schema.ReshapeOptionsT())
    builder.operator("FULLY_CONNECTED", [flat, weights, bias], [logits], schema.FullyConnectedOptionsT())
    builder.operator("SOFTMAX", [logits], [end], schema.SoftmaxOptionsT(beta=1.0))
    return builder.build([start], [end])


def picture_segmenter(classes, side=2):
    """Return a model from a picture ``[1, side, side, 3]`` to the scores of classes for each pixel."""
    builder, random = Builder(), np.random.default_rng(0)
    start, logits, end = (
        builder.tensor(*one)
        for one in (("image", [1, side, side, 3]), *((name, [1, side, side, classes]) for name in ("logits", "scores")))
    )
    weights = builder.tensor("weights", random.normal(size=(classes, 1, 1, 3)).astype(np.float32))
    bias = builder.tensor("bias", np.full(classes, -0.3, np.float32))
    settings = schema.Conv2DOptionsT(strideW=1, strideH=1, dilationWFactor=1, dilationHFactor=1)
    builder.operator("CONV_2D", [start, weights, bias], [logits], settings)
    builder.operator("LOGISTIC", [logits], [end])
    return builder.build([start], [end])


def picture_contract(shape=(1, 3), side=2, task="image-classification", **changes):
    """Return the contract of a model from a picture, RGB from -1 to 1, to one output of a shape."""
    picture = {"name": "image", "tensor": "image", "dtype": "float32", "shape": [1, side, side, 3]}
    picture |= {"layout": "NHWC", "colour": "RGB", "value_range": [-1, 1]}
    scores = {"name": "scores", "tensor": "scores", "dtype": "float32", "shape": list(shape), "meaning": "how sure"}
    about = {
        "title": "Insects",
        "task": task,
        "licence": "MIT",
        "notes": ["is small"],
        "model": "small",
        "graph": "main",
    }
    labels = {"labels": ["ant", "bee", "cat"], "label_offset": 0}
    return {**about, "inputs": [picture], "outputs": [scores], **labels, **changes}


def rounded(dtype, scale, zero_point, units=4):
    """Return a model that hands on ``[1, units]`` of a dtype with one scale and zero point."""
    builder = Builder()
    ends = [builder.quantised(name, [1, units], scale, zero_point, dtype) for name in ("input", "output")]
    shape = builder.tensor("shape", np.array([1, units], np.int32))
    builder.operator("RESHAPE", [ends[0], shape], [ends[1]], schema.ReshapeOptionsT())
    return builder.build(ends[:1], ends[1:])


# Scale and zero point of the input of integer_convolution().
CONVOLUTION_INPUT = (0.02, 5)


def integer_convolution(dtype=np.int8, output=(0.03, 10), fused=0, points=0, seed=0):
    """Return a convolution of 1 x 1 of integers, and what it stands for: weights ``[4, 3]`` and bias ``[4]``, float64.

    Args:
        dtype: int8 with a scale for each output channel, or uint8 with a single one, as TOCO made it.
        output: scale and zero point of the output.
        fused: activation function of the operator.
        points: zero point of the weights.
        seed: of weights and bias.
    """
    random, builder, ends = np.random.default_rng(seed), Builder(), np.iinfo(dtype)
    scales = np.array([0.01, 0.002, 0.03, 0.005] if dtype == np.int8 else [0.01])
    weights = random.integers(ends.min + 1, ends.max, (4, 1, 1, 3)).astype(dtype)
    bias = random.integers(-3000, 3000, 4).astype(np.int32)
    start = builder.quantised("input", [1, 5, 5, 3], *CONVOLUTION_INPUT, dtype)
    inner = [
        builder.quantised("weights", weights, scales, points),
        builder.quantised("bias", bias, scales * CONVOLUTION_INPUT[0], 0),
    ]
    end = builder.quantised("output", [1, 5, 5, 4], *output, dtype)
    settings = schema.Conv2DOptionsT()
    settings.strideH = settings.strideW = settings.dilationHFactor = settings.dilationWFactor = 1
    settings.padding, settings.fusedActivationFunction = schema.Padding.VALID, fused
    builder.operator("CONV_2D", [start, *inner], [end], settings)
    real = (weights.reshape(4, 3).astype(np.float64) - points) * scales.reshape(-1, 1)
    return builder.build([start], [end]), real, bias * scales * CONVOLUTION_INPUT[0]


def subtraction(order=("x", "y"), outputs=("difference", "sum")):
    """Return x - y (or y - x) and x + y of two inputs ``[1, 4]``, none of them constant."""
    builder = Builder()
    index = {name: builder.tensor(name, [1, 4]) for name in ("x", "y", "difference", "sum")}
    builder.operator("SUB", [index[name] for name in order], [index["difference"]], schema.SubOptionsT())
    builder.operator("ADD", [index["x"], index["y"]], [index["sum"]], schema.AddOptionsT())
    return builder.build([index["x"], index["y"]], [index[name] for name in outputs])


def run(model, *inputs):
    """Run a model on LiteRT and return its outputs in order."""
    interpreter = Interpreter(model_content=tflite_file.serialise(model))
    interpreter.allocate_tensors()
    for place, value in zip(interpreter.get_input_details(), inputs, strict=True):
        interpreter.set_tensor(place["index"], value)
    interpreter.invoke()
    return [interpreter.get_tensor(place["index"]) for place in interpreter.get_output_details()]


def with_metadata(files, compression=zipfile.ZIP_STORED):
    """Return the bytes of a .tflite file as the Task Library's writers make it, with files packed in at its end."""
    model = dense(units=3)
    model.buffers.append(schema.BufferT(data=bytes([12, 0, 0, 0]) + b"M001" + bytes(40)))
    model.metadata = [schema.MetadataT(name="TFLITE_METADATA", buffer=len(model.buffers) - 1)]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", compression) as writer:
        for name, content in files.items():
            writer.writestr(name, content)
    return tflite_file.serialise(model) + (archive.getvalue() if files else b"")
