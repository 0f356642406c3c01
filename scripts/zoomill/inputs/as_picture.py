"""From values of a model back to the picture that they stand for: :mod:`zoomill.inputs.preprocess`, undone."""

import numpy as np


def of_input(promise, values):
    """Return the picture that an input was made of, as far as the input holds it: a letterbox stays.

    Args:
        promise: the input's entry in the contract, which has a layout and a colour.
        values: of the input, batch of one included or not.

    Returns:
        uint8 ``[height, width, 3]``, RGB, or ``[height, width, 1]``, grey.
    """
    pixels = values.reshape(promise["shape"][1:])
    if promise["layout"] == "NCHW":
        pixels = np.moveaxis(pixels, 0, -1)
    if promise["value_range"]:
        pixels = eight_bit(pixels, promise["value_range"])
    return np.ascontiguousarray(pixels[..., ::-1] if promise["colour"] == "BGR" else pixels, np.uint8)


def channels_last(values):
    """Return a picture ``[1, height, width, 3 or 1]`` or channels first without its batch, channels last."""
    return values[0] if values.shape[3] in (1, 3) else np.moveaxis(values[0], 0, -1)


def eight_bit(values, limits):
    """Return values as uint8 from 0 to 255, rounded and cut; what is no number is 0.

    Args:
        values: array, channels last.
        limits: the values that become 0 and 255, or a list of each for the channels.
    """
    low, high = (np.asarray(end, np.float64) for end in limits)
    scaled = np.nan_to_num((values.astype(np.float64) - low) / (high - low) * 255)
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
