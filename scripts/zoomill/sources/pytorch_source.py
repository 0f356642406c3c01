"""PyTorch models: run by PyTorch itself, written as ONNX, and with channels last for a converter.

PyTorch's names are poor: those of the inputs are the arguments of ``forward``, and outputs have none, so that the card
names them.
"""

import dataclasses
import logging
import os

import numpy as np

from zoomill.errors import UserError
from zoomill.framework import refusing
from zoomill.graph.source import Source, Tensor, promises
from zoomill.inspect import pytorch_archive
from zoomill.inspect.tensor_names import contract_names
from zoomill.sources import onnx_source
from zoomill.sources.onnx_source import CHANNELS_LAST, Value, order_of

# What run_pytorch writes, and :func:`load` reads.
ONNX, GOLDEN = "model.onnx", "golden.npz"
# Operators of a program that branch or loop, and what PyTorch, TorchScript and ONNX call them.
_CONTROL_FLOW = {
    "cond": "torch.cond, prim::If of TorchScript, If of ONNX",
    "while_loop": "while_loop, prim::Loop of TorchScript, Loop of ONNX",
    "map_impl": "torch.map, Loop of ONNX",
    "scan": "torch.scan, Scan of ONNX",
}


def load(folder, options, expected):
    """Return a model that run_pytorch has run, see :mod:`zoomill.sources.exporter`.

    Args:
        folder: with :data:`ONNX` and :data:`GOLDEN`, inputs in the graph's order, outputs in PyTorch's.
        options, expected: as of any source.
    """
    path = os.path.join(folder, ONNX)
    converted = onnx_source.to_graph(onnx_source.read(path), expected["inputs"], options.get("keep_layout", ()), path)
    with np.load(os.path.join(folder, GOLDEN)) as stored:
        golden = dict(stored)
    for value in converted.results:
        golden[value.contract_name] = np.stack([value.to_graph(array) for array in golden[value.contract_name]])
    rows = [dict(zip(golden, arrays, strict=True)) for arrays in zip(*golden.values(), strict=True)]

    def run(feed):
        raise UserError(f"{folder}: has the golden outputs only; predict_pytorch runs the model on samples")

    return Source(converted.graph, converted.inputs, converted.outputs, run, converted.notes(), rows=rows)


