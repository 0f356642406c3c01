"""Every layer of Darknet against the real library and against OpenCV, on small networks with random parameters."""

import json
import os
import struct
import subprocess
import sys

import numpy as np
import pytest
from conftest import REPOSITORY, missing

LIBRARY = "/usr/lib/darknet/libdarknet.so"
CARD = json.dumps({"inputs": [], "outputs": [], "labels": [], "label_offset": 0})
HEIGHT, WIDTH = 12, 10  # not square, so that a mix-up shows


class Net:
    """A small network, put together layer by layer.

    Args:
        references: what else can run it: ``darknet``, ``opencv``.
    """

    def __init__(self, *references, height=HEIGHT, width=WIDTH):
        self.references, self.random = references, np.random.default_rng(0)
        self.text, self.values = f"[net]\nheight={height}\nwidth={width}\nchannels=3\n", []

    def add(self, kind, **options):
        """Add a section without parameters."""
        self.text += f"\n[{kind}]\n" + "".join(f"{key}={value}\n" for key, value in options.items())
        return self

    def conv(self, channels, filters, size=3, *, groups=1, normalised=1, **options):
        """Add a convolution of ``channels`` channels."""
        given = {"filters": filters, "size": size, "groups": groups, "batch_normalize": normalised}
        self.add("convolutional", **given, **options)
        self._bias(filters, normalised)
        return self._kernel(filters, channels // groups * size * size)

    def connected(self, inputs, outputs, *, normalised=0, **options):
        """Add a fully connected layer; Darknet keeps its normalisation behind the matrix."""
        self.add("connected", output=outputs, batch_normalize=normalised, **options)
        self._bias(outputs, 0)
        self._kernel(outputs, inputs)
        if normalised:
            self._normalisation(outputs)
        return self

    def _bias(self, filters, normalised):
        self.values.append(self.random.normal(0, 0.1, filters))
        if normalised:
            self._normalisation(filters)

    def _normalisation(self, filters):
        bounds = (0.5, 1.5), (-0.1, 0.1), (0.5, 1.5)
        self.values += [self.random.uniform(*ends, filters) for ends in bounds]

    def _kernel(self, filters, inputs):
        self.values.append(self.random.normal(0, 1.5 / np.sqrt(inputs), filters * inputs))
        return self

    def write(self, folder):
        """Write the two files."""
        (folder / "model.cfg").write_text(self.text)
        values = np.concatenate([*self.values, []]).astype("<f4")
        (folder / "model.weights").write_bytes(struct.pack("<iiiQ", 0, 2, 5, 64) + values.tobytes())
