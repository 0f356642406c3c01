"""Reading .weights files (``load_weights_upto`` in Darknet's src/parser.c)."""

import struct

import numpy as np

from zoomill.errors import UserError

# normalize_cpu in Darknet's src/blas.c adds it to the square root of the variance, not to the variance.
_EPSILON = 0.000001


class Weights:
    """The parameters of a network, taken in the order of its layers.

    Args:
        path: the .weights file: major, minor and revision as int32, the number of pictures seen in training as uint64
            (uint32 before version 0.2), then float32 values, all little-endian.

    Raises:
        UserError: when the file cannot be read or is no .weights file of the known kind.
    """

    def __init__(self, path):
        self._path, self._next = path, 0
        try:
            with open(path, "rb") as file:
                data = file.read()
        except OSError as error:
            raise UserError(f"{path}: cannot be read: {error.strerror}") from error
        if len(data) < 16:
            raise UserError(f"{path}: has {len(data)} bytes, too few for the header of a .weights file")
        major, minor, _ = struct.unpack_from("<iii", data)
        if not (0 <= major < 1000 and 0 <= minor < 1000):  # from 1000 on: old files with transposed matrices
            raise UserError(f"{path}: has version {major}.{minor}, only .weights files up to 999.999 are supported")
        self._body = data[20 if major * 10 + minor >= 2 else 16 :]

    def convolution(self, section, filters, channels, size):
        """Take the parameters of a convolution, batch normalisation folded into them.

        Args:
            section: the :class:`~zoomill.inspect.darknet_cfg.Section` of the layer.
            filters: number of output channels.
            channels: number of input channels of one group.
            size: height and width of the kernel.

        Returns:
            kernel ``[size, size, channels, filters]`` and bias ``[filters]``, both float32.
        """
        bias = self._take(section, filters)
        factor, bias = self._normalisation(section, bias)
        kernel = self._take(section, filters * channels * size * size).reshape(filters, channels, size, size)
        return self._folded(section, kernel, factor, bias)

    def connection(self, section, outputs, shape):
        """Take the parameters of a fully connected layer, as a convolution whose kernel covers the whole input.

        Args:
            section: the section of the layer.
            outputs: number of outputs.
            shape: height, width and channels of the input, which Darknet flattens channels first.

        Returns:
            kernel ``[height, width, channels, outputs]`` and bias ``[outputs]``, both float32.
        """
        height, width, channels = shape
        bias = self._take(section, outputs)
        kernel = self._take(section, outputs * height * width * channels)
        factor, bias = self._normalisation(section, bias)
        return self._folded(section, kernel.reshape(outputs, channels, height, width), factor, bias)

    def finish(self, config):
        """Check that nothing is left over.

        Args:
            config: path of the .cfg file, for the message.
        """
        used = 4 * self._next
        if used != len(self._body):
            raise UserError(
                f"{self._path}: has {len(self._body)} bytes of parameters, {config} uses {used}: "
                f"{len(self._body) - used} bytes are left over; do the two files belong together?"
            )

    def _take(self, section, count):
        """Return the next ``count`` values as float64."""
        start, self._next = self._next, self._next + count
        if 4 * self._next > len(self._body):
            raise section.error(
                f"needs {4 * self._next} bytes of parameters so far, {self._path} has {len(self._body)}; "
                "is it cut off, or do the two files not belong together?"
            )
        return np.frombuffer(self._body, "<f4", count, 4 * start).astype(np.float64)

    def _normalisation(self, section, bias):
        """Return what a layer's batch normalisation, if it has one, makes of its sums: a factor and a new bias."""
        if not section.integer("batch_normalize", 0):
            return 1.0, bias
        scale, mean, variance = (self._take(section, len(bias)) for _ in range(3))
        with np.errstate(invalid="ignore"):
            factor = scale / (np.sqrt(variance) + _EPSILON)
        return factor, bias - mean * factor

    def _folded(self, section, kernel, factor, bias):
        """Return an OIHW kernel as HWIO, times the factor of each filter, and the bias, both as float32."""
        kernel = kernel.transpose(2, 3, 1, 0) * factor
        if not (np.isfinite(kernel).all() and np.isfinite(bias).all()):
            raise section.error(f"{self._path} gives values that are no numbers; do the two files belong together?")
        return kernel.astype(np.float32), bias.astype(np.float32)
