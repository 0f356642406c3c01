"""What can be wrong with the layers of any model, whatever file they stand in.

A mutant is a function that changes a network in place and tells whether there was something to change. A network has
``layers`` in the order in which they run, ``colours``, whether its input is a picture of three channels, and
``swap_outputs()``, which exchanges the names of two outputs of one shape where it has such.
"""

import dataclasses

import numpy as np

_NOISE = 0.2


@dataclasses.dataclass
class Numbers:
    """A constant as a file stores it.

    Attributes:
        stored: array of floats, or of integers that stand for real numbers.
        scale: of integers: ``real = scale * (stored - zero)``, one number or one for each channel, float64.
        zero: likewise the integers of 0, which may be fractions.
        dimension: axis of the channels.
    """

    stored: np.ndarray
    scale: np.ndarray | None = None
    zero: np.ndarray | None = None
    dimension: int = 0

    def real(self):
        """Return the real numbers, float64."""
        if self.scale is None:
            return self.stored.astype(np.float64)
        return self._along(self.scale) * (self.stored.astype(np.float64) - self._along(self.zero))

    def add(self, values):
        """Add real numbers, rounded and cut as the integers ask for."""
        if self.scale is None:
            self.stored = (self.stored + values).astype(self.stored.dtype)
        else:
            ends = np.iinfo(self.stored.dtype)
            moved = np.rint(self.stored + values / self._along(self.scale))
            self.stored = np.clip(moved, ends.min, ends.max).astype(self.stored.dtype)

    def double(self):
        """Make all numbers twice as large."""
        if self.scale is None:
            self.stored = self.stored * self.stored.dtype.type(2)
        else:
            self.scale = self.scale * 2

    def clear(self):
        """Make all numbers 0, or what is nearest to it."""
        zero = 0 if self.scale is None else np.rint(self._along(self.zero))
        self.stored = np.broadcast_to(zero, self.stored.shape).astype(self.stored.dtype)

    def reorder(self, axis, order):
        """Reorder the numbers along an axis, their scales with them."""
        self.stored = self.stored.take(order, axis)
        if self.scale is not None and self.scale.size > 1 and axis == self.dimension:
            self.scale, self.zero = self.scale[order], self.zero[order]

    def _along(self, numbers):
        sizes = [1] * self.stored.ndim
        if numbers.size > 1:
            sizes[self.dimension] = -1
        return numbers.reshape(sizes)


@dataclasses.dataclass
class Layer:
    """A convolution or matrix product.

    Attributes:
        axes: a letter for each axis of its kernel: O output channels, I input channels, G groups, H, W, D, or 1.
        kernel: its :class:`Numbers`.
        bias: those of its bias, flat, or None.
        product: whether the scale of an integer bias must be that of the kernel times that of the layer's input.
    """

    axes: str
    kernel: Numbers
    bias: Numbers | None = None
    product: bool = False

    def channels(self):
        """Return the real numbers of the kernel, one row for each number of the bias."""
        places = [self.axes.index(letter) for letter in "GO" if letter in self.axes]
        values = np.moveaxis(self.kernel.real(), places, range(len(places)))
        return values.reshape(np.prod(values.shape[: len(places)]), -1)

    def double(self):
        """Make the kernel twice as large and leave the bias as it is."""
        self.kernel.double()
        if self.product and self.bias is not None and self.bias.scale is not None:
            self.bias.double()
            self.bias.stored = np.rint(self.bias.stored / 2).astype(self.bias.stored.dtype)


def kernel_shuffled(network):
    """Shuffle the kernel of the middle layer."""
    layer = _middle(network.layers)
    if layer:
        kernel = layer.kernel.stored
        layer.kernel.stored = np.random.RandomState(0).permutation(kernel.ravel()).reshape(kernel.shape)
    return bool(layer)


