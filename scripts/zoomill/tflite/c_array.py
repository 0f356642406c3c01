"""A .tflite file as C source: the array, its header, and the operators that TFLite Micro must register for it."""

import re

from zoomill.detection.postprocess import OP
from zoomill.errors import UserError
from zoomill.tflite.tflite_file import BUILTIN_NAMES

# What MicroMutableOpResolver does not name by the operator's words, each with a capital.
# https://github.com/tensorflow/tflite-micro/blob/main/tensorflow/lite/micro/micro_mutable_op_resolver.h
_METHODS = {
    "BATCH_MATMUL": "AddBatchMatMul",
    "CUMSUM": "AddCumSum",
    "PADV2": "AddPadV2",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "AddUnidirectionalSequenceLSTM",
    OP: "AddDetectionPostprocess",
    "ethos-u": "AddEthosU",  # what Vela compiles operators into
}
_BYTES_IN_A_LINE = 12

_SOURCE = """\
#include "{header}"

alignas(16) const unsigned char {name}_model_data[] = {{
{values}
}};
const unsigned int {name}_model_data_len = {length};
"""

_HEADER = """\
/* A TFLite model of {length} bytes. Its operators, and how often each occurs:
{counts}
 */
#ifndef {upper}_MODEL_DATA_H_
#define {upper}_MODEL_DATA_H_

/* How many operators a tflite::MicroMutableOpResolver must hold. */
#define {upper}_OP_COUNT {count}
{memory}
#ifdef __cplusplus
extern "C" {{
#endif

/* Aligned to 16 bytes. */
extern const unsigned char {name}_model_data[];
extern const unsigned int {name}_model_data_len;

#ifdef __cplusplus
}}

/* Registers the operators, and no other, with a resolver; false where it refuses one. */
template <typename Resolver>
bool {name}_add_ops(Resolver& resolver) {{
  return {calls};
}}
#endif

#endif /* {upper}_MODEL_DATA_H_ */
"""

_ARENA = """
/* Bytes of a tflite::MicroInterpreter's arena: an upper bound, measured on a host of 64 bits with TFLite Micro's own
 * kernels. Pointers of 32 bits take less; the kernels of a vendor may take more. */
#define {upper}_ARENA_BYTES {arena}
"""


def source(name, data, header):
    """Return the C++ source (C++11) that defines ``<name>_model_data``, aligned to 16 bytes, and its length.

    Args:
        name: start of all names, a C identifier.
        data: the file's bytes.
        header: name of the header's file.

    Raises:
        UserError: when ``name`` is no C identifier, or the header's name could not stand in a C source.
    """
    _check_name(name)
    if not re.fullmatch(r"[A-Za-z0-9_.+-]+", header):
        raise UserError(f"{header!r}: cannot stand in a C source; give the file another name")
    digits = [f"0x{byte:02x}," for byte in data]
    starts = range(0, len(digits), _BYTES_IN_A_LINE)
    values = "\n".join("    " + " ".join(digits[start : start + _BYTES_IN_A_LINE]) for start in starts)
    return _SOURCE.format(header=header, name=name, values=values, length=len(data))


def header(name, length, operators, arena=None):
    """Return the header, for C and C++, that declares the array and registers the operators.

    TFLite Micro is not included: the resolver's type is a template parameter. An operator that a program's TFLite Micro
    lacks is a compile error that names it, but only where the registration is used.

    Args:
        name: start of all names, a C identifier.
        length: bytes of the file.
        operators: ``{operator name: count}``, as :func:`zoomill.tflite.tflite_file.operators` returns it.
        arena: bytes of memory that the file takes, None where nobody knows.

    Raises:
        UserError: when ``name`` is no C identifier, or an operator is none that a resolver registers.
    """
    _check_name(name)
    calls = [f"resolver.{_method(name, operator)}() == 0" for operator in sorted(operators)]
    return _HEADER.format(
        name=name,
        upper=name.upper(),
        length=length,
        count=len(operators),
        memory="" if arena is None else _ARENA.format(upper=name.upper(), arena=arena),
        counts="\n".join(f" *   {operator} {operators[operator]}" for operator in sorted(operators)),
        calls=" &&\n         ".join(calls) or "true",
    )


def _check_name(name):
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise UserError(f"{name}: is no C identifier; set c_name in the model's card")


def _method(name, operator):
    """Return the method of MicroMutableOpResolver that registers an operator: ``AddConv2D`` for ``CONV_2D``."""
    if operator not in _METHODS and operator not in BUILTIN_NAMES:
        raise UserError(f"{name}: TFLite Micro has no method that registers the custom operator {operator!r}")
    return _METHODS.get(operator) or "Add" + operator.title().replace("_", "")
