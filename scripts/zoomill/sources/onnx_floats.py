"""Integer ONNX models as floating-point ones of the same numbers: what they compute without their own rounding."""

import numpy as np

from zoomill.errors import UserError

# QLinear operators by what they are of floats; where their inputs stand with scale and zero point behind each, and
# where scale and zero point of the output stand.
_LINEAR = {
    "QLinearConv": ("Conv", (0, 3), 6),
    "QLinearMatMul": ("MatMul", (0, 3), 6),
    "QLinearAdd": ("Add", (0, 3), 6),
    "QLinearMul": ("Mul", (0, 3), 6),
    "QLinearAveragePool": ("AveragePool", (0,), 3),
    "QLinearGlobalAveragePool": ("GlobalAveragePool", (0,), 3),
    "QLinearLeakyRelu": ("LeakyRelu", (0,), 3),
    "QLinearSigmoid": ("Sigmoid", (0,), 3),
    "QLinearSoftmax": ("Softmax", (0,), 3),
    "QGemm": ("Gemm", (0, 3), 7),
}
_BIASES = {"QLinearConv": 8, "QGemm": 6}
_SUMS = {"ConvInteger": "Conv", "MatMulInteger": "MatMul"}
_QUANTISED = {*_LINEAR, *_SUMS, "QLinearConcat", "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"}
# Attributes that the floating-point operator does not have.
_OWN = ("channels_last", "opset")
# Operators that move numbers as they are, integers too.
_MOVING = (
    *("Concat", "DepthToSpace", "Expand", "Flatten", "Gather", "Identity", "MaxPool", "Reshape", "Slice"),
    *("SpaceToDepth", "Split", "Squeeze", "Transpose", "Unsqueeze"),
)
# Operators whose results may lie on both sides of the range in which they are stored.
_CUTTING = ("Add", "BatchNormalization", "Conv", "ConvTranspose", "Div", "Gemm", "MatMul", "Mul", "Sub")


def integers(model):
    """Return the names of the quantised dtypes of a model, sorted; empty for a floating-point model."""
    nodes = [node for node in model.graph.node if node.op_type in _QUANTISED]
    constants = _constants(model) if nodes else {}
    dtypes = {constants[name].dtype.name for node in nodes for name in node.input if name in constants}
    points = sorted(dtypes.intersection(("int8", "uint8", "int16", "uint16")))
    return points or ["uint8"] * bool(nodes)  # without a zero point, numbers are uint8


def float_copy(model, path):
    """Return a model with real numbers in place of the integers that stand for them.

    Constants become what they stand for, activations float32; QuantizeLinear and DequantizeLinear hand on what they
    get, and QLinear operators become those of floats. An activation function that only the range of an integer tensor
    tells of is written out: what starts at 0 is a ReLU, 0 to 6 a ReLU6. Integers at the model's own inputs and outputs
    stay.

    Args:
        model: ModelProto; is not changed.
        path: file name for messages.

    Raises:
        UserError: for an operator that computes with integers in a way that is not known.
    """
    return _Copy(model, path).model


def _constants(model):
    """Return ``{name: array}`` of a model's initializers and Constant nodes."""
    from onnx import numpy_helper

    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for node in model.graph.node:
        for attribute in node.attribute if node.op_type == "Constant" else ():
            if attribute.name == "value":
                arrays[node.output[0]] = numpy_helper.to_array(attribute.t)
    return arrays


