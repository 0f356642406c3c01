"""Rows of the table of TFLite variants, as commands and the library are given them."""

import json

from zoomill.plan import variants
from zoomill.tflite import artifact


def flag(name):
    """Return the value of ``--variant``."""
    return json.dumps(variants.promises("tflite", name))


def variant(name):
    """Return the :class:`zoomill.tflite.artifact.Variant`."""
    return artifact.Variant(**variants.promises("tflite", name))
