"""Wrong IRs of OpenVINO."""

import shutil
import xml.etree.ElementTree as xml

import numpy as np

from mutants import weights
from zoomill.openvino import ir

_LAYERS = {"Convolution": "OI", "GroupConvolution": "GOI", "ConvolutionBackpropData": "IO", "MatMul": "IO"}


class Network:
    """A folder of an IR as layers; see :mod:`mutants.weights`. Its weights are changed where they stand."""

    def __init__(self, path, contract):
        self.path, self.colours = path, weights.coloured(contract)
        self._data = bytearray((path / "model.bin").read_bytes())
        tree = xml.parse(path / "model.xml")
        self._nodes = {node.get("id"): node for node in tree.find("layers")}
        ends = [{key: edge.get(key) for key in ("from-layer", "to-layer", "to-port")} for edge in tree.find("edges")]
        self._inputs = {(edge["to-layer"], edge["to-port"]): edge["from-layer"] for edge in ends}
        self._readers = {edge["from-layer"]: edge["to-layer"] for edge in ends}
        self._numbers = {}
        layers = [self._layer(node) for node in self._nodes.values() if node.get("type") in _LAYERS]
        self.layers = [layer for layer in layers if layer]

    def _layer(self, node):
        kernel = self._constant(node.get("id"), "1")
        if kernel is None:
            return None
        axes = _LAYERS[node.get("type")]
        if node.get("type") == "MatMul":
            axes = axes[::-1] if node.find("data").get("transpose_b") == "true" else axes
        else:
            axes += "DHW"[-(kernel.stored.ndim - len(axes)) :]
        layer = weights.Layer(axes, kernel)
        reader = self._nodes[self._readers[node.get("id")]]
        while reader.get("type") == "Multiply":  # a batch normalisation
            reader = self._nodes[self._readers[reader.get("id")]]
        bias = self._constant(reader.get("id"), "1") if reader.get("type") == "Add" else None
        if bias is not None and bias.stored.size == len(layer.channels()):
            bias.stored = bias.stored.ravel()
            layer.bias = bias
        return layer

    def _constant(self, reader, port):
        """Return the numbers of a float32 constant, or None."""
        node = self._nodes.get(self._inputs.get((reader, port)))
        if node is None or node.get("type") != "Const" or node.find("data").get("element_type") != "f32":
            return None
        data = node.find("data")
        start, size = int(data.get("offset")), int(data.get("size"))
        if start not in self._numbers:
            stored = np.frombuffer(bytes(self._data[start : start + size]), "<f4")
            sizes = [int(number) for number in data.get("shape").split(",") if number.strip()]
            self._numbers[start] = weights.Numbers(stored.reshape(sizes))
        return self._numbers[start]

    def swap_outputs(self):
        """Leave outputs alone, which have their names in the nodes before them."""
        return False

    def save(self, path):
        """Write the folder."""
        shutil.copytree(self.path, path)
        for start, numbers in self._numbers.items():
            data = numbers.stored.astype("<f4").tobytes()
            self._data[start : start + len(data)] = data
        (path / "model.bin").write_bytes(self._data)


MUTANTS = weights.MUTANTS


def run(path, contract, feeds):
    """Return ``[{output name: array}, …]``, one for each feed ``{input tensor: array}``."""
    artifact = ir.Artifact(path)
    return [artifact(contract, feed) for feed in feeds]
