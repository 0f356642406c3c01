"""What is true of every .tflite artifact: how it is finished, and what it must be before it is delivered."""

import dataclasses
import json

import numpy as np

from zoomill import files
from zoomill.detection.postprocess import OP, Options
from zoomill.errors import UserError
from zoomill.tflite import metadata, tflite_file
from zoomill.tflite.runtime import KERNELS, refusal
from zoomill.toco import uint8_input


@dataclasses.dataclass(frozen=True)
class Variant:
    """What a variant's file must look like: those columns of its row in the table of variants, a float file's without.

    Attributes:
        name: of the variant.
        converter: the start of the file's description.
        weights: the dtypes in which weights of more than 1024 elements may be stored.
        ends: the dtype of float inputs and outputs; those of TFLite_Detection_PostProcess stay in float.
        stated_inputs: whether scale and zero point of an input are those of :mod:`zoomill.toco.uint8_input`.
        quantiser: what made the numbers small, empty for float32.
        for_gpu: whether convolutions have the form of :mod:`zoomill.tflite.gpu_form`.
    """

    name: str
    converter: str = "MLIR Converted."
    weights: tuple = ("float32",)
    ends: str = "float32"
    stated_inputs: bool = False
    quantiser: str = ""
    for_gpu: bool = False


def add_argument(parser, required=True):
    """Add the flag ``--variant``, a :class:`Variant` as a JSON object."""
    parser.add_argument(
        "--variant",
        type=lambda text: Variant(**json.loads(text)),
        required=required,
        help="JSON object: name; weights, ends, converter, quantiser, stated_inputs where they are not a float file's",
    )


def finish(path, contract, variant, output):
    """Read a converter's file, name its tensors, add the signature, check it and write it to ``output``."""
    deliver(tflite_file.read(path), contract, variant, output)


def deliver(model, contract, variant, output):
    """Name the tensors of ``model``, add the contract's signature and metadata, check all and write it to ``output``.

    Args:
        model: ``ModelT`` of :mod:`zoomill.tflite.tflite_file`, changed in place.
        contract: the contract of the graph.
        variant: :class:`Variant`.
        output: path of the artifact; its bytes depend on nothing but the model.

    Raises:
        UserError: when the file would not be what the contract and the variant promise.
    """
    try:
        tflite_file.canonicalise(model)
        tflite_file.simplify_names(model)
        tflite_file.set_signature(model, contract)
        data = metadata.added(model, contract)
        problems = find_problems(model, data, contract, variant)
    except UserError as error:
        problems = [str(error)]
    if problems:
        raise UserError(f"{contract['model']}: {output}: {'; '.join(problems)}")
    files.write_bytes(output, data)


def find_problems(model, data, contract, variant):
    """Return one phrase for everything in which a file differs from its promises.

    A converter's exit code proves little: several ways to a wrong file end with success.
    """
    described = tflite_file.describe(model)
    problems = []
    if not described["converter"].startswith(variant.converter):
        problems.append(f"made by {described['converter']!r} instead of {variant.converter!r}")
    custom = set(described["operators"]) - set(tflite_file.BUILTIN_NAMES) - {OP}
    if custom:
        problems.append(f"has operators that no runtime knows: {', '.join(sorted(custom))}")
    hybrid = {
        tflite_file.operator_name(model, operator)
        for operator in model.subgraphs[0].operators
        if tflite_file.takes_floats_for_integers(model, operator)
    }
    if hybrid:
        problems.append(f"operators read floats and give integers: {', '.join(sorted(hybrid))}")
    for dtype, readers in sorted(tflite_file.weight_dtypes(model).items()):
        if dtype not in variant.weights:
            problems.append(f"weights are {dtype}: {readers[0]}")
    found = tflite_file.postprocess_options(model)
    if found:
        problems += Options(**contract["postprocess"]).differences(found)
    problems += interface_problems(data, contract, variant.ends, "float32" if found else variant.ends)
    problems += metadata.find_problems(model, data, contract)
    if variant.stated_inputs:
        problems += _input_problems(model, contract)
    return problems


def interface_problems(data, contract, inputs="float32", outputs="float32"):
    """Load the file in LiteRT and compare names, dtypes and shapes of its signature with the contract.

    The built-in kernels decide: those of XNNPACK know fewer operators.

    Args:
        data: bytes of the file.
        contract: contract of its graph.
        inputs, outputs: dtype that the file has where the contract says float32.
    """
    from ai_edge_litert.interpreter import Interpreter

    try:
        interpreter = Interpreter(model_content=data, experimental_op_resolver_type=KERNELS["builtin"])
        interpreter.allocate_tensors()
        runner = interpreter.get_signature_runner(tflite_file.SIGNATURE)
    except (RuntimeError, ValueError) as error:
        return [f"LiteRT cannot load it: {refusal(error)}"]
    problems = []
    sides = ("inputs", inputs, runner.get_input_details()), ("outputs", outputs, runner.get_output_details())
    for side, stored, details in sides:
        for promise in contract[side]:
            found = details[promise["name"]]
            dtype, shape = np.dtype(found["dtype"]).name, [int(size) for size in found["shape"]]
            # The op's outputs get their shape when it first runs.
            wanted = stored if promise["dtype"] == "float32" else promise["dtype"]
            if dtype != wanted or (shape and shape != promise["shape"]):
                problems.append(f"{promise['name']} is {dtype} {shape} instead of {wanted} {promise['shape']}")
    return problems


def _input_problems(model, contract):
    """Compare scales and zero points of a file's inputs with those that follow from the contract's value ranges."""
    problems = []
    graph = model.subgraphs[0]
    for index, promise in zip(graph.inputs, contract["inputs"], strict=True):
        mean, std = uint8_input.statistics(promise)
        stored = graph.tensors[index].quantization
        scale, zero_point = (0 if end is None else end[0] for end in (stored.scale, stored.zeroPoint))
        if (np.float32(scale), zero_point) != (np.float32(1 / std), mean):
            problems.append(
                f"{promise['name']} has scale {scale:g} and zero point {zero_point} instead of {1 / std:g} and {mean}"
            )
    return problems
