"""Which float .tflite files cannot be quantised afterwards, and why."""

from zoomill.errors import UserError
from zoomill.tflite import tflite_file

# Operators that run a subgraph of their own, whose tensors nobody can read while it runs.
_LOOPS = {"WHILE", "IF"}


def check(path, model, calibrated):
    """Refuse a float file of which a variant would be wrong, or nothing else than the file itself.

    Args:
        path: of the file, for messages.
        model: its ``ModelT`` of :mod:`zoomill.tflite.tflite_file`.
        calibrated: whether the variant has integer activations.

    Raises:
        UserError: with the operator and what to do.
    """
    operators = tflite_file.operators(model)
    if "QUANTIZE" in operators:
        raise UserError(
            f"{path}: {operators['QUANTIZE']} QUANTIZE in it, of fake-quant nodes, hold its integers already; "
            "take tf_int8, or toco_uint8 of a card that says `toco: {fake_quant: true}`"
        )
    loops = sorted(_LOOPS.intersection(operators))
    if calibrated and loops:
        raise UserError(
            f"{path}: the tensors inside of {loops[0]} cannot be calibrated; make recurrent layers with `unroll=True` "
            "and a fixed length, or take float16 or dynamic"
        )
