"""Call TensorFlow.js's converter with lists of flags, all in one TensorFlow process, without any repair.

Usage: python tfjs_conversions.py ONEDNN, a JSON list of such lists on standard input. ONEDNN is 0 or 1: whether
TensorFlow may use oneDNN, as it does when it is imported before our launcher.
"""

import json
import os
import pathlib
import sys

os.environ["TF_ENABLE_ONEDNN_OPTS"] = sys.argv[1]
sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "scripts"))

import tensorflow  # noqa: E402, F401

from zoomill.tfjs import tfjs_converter  # noqa: E402

for flags in json.load(sys.stdin):
    tfjs_converter.load().convert(flags)