class _Copy:
    """A floating-point copy in the making: nodes are added one by one, in their order.

    Attributes:
        model: the copy.
        floats: ``{tensor of integers: tensor of what they stand for}``.
    """

    def __init__(self, model, path):
        from onnx import ModelProto

        self.path, self.model, self.floats = path, ModelProto(), {}
        self.model.CopyFrom(model)
        self.constants = _constants(model)
        self.outputs = {value.name for value in model.graph.output}
        self.makers = {name: node.op_type for node in model.graph.node for name in node.output}
        del self.model.graph.node[:], self.model.graph.value_info[:]
        for node in model.graph.node:
            self.copy(node)
        used = {name for node in self.model.graph.node for name in node.input} | self.outputs
        kept = [tensor for tensor in self.model.graph.initializer if tensor.name in used]
        del self.model.graph.initializer[:]
        self.model.graph.initializer.extend(kept)

    def copy(self, node):
        """Add what a node is of floats."""
        if node.op_type in _LINEAR:
            self.linear(node)
        elif node.op_type in _SUMS:
            self.sum(node)
        elif node.op_type == "QLinearConcat":
            values = [self.real(node, place, 0) for place in range(2, len(node.input), 3)]
            self.add("Concat", node, values, f"{node.output[0]}/real")
            self.store(node, f"{node.output[0]}/real", 0)
        elif node.op_type == "QuantizeLinear":
            self.store(node, node.input[0], 1)
        elif node.op_type == "DequantizeLinear":
            self.add("Identity", None, [self.real(node, 0)], node.output[0])
        elif node.op_type == "DynamicQuantizeLinear":
            self.floats[node.output[0]] = node.input[0]
            self.constant(node.output[1], np.float32(1))
        else:
            self.move(node)

    def linear(self, node):
        """Add the operator of floats that a QLinear operator is, its bias with the scale of the products."""
        operator, places, stored = _LINEAR[node.op_type]
        axes = (1, 0 if node.op_type == "QLinearConv" else -1)
        values = [self.real(node, place, axis) for place, axis in zip(places, axes, strict=False)]
        bias = _BIASES.get(node.op_type)
        if bias is not None and len(node.input) > bias and node.input[bias]:
            scale = self.array(node, 1).astype(np.float64) * self.array(node, 4)
            values.append(self.constant(f"{node.input[bias]}/real", self.array(node, bias) * scale))
        self.add(operator, node, values, f"{node.output[0]}/real")
        self.store(node, f"{node.output[0]}/real", stored)

    def sum(self, node):
        """Add the operator of floats that a sum of integers is, whose factor DynamicQuantizeLinear gave."""
        if self.makers.get(node.input[0]) != "DynamicQuantizeLinear" or node.input[1] not in self.constants:
            raise self.unknown(node)
        weights = self.array(node, 1).astype(np.float64)
        if len(node.input) > 3 and node.input[3]:
            weights = weights - _along(self.array(node, 3), weights.ndim, 0 if node.op_type == "ConvInteger" else -1)
        values = [self.floats[node.input[0]], self.constant(f"{node.input[1]}/real", weights)]
        self.add(_SUMS[node.op_type], node, values, node.output[0])

    def move(self, node):
        """Add a node that is not quantised itself, of floats where it moves integers."""
        moved = [name for name in node.input if name in self.floats]
        if moved and node.op_type not in _MOVING:
            raise self.unknown(node)
        copy = self.model.graph.node.add()
        copy.CopyFrom(node)
        copy.input[:] = [self.floats.get(name, name) for name in node.input]
        if moved:
            copy.output[:] = [f"{name}/real" for name in node.output]
            self.floats.update(zip(node.output, copy.output, strict=True))
            if self.outputs.intersection(node.output):
                raise self.unknown(node)

    def real(self, node, place, axis=None):
        """Return the tensor of what an input of a node stands for, scale and zero point behind it."""
        name = node.input[place]
        if name in self.floats:
            return self.floats[name]
        if axis is None:
            axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 1)
        scale = self.array(node, place + 1).astype(np.float64)
        point = self.array(node, place + 2) if len(node.input) > place + 2 and node.input[place + 2] else np.uint8(0)
        if name in self.constants:
            stored = self.array(node, place).astype(np.float64)
            return self.constant(
                f"{name}/real", _along(scale, stored.ndim, axis) * (stored - _along(point, stored.ndim, axis))
            )
        from onnx import helper

        inputs, output = [name, *node.input[place + 1 : place + 3]], f"{name}/real"
        self.model.graph.node.append(helper.make_node("DequantizeLinear", inputs, [output]))
        self.floats[name] = output
        return output

    def store(self, node, name, place):
        """Let the integers that a node gives stand for ``name``, cut as they are where that is an activation."""
        (stored,) = node.output[:1]
        point = self.array(node, place + 1) if len(node.input) > place + 1 and node.input[place + 1] else np.uint8(0)
        scale, ends = self.array(node, place), np.iinfo(point.dtype)
        maker = self.model.graph.node[-1].op_type if name.endswith("/real") else self.makers.get(name)
        if stored in self.outputs:
            kept = self.model.graph.node.add()
            kept.CopyFrom(node)
            kept.op_type, kept.domain = "QuantizeLinear", ""
            kept.input[:] = [name, *node.input[place : place + 2]]
            if node.op_type != "QuantizeLinear":
                del kept.attribute[:]
        if maker in _CUTTING and scale.size == 1 and point.min() == ends.min:
            six = abs(float(scale.min()) * (ends.max - ends.min) - 6) < scale.min() / 2
            limits = [self.constant(f"{stored}/{end}", np.float32(end)) for end in (0, 6)] if six else []
            self.add("Clip" if six else "Relu", None, [name, *limits], f"{stored}/cut")
            name = f"{stored}/cut"
        self.floats[stored] = name

    def add(self, operator, node, inputs, output):
        """Add an operator with the attributes of a node."""
        from onnx import helper

        made = helper.make_node(operator, inputs, [output], name=f"{output}/{operator}")
        made.attribute.extend(part for part in (node.attribute if node else ()) if part.name not in _OWN)
        self.model.graph.node.append(made)

    def constant(self, name, array):
        """Add a float32 constant and return its name."""
        from onnx import numpy_helper

        if all(tensor.name != name for tensor in self.model.graph.initializer):
            self.model.graph.initializer.append(numpy_helper.from_array(np.asarray(array, np.float32), name))
        return name

    def array(self, node, place):
        """Return a constant input of a node."""
        if node.input[place] not in self.constants:
            raise self.unknown(node)
        return self.constants[node.input[place]]

    def unknown(self, node):
        """Return the refusal of a node."""
        return UserError(
            f"{self.path}: {node.op_type} {node.name or node.output[0]} computes with integers in an unknown way"
        )


def _along(values, ndim, axis):
    """Return one value, or those along a dimension, in a shape that broadcasts."""
    shape = [1] * ndim
    if np.size(values) > 1:
        shape[axis] = -1
    return np.reshape(values, shape) if ndim else np.reshape(values, ())
