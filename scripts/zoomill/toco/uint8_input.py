"""How a uint8 input stores the values of its contract, where nobody has measured them. Must run under Python 3.7."""

import math

from zoomill.errors import UserError


def statistics(promise):
    """Return ``--mean_values`` and ``--std_values`` of TOCO: the zero point of an input, and 1 / its scale.

    A real value is ``(stored - mean) / std``. The lowest value is stored as 0, and zero as a whole number: -1 to 1
    gives 128 and 128, as in the Object Detection API's own files, where 255 is 0.992.

    Args:
        promise: the contract's entry of the input.

    Raises:
        UserError: when it has no ``value_range``.
    """
    if promise.get("value_range") is None:
        raise UserError("the input {} has no value_range; give it under `inputs` in the card".format(promise["name"]))
    ends = [0.0]
    for end in promise["value_range"]:
        ends += end if isinstance(end, list) else [end]
    low, high = min(ends), max(ends)
    mean = math.floor(-low * 255 / (high - low) + 0.5)
    return mean, mean / -low if mean else 255 / high
