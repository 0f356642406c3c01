"""The output map: which tensor of a TensorFlow.js model is which output of the source, and how sure that is."""

import numpy as np

from zoomill import parity, tfjs_runtime
from zoomill.errors import UserError


def run(folder, contract, golden, node, library, backend="cpu"):
    """Run a graph model in Node.

    Args:
        folder, contract, golden, node, library, backend: as for :func:`zoomill.tfjs_runtime.run_golden`.

    Returns:
        ``[{output name: array}, …]``, one for each pinned input.
    """
    measured = tfjs_runtime.run_golden(folder, contract, golden, backend, node, library)
    names = tfjs_runtime.signature_tensors(folder, contract, "outputs")
    return [
        {name: tfjs_runtime.decode(found[key]) for name, key in names.items()} for found in measured["outputs"]
    ]


def check(runs, contract, golden, tolerance):
    """Raise a UserError when an output is further from the golden one than ``tolerance`` times its peak."""
    given = iter(runs)
    for name, errors in parity.of_outputs(lambda *_: next(given), contract, golden).items():
        if not errors["max_abs"] <= tolerance * max(1, errors["peak"]):
            raise UserError(f"{name} differs from the source by {errors['max_abs']:.3g}")
