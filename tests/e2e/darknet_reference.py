"""Run the real Darknet on one input, in a process of its own: its library turns on flush-to-zero when it is loaded.

Usage: python darknet_reference.py CONFIG WEIGHTS INPUT.npy OUTPUT.npy

INPUT.npy is float32 ``[channels, height, width]``. OUTPUT.npy is the flat output of the last layer, channels first;
where that is a detection head, the boxes of all heads, ``[boxes, 5 + classes]``: xmin, ymin, xmax, ymax relative to the
image, objectness, scores.
"""

import ctypes
import os
import re
import subprocess
import sys
import tempfile

import numpy as np

LIBRARY = "/usr/lib/darknet/libdarknet.so"
POINTER = ctypes.POINTER(ctypes.c_float)


class Detection(ctypes.Structure):
    """``detection`` of darknet.h."""

    _fields_ = [
        ("box", ctypes.c_float * 4),
        ("classes", ctypes.c_int),
        ("probabilities", POINTER),
        ("mask", POINTER),
        ("objectness", ctypes.c_float),
        ("sort_class", ctypes.c_int),
    ]

    def row(self, classes):
        """Return the detection as a list of 5 + classes numbers; ``self.classes`` is set for [yolo] only."""
        x, y, width, height = self.box
        corners = [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
        return [*corners, self.objectness, *self.probabilities[:classes]]


def load(text, weights):
    """Return the library and a network for a batch of one: a training batch would take gigabytes."""
    darknet = ctypes.CDLL(LIBRARY)
    darknet.load_network.restype = ctypes.c_void_p
    darknet.network_predict.restype = POINTER
    darknet.get_network_boxes.restype = ctypes.POINTER(Detection)
    with tempfile.NamedTemporaryFile("w", suffix=".cfg") as copy:
        copy.write(re.sub(r"(?m)^\s*(batch|subdivisions)\s*=.*", r"\1=1", text))
        copy.flush()
        return darknet, ctypes.c_void_p(darknet.load_network(copy.name.encode(), weights.encode(), 0))


def output_of(config, weights, image, folder):
    """Return what the real Darknet makes of ``image``, for tests; ``folder`` takes two files."""
    from conftest import missing

    if not os.path.exists(LIBRARY):
        missing(f"{LIBRARY} is not there; `apt-get install darknet` installs it")
    np.save(folder / "image.npy", image)
    files = [config, weights, folder / "image.npy", folder / "output.npy"]
    subprocess.run([sys.executable, __file__, *files], check=True, capture_output=True)
    return np.load(folder / "output.npy")


def main(config, weights, source, target):
    """Write the output."""
    with open(config, encoding="utf-8") as file:
        text = file.read()
    darknet, network = load(text, weights)
    image = np.ascontiguousarray(np.load(source), np.float32)
    output = darknet.network_predict(network, image.ctypes.data_as(POINTER))
    found = np.ctypeslib.as_array(output, (darknet.network_outputs(network),))
    count = ctypes.c_int()
    size = darknet.network_width(network), darknet.network_height(network)
    # Below every score, so that nothing is left out; relative to the image, which has the size of the network's input.
    threshold, hierarchical = ctypes.c_float(-1), ctypes.c_float(0.5)
    boxes = darknet.get_network_boxes(network, *size, threshold, hierarchical, None, 1, ctypes.byref(count))
    if count.value:
        classes = int(re.search(r"(?m)^\s*classes\s*=\s*(\d+)", text)[1])
        found = np.array([boxes[index].row(classes) for index in range(count.value)], np.float32)
    np.save(target, found)


if __name__ == "__main__":
    main(*sys.argv[1:])
