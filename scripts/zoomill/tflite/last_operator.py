"""A detector's .tflite file in two: the network, by which files are known that share it, and the op behind it."""

import hashlib
import json

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from zoomill.detection import nms
from zoomill.detection.postprocess import OP, Options
from zoomill.errors import UserError
from zoomill.tflite import runtime, tflite_file


def network(model, operators=None, outputs=None):
    """Return a digest of all that a runtime computes with, and of nothing else, None of a file with control flow.

    Neither names nor the order of tensors, buffers and operator codes count, nor metadata.

    Args:
        model: ``ModelT``.
        operators: those that count, all of them without.
        outputs: places of the tensors that count as outputs, those of the file without.
    """
    if len(model.subgraphs) != 1:
        return None
    graph, numbers = model.subgraphs[0], {}

    def tensor(index):
        if index in numbers or index < 0:
            return numbers.get(index)
        numbers[index] = len(numbers)
        stored = graph.tensors[index]
        buffer = model.buffers[stored.buffer]
        content = hashlib.sha256(b"" if buffer.data is None else np.asarray(buffer.data, np.uint8)).hexdigest()
        return [_without(stored, "name", "buffer"), _without(buffer, "data"), content]

    def tensors(indices):
        return [tensor(int(index)) for index in indices]

    inputs = tensors(graph.inputs)
    steps = [
        [
            tflite_file.plain(model.operatorCodes[operator.opcodeIndex]),
            _without(operator, "inputs", "outputs", "opcodeIndex"),
            tensors(operator.inputs),
            tensors(operator.outputs),
        ]
        for operator in (graph.operators if operators is None else operators)
    ]
    ends = tensors(graph.outputs if outputs is None else outputs)
    return hashlib.sha256(json.dumps([inputs, steps, ends], sort_keys=True).encode()).hexdigest()


def _without(table, *names):
    return {name: tflite_file.plain(value) for name, value in vars(table).items() if name not in names}


class Behind:
    """TFLite_Detection_PostProcess at the end of a file, run on what the network before it gave elsewhere.

    Args:
        model: ``ModelT`` of the file; it keeps its last operator alone.
        contract: of its graph.

    Attributes:
        network: digest of what stands before the operator, see :func:`network`; None where that is no network of its
            own: the last operator is another, takes integers, or does not give all outputs of the file.
    """

    def __init__(self, model, contract):
        graph, self.network = model.subgraphs[0], None
        last = graph.operators[-1]
        ends = [int(index) for index in last.inputs[:2]]
        floats = all(graph.tensors[index].type == schema.TensorType.FLOAT32 for index in ends)
        is_op = tflite_file.operator_name(model, last) == OP
        if is_op and floats and [*graph.outputs] == [*last.outputs]:
            self.network = network(model, graph.operators[:-1], ends)
        self._heads = [graph.tensors[index] for index in ends]
        self._model, self._contract = model, contract

    def runner(self, kept, whole, threads=1):
        """Return a function that gives what the file gives, of rows that were kept, in their order.

        Args:
            kept: :class:`zoomill.tflite.kept_heads.Kept` of the network.
            whole: function that runs the whole file, from ``{input tensor: array}`` to ``{output name: array}``; the
                first row and the last are compared with it.
            threads: that LiteRT may use.

        Raises:
            UserError: by the function, when the whole file gives anything else.
        """
        names = [tensor.name.decode() for tensor in self._heads]
        shapes = [[*map(int, tensor.shape)] for tensor in self._heads]
        inputs = [{"name": name, "tensor": name, "shape": shape} for name, shape in zip(names, shapes, strict=True)]
        contract = {**self._contract, "inputs": inputs}
        operator = runtime.Artifact(self._alone(), contract=contract, threads=threads)
        rows, options = iter(range(kept.rows)), Options(**contract["postprocess"])

        def run(feed):
            row = next(rows)
            found = operator(contract, dict(zip(names, kept.row(row, len(names)), strict=True)))
            if row in (0, kept.rows - 1):
                _compare(found, whole(feed), options)
            return found

        return run

    def _alone(self):
        """Return the bytes of a file that has the last operator alone."""
        model = self._model
        graph = model.subgraphs[0]
        last = graph.operators[-1]
        graph.operators, graph.inputs = [last], [graph.tensors.index(tensor) for tensor in self._heads]
        used = {graph.tensors[int(index)].buffer for index in last.inputs}
        for place, buffer in enumerate(model.buffers):
            if place not in used:
                buffer.data = None
        model.signatureDefs, model.metadata = None, None
        return tflite_file.serialise(model)


def _compare(found, whole, options):
    """Refuse detections that are not those of the whole file, bit for bit; behind the last, the op writes nothing."""
    told, known = (vars(nms.of_outputs(outputs, options)) for outputs in (found, whole))
    if any(told[name].tobytes() != known[name].tobytes() for name in known):
        raise UserError(
            "its last operator alone does not find what the whole file finds; run `evaluate_tflite` without `--heads`, "
            "and report it"
        )
