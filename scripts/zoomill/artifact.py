"""What is true of every .tflite artifact: how it is finished, and what it must be before it is delivered."""

import dataclasses

import numpy as np

from zoomill import files, tflite_file
from zoomill.errors import UserError
from zoomill.postprocess import OP, Options


@dataclasses.dataclass(frozen=True)
class Variant:
    """What a variant's file must look like.

    Attributes:
        converter: the start of the file's description.
        weight_dtypes: the dtypes in which weights of more than 1024 elements may be stored.
    """

    converter: str
    weight_dtypes: frozenset


VARIANTS = {
    "float32": Variant("MLIR Converted.", frozenset({"float32"})),
    "float16": Variant("MLIR Converted.", frozenset({"float16"})),
    "dynamic": Variant("MLIR Converted.", frozenset({"int8"})),
    "toco_float32": Variant("TOCO Converted.", frozenset({"float32"})),
}


def finish(path, contract, variant, output):
    """Read a converter's file, name its tensors, add the signature, check it and write it to ``output``."""
    deliver(tflite_file.read(path), contract, variant, output)


def deliver(model, contract, variant, output):
    """Name the tensors of ``model``, add the contract's signature, check the whole and write it to ``output``.

    Args:
        model: ``ModelT`` of :mod:`zoomill.tflite_file`, changed in place.
        contract: the contract of the graph.
        variant: a key of :data:`VARIANTS`.
        output: path of the artifact; its bytes depend on nothing but the model.

    Raises:
        UserError: when the file would not be what the contract and the variant promise.
    """
    try:
        tflite_file.canonicalise(model)
        tflite_file.simplify_names(model)
        tflite_file.set_signature(model, contract)
        data = tflite_file.serialise(model)
        problems = find_problems(model, data, contract, VARIANTS[variant])
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
    wrong = tflite_file.weight_dtypes(model) - variant.weight_dtypes
    if wrong:
        problems.append(f"weights are {', '.join(sorted(wrong))}")
    found = tflite_file.postprocess_options(model)
    if found:
        problems += Options(**contract["postprocess"]).differences(found)
    problems += interface_problems(data, contract)
    return problems


def interface_problems(data, contract):
    """Load the file in LiteRT and compare names, dtypes and shapes of its signature with the contract."""
    from ai_edge_litert.interpreter import Interpreter

    try:
        interpreter = Interpreter(model_content=data)
        interpreter.allocate_tensors()
        runner = interpreter.get_signature_runner(tflite_file.SIGNATURE)
    except (RuntimeError, ValueError) as error:
        return [f"LiteRT cannot load it: {str(error).splitlines()[0]}"]
    problems = []
    for side, details in (("inputs", runner.get_input_details()), ("outputs", runner.get_output_details())):
        for promise in contract[side]:
            found = details[promise["name"]]
            dtype, shape = np.dtype(found["dtype"]).name, [int(size) for size in found["shape"]]
            # The op's outputs get their shape when it first runs.
            if dtype != promise["dtype"] or (shape and shape != promise["shape"]):
                problems.append(
                    f"{promise['name']} is {dtype} {shape}, the contract says {promise['dtype']} {promise['shape']}"
                )
    return problems