@dataclasses.dataclass(frozen=True)
class Network:
    """A loaded model with fixed shapes.

    Attributes:
        origin: path, for messages.
        network: module of PyTorch.
        inputs: :class:`~zoomill.sources.onnx_source.Value` entries, in the order of ``forward``.
        promises: their contract entries.
    """

    origin: str
    network: object
    inputs: list
    promises: list

    def example(self, feed):
        """Return ``{input name: array}``, arrays in the graph's order, as a tuple of tensors in PyTorch's order."""
        import torch

        return tuple(torch.from_numpy(value.to_source(feed[value.contract_name])) for value in self.inputs)

    def zeros(self):
        """Return a feed of zeros."""
        return {promise["name"]: np.zeros(promise["shape"], promise["dtype"]) for promise in self.promises}

    def run(self, feed):
        """Return the outputs as arrays in PyTorch's order, nested ones in a row.

        Raises:
            UserError: when PyTorch cannot run the model on inputs of these shapes.
        """
        import torch

        with torch.no_grad(), refusing(f"{self.origin}: PyTorch cannot run it on inputs of the card's shapes"):
            return [tensor.numpy() for tensor in _flat(self.network(*self.example(feed)))]

    def output_names(self):
        """Return the names of the outputs in PyTorch's order: their keys where they are in a dict.

        One without a key, or whose key is the name of an input, is called after its place.
        """
        import torch
        from torch.utils._pytree import MappingKey, tree_flatten_with_path

        with torch.no_grad(), refusing(f"{self.origin}: PyTorch cannot run it on inputs of the card's shapes"):
            leaves, _ = tree_flatten_with_path(self.network(*self.example(self.zeros())))
        names = []
        for number, (path, _) in enumerate(leaves):
            keys = [str(step.key if isinstance(step, MappingKey) else step.idx) for step in path]
            keyed = any(isinstance(step, MappingKey) for step in path)
            names.append("_".join(keys) if keyed else f"output_{number}")
        taken = {promise["name"] for promise in self.promises}
        names = contract_names(names, self.origin)
        return [f"output_{number}" if name in taken else name for number, name in enumerate(names)]

    def record(self, feeds, names):
        """Return ``[{input or output name: array}, …]``: inputs in the graph's order, outputs in PyTorch's.

        Args:
            feeds: list of ``{input name: array}``.
            names: of the outputs, None for one that keeps its own; empty when all do.

        Raises:
            UserError: when the names are not as many as the outputs, or the outputs change from run to run.
        """
        first, again, own = self.run(feeds[0]), self.run(feeds[0]), self.output_names()
        names = names or own
        if len(names) != len(own):
            raise UserError(f"{self.origin}: the card has {len(names)} outputs, the source {len(own)}")
        names = [name or key for name, key in zip(names, own, strict=True)]
        if not all(np.allclose(a, b, atol=1e-4, equal_nan=True) for a, b in zip(first, again, strict=True)):
            raise UserError(
                f"{self.origin}: gives other outputs for the same input; call model.eval() before saving it"
            )
        return [{**feed, **dict(zip(names, self.run(feed), strict=True))} for feed in feeds]

    def program(self):
        """Return the model as an exported program with fixed shapes.

        Raises:
            UserError: when PyTorch cannot trace it, or its numbers decide what it does.
        """
        import torch
        from torch._export.converter import TS2EPConverter

        example, network = self.example(self.zeros()), self.network
        if isinstance(network, torch.jit.ScriptModule):
            with refusing(f"{self.origin}: PyTorch makes no exported program of it; trace it, do not script it"):
                network = TS2EPConverter(network, example).convert().module()
        with refusing(f"{self.origin}: PyTorch cannot make an exported program of it"):
            program = torch.export.export(network, example)
        for node in program.graph.nodes:
            if str(node.target) in _CONTROL_FLOW:
                raise UserError(
                    f"{self.origin}: its numbers decide what it does ({_CONTROL_FLOW[str(node.target)]}), which the "
                    "graph cannot; save the branch or the steps that you need, as torch.jit.trace(model, example) does"
                )
        return program

    def to_onnx(self, output_names):
        """Return the model as serialised ONNX, inputs and outputs in PyTorch's order.

        Raises:
            UserError: when PyTorch cannot export an operator.
        """
        import torch

        names = {"input_names": [value.contract_name for value in self.inputs], "output_names": output_names}
        program, example = self.program(), self.example(self.zeros())
        with refusing(f"{self.origin}: PyTorch cannot export it to ONNX"):
            exported = torch.onnx.export(program, example, dynamo=True, verbose=False, **names)
            return exported.model_proto.SerializeToString(deterministic=True)

    def like_graph(self, row):
        """Return a function from ``{input name: array}`` to ``{output name: array}``, arrays in the graph's order.

        Args:
            row: golden inputs and outputs of the graph, which tell the order of the outputs.
        """
        names, orders = self._outputs(row)

        def run(feed):
            found = zip(names, self.run(feed), orders, strict=True)
            return {name: np.transpose(array, order) for name, array, order in found}

        return run

    def _outputs(self, row):
        """Return names of the outputs, and the orders of their dimensions in the graph."""
        inputs = [promise["name"] for promise in self.promises]
        golden = {name: array for name, array in row.items() if name not in inputs}
        arrays = zip(self.run(row), golden.values(), strict=True)
        return list(golden), [order_of(found, array, self.origin) for found, array in arrays]

    def convert(self, row, output):
        """Write the model to ``output`` as TFLite by litert-torch, inputs and outputs in the graph's order.

        Args:
            row: golden inputs and outputs of the graph, which tell the order of the outputs.
            output: path of a .tflite file.

        Raises:
            UserError: when litert-torch cannot convert an operator.
        """
        import litert_torch
        import torch

        example, (_, orders) = self.zeros(), self._outputs(row)
        entering = [np.argsort(value.order).tolist() for value in self.inputs]
        module = _reordered(self.program().module(), entering, orders)
        with refusing(f"{self.origin}: litert-torch cannot convert it"):
            litert_torch.convert(module, tuple(map(torch.from_numpy, example.values()))).export(output)


