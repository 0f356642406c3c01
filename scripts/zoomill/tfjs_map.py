"""The output map: which tensor of a TensorFlow.js model is which output of the source, and how sure that is."""

from zoomill import parity
from zoomill.errors import UserError


def check(runs, contract, golden, tolerance):
    """Raise a UserError when an output is further from the golden one than ``tolerance`` times its peak."""
    given = iter(runs)
    for name, errors in parity.of_outputs(lambda *_: next(given), contract, golden).items():
        if not errors["max_abs"] <= tolerance * max(1, errors["peak"]):
            raise UserError(f"{name} differs from the source by {errors['max_abs']:.3g}")
