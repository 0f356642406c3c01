"""The form of a convolution that the GPU accelerator gets right, and that it changes nothing on the processor."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from small_models import Builder

from zoomill.errors import UserError
from zoomill.tflite import gpu_form, tflite_file


def strided(side=8, stride=2, padding="SAME", kernel=1, floats=False, twice=False):
    """Return a convolution of int8 weights, a scale for each channel, of int8 or float activations ``[1, s, s, 3]``."""
    random, builder = np.random.default_rng(3), Builder()
    left = -(-side // stride) if padding == "SAME" or kernel == 1 else (side - kernel) // stride + 1
    shape, end = [1, side, side, 3], [1, left, left, 4]
    scales = [0.01, 0.002, 0.03, 0.005]
    weights = random.integers(-127, 128, (4, kernel, kernel, 3)).astype(np.int8)
    held = builder.quantised("weights", weights, scales, 0)
    if floats:
        ends = [builder.tensor("x", shape), builder.tensor("y", end)]
        bias = builder.tensor("bias", random.normal(size=4).astype(np.float32))
    else:
        ends = [builder.quantised("x", shape, 0.05, 7), builder.quantised("y", end, 0.1, -3)]
        numbers = random.integers(-3000, 3000, 4).astype(np.int32)
        bias = builder.quantised("bias", numbers, np.multiply(scales, 0.05), 0)
    settings = schema.Conv2DOptionsT(strideW=stride, strideH=stride, dilationWFactor=1, dilationHFactor=1)
    settings.padding = getattr(schema.Padding, padding)
    builder.operator("CONV_2D", [ends[0], held, bias], [ends[1]], settings)
    builder.model.operatorCodes[0].version = 5
    if twice:
        other = builder.tensor("z", [4, kernel, kernel, 3], np.int8)
        builder.operator("TRANSPOSE", [held, builder.tensor("order", np.int32([0, 1, 2, 3]))], [other])
    return builder.build(ends[:1], ends[1:])


def run(model, kernels):
    """Return what a model makes of the same values in each call."""
    file = Interpreter(model_content=tflite_file.serialise(model), experimental_op_resolver_type=kernels, num_threads=1)
    file.allocate_tensors()
    (start,), (end,) = file.get_input_details(), file.get_output_details()
    random = np.random.default_rng(5)
    drawn = (
        random.normal(size=start["shape"])
        if start["dtype"] == np.float32
        else random.integers(-128, 128, start["shape"])
    )
    file.set_tensor(start["index"], drawn.astype(start["dtype"]))
    file.invoke()
    return file.get_tensor(end["index"])


@pytest.mark.parametrize("kernels", ["BUILTIN_REF", "BUILTIN_WITHOUT_DEFAULT_DELEGATES", "BUILTIN"])
@pytest.mark.parametrize("floats", [False, True], ids=["int8", "dynamic"])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(("side", "stride"), [(8, 2), (7, 2), (8, 3), (9, 3), (7, 3)])
def test_the_other_form_gives_the_same_bits(side, stride, padding, floats, kernels):
    model, resolver = strided(side, stride, padding, floats=floats), getattr(OpResolverType, kernels)
    before = run(model, resolver)
    assert gpu_form.rewrite(model) == 1
    assert [*model.subgraphs[0].tensors[0].shape] == [4, 2, 2, 3]
    np.testing.assert_array_equal(run(model, resolver), before)


@pytest.mark.parametrize("right", [{"stride": 1}, {"kernel": 3}], ids=str)
def test_what_the_accelerator_gets_right_is_left_alone(right):
    model = strided(**right)
    data = tflite_file.serialise(model)
    assert gpu_form.phrases(model) == [] and gpu_form.rewrite(model) == 0
    assert tflite_file.serialise(model) == data


def test_the_operator_that_goes_wrong_is_named():
    (phrase,) = gpu_form.phrases(strided())
    assert phrase.startswith("CONV_2D 1 (y): a 1x1 kernel of int8 weights with a stride")


def test_float_weights_are_meant_only_where_asked():
    model = strided()
    model.subgraphs[0].tensors[0].type = schema.TensorType.FLOAT32
    assert gpu_form.strided_pointwise(model) == [] and len(gpu_form.strided_pointwise(model, any_weights=True)) == 1


def test_weights_that_another_operator_reads_are_not_rewritten():
    with pytest.raises(UserError, match="weights is read by another operator too"):
        gpu_form.rewrite(strided(twice=True))


def test_a_tensor_with_the_same_buffer_keeps_its_values():
    model = strided()
    other = schema.TensorT()
    vars(other).update(vars(model.subgraphs[0].tensors[0]))
    other.shape, other.name = [4, 1, 1, 3], b"twin"
    model.subgraphs[0].tensors.append(other)
    before = tflite_file.constant(model, other)
    gpu_form.rewrite(model)
    np.testing.assert_array_equal(tflite_file.constant(model, other), before)