def read(folder, options, expected):
    """Load an exported program or TorchScript, without unpickling anything.

    Args:
        folder: of the source's files.
        options: ``path``, and ``keep_layout``: inputs whose order of dimensions the graph keeps; all others of 3 to 5
            dimensions become channels-last.
        expected: what the card expects; TorchScript needs the shapes of its ``inputs``, which are in the graph's order.

    Returns:
        :class:`Network`.

    Raises:
        UserError: when the file is damaged or would run code, or the card expects anything else than it has.
    """
    origin, kept = os.path.join(folder, options["path"]), options.get("keep_layout", ())
    archive = pytorch_archive.Archive(origin)
    stored, expected = archive.harmless(), expected["inputs"]
    network, found = _opened(stored, archive.kind, origin, expected, kept)
    if unknown := sorted(set(kept) - {name for name, _, _ in found}):
        raise UserError(f"{origin}: has no input {unknown[0]} to keep the layout of")
    names = contract_names([name for name, _, _ in found], origin)
    orders = [_order(name, shape, kept) for name, _, shape in found]
    tensors = [
        Tensor(name, name, dtype, tuple(shape[axis] for axis in order))
        for name, (_, dtype, shape), order in zip(names, found, orders, strict=True)
    ]
    entries = promises("input", tensors, expected)
    inputs = [
        Value(name, promise["name"], tuple(promise["shape"][place] for place in np.argsort(order)), order)
        for (name, _, _), promise, order in zip(found, entries, orders, strict=True)
    ]
    return Network(origin, network, inputs, entries)


def _opened(stored, kind, origin, expected, kept):
    """Return the module in a harmless file, and ``(name, dtype, shape)`` of its inputs."""
    import torch

    logging.getLogger("torch.export").setLevel(logging.ERROR)  # it logs a traceback before it raises
    torch.set_num_threads(1)  # the order of sums, and with it their last bits, depends on it
    torch.backends.mkldnn.enabled = False  # it chooses its kernels, and their order of sums, by the CPU
    torch.backends.quantized.engine = "qnnpack"  # the others saturate on x86-64 without VNNI
    with refusing(f"{origin}: PyTorch cannot load it"):
        if kind == pytorch_archive.PROGRAM:
            return _program(torch.export.load(stored))
        network = torch.jit.load(stored, map_location="cpu").eval()
        return network, _arguments(network, origin, expected, kept)


def _program(program):
    """Return a program's module, and ``(name, dtype, shape)`` of its inputs; None for an open size."""
    nodes = {node.name: node for node in program.graph.nodes}
    metas = {name: nodes[name].meta["val"] for name in program.graph_signature.user_inputs}
    found = [
        (name, str(meta.dtype).removeprefix("torch."), [size if isinstance(size, int) else None for size in meta.shape])
        for name, meta in metas.items()
    ]
    return program.module(), found


def _arguments(network, origin, expected, kept):
    """Return ``(name, dtype, shape)`` of TorchScript's inputs: names are its own, the rest is the card's."""
    names = [argument.name for argument in network.forward.schema.arguments[1:] if not argument.has_default_value()]
    if len(names) != len(expected) or not all("shape" in entry for entry in expected):
        raise UserError(
            f"{origin}: TorchScript does not tell the shapes of its inputs ({', '.join(names)}); give `shape` for each "
            "in the card's inputs"
        )
    found = []
    for name, entry in zip(names, expected, strict=True):
        places = np.argsort(_order(name, entry["shape"], kept))
        found.append((name, entry.get("dtype", "float32"), [entry["shape"][place] for place in places]))
    return found


def _order(name, shape, kept):
    """Return the dimensions of the graph's tensor, in PyTorch's numbers."""
    plain = tuple(range(len(shape)))
    return plain if name in kept else CHANNELS_LAST.get(len(shape), plain)


def _reordered(network, entering, leaving):
    """Return a module around ``network`` that permutes its inputs before and its outputs after it."""
    import torch

    class Reordered(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.network = network

        def forward(self, *values):
            results = _flat(
                self.network(*(value.permute(order) for value, order in zip(values, entering, strict=True)))
            )
            return tuple(result.permute(order) for result, order in zip(results, leaving, strict=True))

    # The converter writes it into the names of tensors, which must not change when a file here is moved.
    Reordered.__module__, Reordered.__qualname__ = "zoomill.pytorch_source", "_reordered.<locals>.Reordered"
    return Reordered()


def _flat(outputs):
    from torch.utils._pytree import tree_leaves

    return tree_leaves(outputs)
