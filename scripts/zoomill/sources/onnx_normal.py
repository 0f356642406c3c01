"""ONNX models in the form that onnx2tf converts rightly: the same numbers, by other nodes."""

import numpy as np

from zoomill.errors import UserError
from zoomill.framework import refusing
from zoomill.sources import onnx_limits, onnx_resize, onnx_runtime

# Operators with states, by how many sets of weights and states they have.
_RECURRENT = {"GRU": (3, 1), "LSTM": (4, 2), "RNN": (1, 1)}


def normalised(model, feed, path):
    """Return a model for onnx2tf; where nothing has to change, it is the same.

    Functions of the model are written out, and of an ``If`` whose condition is fixed the branch that is taken. Pad with
    axes becomes one of all axes, LSTM, GRU and RNN get the biases and states that stand for zeros, and Resize and
    Upsample become what :mod:`.onnx_resize` makes of them.

    Args:
        model: ModelProto with fixed input shapes; is not changed.
        feed: ``{input name: array}`` on which it can be run.
        path: file name for messages.

    Raises:
        UserError: for an operator that cannot be converted.
    """
    model = _written_out(model, path)
    while conditions := _fixed_conditions(model):
        values = onnx_runtime.tensors(model, sorted(conditions), feed, path)
        _take_branches(model, {name: bool(np.all(value)) for name, value in values.items()})
    steady = onnx_runtime.steady(model)
    onnx_limits.refuse(model, steady, path)
    return _Normal(model, feed, steady, path).model


def _written_out(model, path):
    """Return a copy in which functions of the model's own are nodes of it."""
    from onnx import ModelProto, inliner

    copy = ModelProto()
    copy.CopyFrom(model)
    if not model.functions:
        return copy
    with refusing(f"{path}: ONNX cannot write out its functions"):
        return inliner.inline_local_functions(copy)


def _fixed_conditions(model):
    """Return the names of fixed conditions of If nodes."""
    branching = {node.input[0] for node in model.graph.node if node.op_type == "If"}
    return branching & onnx_runtime.steady(model) if branching else branching


def _take_branches(model, conditions):
    """Put the nodes of the branch that is taken in place of each If with a known condition."""
    from onnx import helper

    nodes = list(model.graph.node)
    del model.graph.node[:]
    for node in nodes:
        if node.op_type != "If" or node.input[0] not in conditions:
            model.graph.node.append(node)
            continue
        taken = "then_branch" if conditions[node.input[0]] else "else_branch"
        branch = next(attribute.g for attribute in node.attribute if attribute.name == taken)
        names = _renamed(branch, f"{node.name or node.output[0]}/")
        model.graph.initializer.extend(branch.initializer)
        model.graph.node.extend(branch.node)
        for value, output in zip(branch.output, node.output, strict=True):
            model.graph.node.append(helper.make_node("Identity", [names.get(value.name, value.name)], [output]))


def _renamed(graph, prefix):
    """Give what a nested graph defines names of its own, and return ``{old: new}``."""
    defined = [tensor.name for tensor in graph.initializer]
    defined += [name for node in graph.node for name in node.output if name]
    names = {name: prefix + name for name in defined}
    for tensor in graph.initializer:
        tensor.name = names[tensor.name]
    _rename_nodes(graph, names)
    return names


def _rename_nodes(graph, names):
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
        for attribute in node.attribute:
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                _rename_nodes(inner, names)
                for value in inner.output:
                    value.name = names.get(value.name, value.name)


class _Normal:
    """A model whose nodes are replaced one by one.

    Attributes:
        model: ModelProto, which is changed.
    """

    def __init__(self, model, feed, steady, path):
        self.model, self.path, self.steady = model, path, steady
        self.opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
        makers = {onnx_resize.OPERATORS: self.resize, ("Pad",): self.pad, tuple(_RECURRENT): self.recurrent}
        nodes = list(model.graph.node)
        chosen = {
            place: make
            for place, node in enumerate(nodes)
            for operators, make in makers.items()
            if node.op_type in operators and not node.domain and not steady.issuperset(node.output)
        }
        read = {name for place in chosen for name in (*nodes[place].input, *nodes[place].output) if name}
        self.values = onnx_runtime.tensors(model, sorted(read), feed, path)
        del model.graph.node[:]
        for place, node in enumerate(nodes):
            model.graph.node.extend(chosen[place](node) if place in chosen else [node])

    def resize(self, node):
        """Return what a Resize or Upsample becomes."""
        known = {kind: self.fixed(node, name) for kind, name in onnx_resize.constant_inputs(node, self.opset).items()}
        x, y = self.values[node.input[0]], self.values[node.output[0]]
        nodes, constants = onnx_resize.rewrite(node, self.opset, x, y.shape, known, self.path) or ([node], ())
        self.model.graph.initializer.extend(constants)
        return nodes

    def pad(self, node):
        """Return a Pad of all axes in place of one of some."""
        if len(node.input) < 4 or not node.input[3]:
            return [node]
        rank = self.values[node.input[0]].ndim
        pads = np.zeros((2, rank), np.int64)
        pads[:, self.fixed(node, node.input[3]) % rank] = self.fixed(node, node.input[1]).reshape(2, -1)
        node.input[1] = self.constant(f"{node.output[0]}/pads", pads.ravel())
        del node.input[3:]
        if not node.input[2]:
            del node.input[2:]
        return [node]

    def recurrent(self, node):
        """Return a recurrent operator with its bias and first states."""
        sets, states = _RECURRENT[node.op_type]
        x, (directions, _, hidden) = self.values[node.input[0]], self.values[node.input[2]].shape
        node.input.extend([""] * (5 + states - len(node.input)))
        if node.input[4] and np.any(self.fixed(node, node.input[4]) != len(x)):
            raise UserError(
                f"{self.path}: {node.op_type} {node.name or node.output[0]} cannot be converted: its sequences are of "
                "different lengths; export it without sequence_lens"
            )
        node.input[4] = ""
        zeros = {3: (directions, 2 * sets * hidden), 5: (directions, x.shape[1], hidden)}
        for place in range(3, 5 + states):
            if place != 4 and not node.input[place]:
                shape = zeros[min(place, 5)]
                node.input[place] = self.constant(f"{node.output[0] or node.name}/{place}", np.zeros(shape, x.dtype))
        return [node]

    def fixed(self, node, name):
        """Return the array of an input that must not depend on the model's own inputs."""
        if name not in self.steady:
            raise UserError(
                f"{self.path}: {node.op_type} {node.name or node.output[0]} cannot be converted: {name} depends on the "
                "values of the input; export the model with fixed sizes"
            )
        return self.values[name]

    def constant(self, name, array):
        """Add a constant and return its name."""
        from onnx import numpy_helper

        self.model.graph.initializer.append(numpy_helper.from_array(array, name))
        return name
