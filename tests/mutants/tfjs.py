"""Wrong TensorFlow.js models."""

import base64
import math
import shutil

import numpy as np

from mutants import weights
from zoomill.tfjs import tfjs_model, tfjs_runtime

_LAYERS = {
    "Conv2D": "HWIO",
    "_FusedConv2D": "HWIO",
    "DepthwiseConv2dNative": "HWGO",
    "FusedDepthwiseConv2dNative": "HWGO",
    "Conv2DBackpropInput": "HWOI",
    "MatMul": "IO",
    "_FusedMatMul": "IO",
}
_SUMS = {"BiasAdd", "Add", "AddV2"}
_ACTIVATIONS = {"Relu", "Relu6", "LeakyRelu", "Elu", "Sigmoid", "Tanh", "Softmax", "Softplus", "Exp"}


class Network:
    """A folder of a TensorFlow.js graph model as layers; see :mod:`mutants.weights`."""

    def __init__(self, path, contract):
        self.path, self.document = path, tfjs_model.read_document(path)
        self.colours, self._alike = weights.coloured(contract), weights.alike(contract)
        self._weights = tfjs_model.read_weights(path, self.document)
        self._places = {weight.entry["name"]: place for place, weight in enumerate(self._weights)}
        self._numbers = {}
        self._by_name = {node["name"]: node for node in self.document["modelTopology"]["node"]}
        self.nodes = self._ordered()
        layers = [self._layer(node) for node in self.nodes if node["op"] in _LAYERS]
        self.layers = [layer for layer in layers if layer]

    def _ordered(self):
        """Return the nodes, each behind those that it reads."""
        found = {}

        def visit(node):
            if node["name"] not in found:
                for name in node.get("input", []):
                    visit(self._by_name[_node_name(name)])
                found[node["name"]] = node

        for node in self._by_name.values():
            visit(node)
        return list(found.values())

    def _layer(self, node):
        axes, kernel = _LAYERS[node["op"]], self._constant(node["input"][1])
        if kernel is None:
            return None
        if node["attr"].get("transpose_b", {}).get("b"):
            axes = axes[::-1]
        bias = self._constant(node["input"][2]) if node["op"].startswith(("_Fused", "Fused")) else self._bias(node)
        layer = weights.Layer(axes, kernel, bias)
        if bias is not None and bias.stored.size != len(layer.channels()):
            layer.bias = None
        return layer

    def _bias(self, node):
        """Return the constant that is added to what a node gives, or None."""
        for other in self.nodes:
            names = [_node_name(name) for name in other.get("input", [])]
            if other["op"] == "Mul" and node["name"] in names:  # a batch normalisation
                return self._bias(other)
            if other["op"] in _SUMS and node["name"] in names:
                return self._constant(next(name for name in reversed(names) if name != node["name"]))
        return None

    def _constant(self, name):
        """Return the numbers of a weight, behind an Identity too, or None."""
        node = self._by_name[_node_name(name)]
        while node["op"] == "Identity":
            node = self._by_name[_node_name(node["input"][0])]
        if node["name"] not in self._places or self._entry(node["name"])["dtype"] != "float32":
            return None
        return self._numbers.setdefault(node["name"], self._read(node["name"]))

    def _entry(self, name):
        return self._weights[self._places[name]].entry

    def _read(self, name):
        entry = self._entry(name)
        quantised = entry.get("quantization", {})
        dtype = np.dtype(quantised.get("dtype", "float32")).newbyteorder("<")
        stored = np.frombuffer(self._weights[self._places[name]].data, dtype).reshape(entry["shape"])
        if "scale" not in quantised:
            return weights.Numbers(stored)
        scale = float(quantised["scale"])
        return weights.Numbers(stored, np.array([scale]), np.array([-quantised["min"] / scale]))

    def swap_outputs(self):
        """Exchange the tensors of two outputs in the signature."""
        if self._alike:
            outputs = self.document["signature"]["outputs"]
            one, other = self._alike
            outputs[one], outputs[other] = outputs[other], outputs[one]
        return bool(self._alike)

    def save(self, path):
        """Write the folder."""
        shutil.copytree(self.path, path)
        for name, numbers in self._numbers.items():
            entry = dict(self._entry(name))
            if numbers.scale is not None and numbers.scale[0] != entry["quantization"]["scale"]:
                (scale,), (zero,) = numbers.scale, numbers.zero
                entry["quantization"] = {**entry["quantization"], "scale": scale, "min": -zero * scale}
            self._weights[self._places[name]] = tfjs_model.Weight(entry, numbers.stored.tobytes())
        (group,) = self.document["weightsManifest"]
        size = math.ceil(sum(len(weight.data) for weight in self._weights) / len(group["paths"]))
        for name in group["paths"]:
            (path / name).unlink()
        tfjs_model.write_weights(path, self.document, self._weights, max(size, 1))
        tfjs_model.write_document(path, self.document)


def _node_name(name):
    return name.lstrip("^").split(":")[0]


def activation_dropped(network):
    """Take the activation away that the middle node with one has in itself."""
    having = []
    for node in network.nodes:
        fused = node["attr"].get("fused_ops", {}).get("list", {}).get("s", [])
        names = [base64.b64decode(name).decode() for name in fused]
        having += [(fused, names)] if _ACTIVATIONS.intersection(names) else []
    if having:
        fused, names = having[len(having) // 2]
        fused[:] = [stored for stored, name in zip(fused, names, strict=True) if name not in _ACTIVATIONS]
    return bool(having)


def operator_bypassed(network):
    """Make the middle activation of its own an Identity."""
    nodes = [node for node in network.nodes if node["op"] in _ACTIVATIONS]
    if nodes:
        node = nodes[len(nodes) // 2]
        node["op"], node["attr"] = "Identity", {"T": node["attr"]["T"]}
    return bool(nodes)


MUTANTS = weights.MUTANTS | {
    "activation dropped": activation_dropped,
    "operator bypassed": operator_bypassed,
}


def run(path, contract, feeds, library):
    """Return ``[{output name: array}, …]``, one for each feed ``{input tensor: array}``."""
    stacked = {name: np.stack([feed[name] for feed in feeds]) for name in feeds[0]}
    return tfjs_runtime.run_golden(path, contract, stacked, "wasm", library)["outputs"]
