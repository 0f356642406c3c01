"""The real Darknet, through the library of Debian's package ``darknet``.

Meant for a process of its own: the library turns on flush-to-zero when it is loaded, and prints to standard output.
"""

import ctypes
import re
import tempfile

import numpy as np

LIBRARY = "/usr/lib/darknet/libdarknet.so"
# What a [yolo] layer reads of each picture: so many boxes of x, y, width, height and class.
TRUTHS = 90
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


class Matrix(ctypes.Structure):
    """``matrix`` of darknet.h."""

    _fields_ = [("rows", ctypes.c_int), ("columns", ctypes.c_int), ("values", ctypes.POINTER(POINTER))]

    @classmethod
    def of(cls, values):
        """Return a float32 array [rows, columns], which must outlive it, as a matrix."""
        rows = (POINTER * len(values))(*(row.ctypes.data_as(POINTER) for row in values))
        return cls(*values.shape, rows)


class Data(ctypes.Structure):
    """``data`` of darknet.h."""

    _fields_ = [
        ("width", ctypes.c_int),
        ("height", ctypes.c_int),
        ("pictures", Matrix),
        ("truths", Matrix),
        ("shallow", ctypes.c_int),
        ("counts", ctypes.POINTER(ctypes.c_int)),
        ("boxes", ctypes.c_void_p),
    ]


class Network:
    """A network in Darknet.

    Args:
        text: content of the .cfg file.
        weights: path of the .weights file; without one, the weights are random.
        seed: of these.
    """

    def __init__(self, text, weights=None, seed=0):
        self._text, self._library = text, ctypes.CDLL(LIBRARY)
        self._library.load_network.restype = ctypes.c_void_p
        self._library.network_predict.restype = POINTER
        self._library.get_network_boxes.restype = ctypes.POINTER(Detection)
        self._library.train_network.restype = ctypes.c_float
        self._library.train_network.argtypes = [ctypes.c_void_p, Data]
        ctypes.CDLL(None).srand(seed)
        with tempfile.NamedTemporaryFile("w", suffix=".cfg") as copy:
            copy.write(text)
            copy.flush()
            path = str(weights).encode() if weights else None
            self._network = ctypes.c_void_p(self._library.load_network(copy.name.encode(), path, 0))

    @classmethod
    def for_one(cls, text, weights):
        """Return a network for one picture at a time: a training batch would take gigabytes."""
        return cls(re.sub(r"(?m)^\s*(batch|subdivisions)\s*=.*", r"\1=1", text), weights)

    def train(self, pictures, truths):
        """Take one step.

        Args:
            pictures: float32 [batch, channels, height, width].
            truths: float32 [batch, TRUTHS, 5]: centre x and y, width and height relative to the picture, class; 0 at
                the end.

        Returns:
            the loss.
        """
        values = [np.ascontiguousarray(array.reshape(len(array), -1), np.float32) for array in (pictures, truths)]
        return self._library.train_network(self._network, Data(0, 0, *map(Matrix.of, values)))

    def save(self, path):
        """Write a .weights file."""
        self._library.save_weights(self._network, str(path).encode())

    def run(self, picture):
        """Run the network.

        Args:
            picture: float32 [channels, height, width].

        Returns:
            the flat output of the last layer, channels first; where that is a detection head, the boxes of all heads,
            float32 [boxes, 5 + classes]: xmin, ymin, xmax, ymax relative to the picture, objectness, scores.
        """
        library, network = self._library, self._network
        picture = np.ascontiguousarray(picture, np.float32)
        output = library.network_predict(network, picture.ctypes.data_as(POINTER))
        count = ctypes.c_int()
        size = library.network_width(network), library.network_height(network)
        # Below every score, so that nothing is left out; relative to the picture, which has the size of the input.
        threshold, hierarchical = ctypes.c_float(-1), ctypes.c_float(0.5)
        boxes = library.get_network_boxes(network, *size, threshold, hierarchical, None, 1, ctypes.byref(count))
        if not count.value:
            return np.ctypeslib.as_array(output, (library.network_outputs(network),)).copy()
        classes = int(re.search(r"(?m)^\s*classes\s*=\s*(\d+)", self._text)[1])
        found = np.array([boxes[index].row(classes) for index in range(count.value)], np.float32)
        library.free_detections(boxes, count)
        return found