def kernel_mirrored(network):
    """Mirror the first kernel from left to right, or from top to bottom, or the inputs of a matrix."""
    for layer in network.layers[:1]:
        axes = [layer.axes.index(letter) for letter in "WH" if letter in layer.axes] or [layer.axes.index("I")]
        for axis in (axis for axis in axes if layer.kernel.stored.shape[axis] > 1):
            layer.kernel.stored = np.flip(layer.kernel.stored, axis)
            return True
    return False


def bias_moved(network):
    """Add the largest bias of the middle layer to that of its middle channel."""
    return _move(network, lambda layer: np.abs(layer.bias.real()).max())


def bias_moved_far(network):
    """Add to one bias of the middle layer what its channel gives for inputs of size 1: the norm of its kernel."""
    return _move(network, lambda layer: np.linalg.norm(layer.channels(), axis=1).max())


def _move(network, distance):
    layer = _middle([layer for layer in network.layers if layer.bias is not None])
    if layer:
        values = np.zeros(layer.bias.stored.shape)
        values[values.size // 2] = distance(layer)
        layer.bias.add(values)
    return bool(layer)


def weights_zeroed(network):
    """Make all kernels 0."""
    for layer in network.layers:
        layer.kernel.clear()
    return bool(network.layers)


def scale_doubled(network):
    """Make the middle kernel twice as large."""
    layer = _middle(network.layers)
    if layer:
        layer.double()
    return bool(layer)


def range_doubled(network):
    """Make the first kernel twice as large, as if inputs came in a range of twice the size."""
    for layer in network.layers[:1]:
        layer.double()
    return bool(network.layers)


def outputs_swapped(network):
    """Exchange two outputs of one shape, or else the first and the last channel of the last layer."""
    if network.swap_outputs():
        return True
    for layer in network.layers[-1:]:
        size = layer.kernel.stored.shape[layer.axes.index("O")] if "O" in layer.axes else 1
        if size > 1 and "G" not in layer.axes:
            order = [size - 1, *range(1, size - 1), 0]
            layer.kernel.reorder(layer.axes.index("O"), order)
            if layer.bias is not None:
                layer.bias.reorder(0, order)
            return True
    return False


def colours_swapped(network):
    """Exchange red and blue in the first kernel."""
    for layer in network.layers[:1]:
        axis = layer.axes.find("I")
        if network.colours and axis >= 0 and layer.kernel.stored.shape[axis] == 3:
            layer.kernel.reorder(axis, [2, 1, 0])
            return True
    return False


def weights_noisy(network):
    """Add noise to all kernels, a fifth of their own spread."""
    random = np.random.RandomState(0)
    for kernel in {id(layer.kernel): layer.kernel for layer in network.layers}.values():
        values = kernel.real()
        kernel.add(_NOISE * values.std() * random.randn(*values.shape))
    return bool(network.layers)


def output_constant(network):
    """Make the last kernel 0."""
    for layer in network.layers[-1:]:
        layer.kernel.clear()
    return bool(network.layers)


def _middle(items):
    return items[len(items) // 2] if items else None


MUTANTS = {
    "kernel shuffled": kernel_shuffled,
    "first kernel mirrored": kernel_mirrored,
    "one bias moved": bias_moved,
    "one bias moved far": bias_moved_far,
    "weights zeroed": weights_zeroed,
    "scale doubled": scale_doubled,
    "range doubled": range_doubled,
    "outputs swapped": outputs_swapped,
    "colours swapped": colours_swapped,
    "20 % noise": weights_noisy,
    "output constant": output_constant,
}


def alike(contract):
    """Return the names of the first two outputs of one dtype and shape, or None."""
    seen = {}
    for entry in contract["outputs"]:
        key = entry["dtype"], tuple(entry["shape"])
        if key in seen:
            return seen[key], entry["name"]
        seen[key] = entry["name"]
    return None


def coloured(contract):
    """Tell whether an input of a contract is a picture of three channels."""
    return any(3 in (entry["shape"][-1], entry["shape"][1]) for entry in contract["inputs"] if len(entry["shape"]) == 4)
