"""What is told of a file that Vela has compiled."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from small_models import Builder

from zoomill.tflite import tflite_file, vela


def test_an_operator_of_the_accelerator_without_outputs_is_not_left_to_the_cpu():
    builder = Builder()
    given, found = (builder.tensor(name, [1, 4], np.float32) for name in ("x", "y"))
    sizes = builder.tensor("sizes", np.array([1, 4], np.int32))
    for outputs in ([found], []):
        builder.operator("RESHAPE", [given, sizes], outputs, schema.ReshapeOptionsT())
    model = builder.build([given], [found])
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode, code.version = vela.OPERATOR.encode(), 1
    model.operatorCodes.append(code)
    model.subgraphs[0].operators[1].opcodeIndex = len(model.operatorCodes) - 1
    said = "Warning (supported operators) operator: Reshape, ofm: 'y'\nReason: too wide (y)\n"
    left = vela._left(tflite_file.serialise(model), None, said)
    assert left == [{"operator": "RESHAPE", "reason": "too wide", "count": 1}]
