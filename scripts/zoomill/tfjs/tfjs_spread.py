"""What a TensorFlow.js graph model gives on several backends, at its ends and inside."""

import numpy as np

from zoomill.proof import spread
from zoomill.tfjs import browser, tfjs_model, tfjs_runtime

# Nodes that compute nothing, or give nothing.
_NOTHING = {"Const", "Placeholder", "NoOp", "Assert"}


def answers(ask, folder, contract, feeds, names):
    """Return ``[{name: array}, …]``, what a backend gives for each input.

    Args:
        ask: function from a request, without where it runs, to what measure() of web/runner.js gives.
        folder: that of model.json.
        contract: contract of its graph.
        feeds: list of ``{input tensor: array}``, with or without the batch of one.
        names: ``{name: tensor of the model}`` of what is asked for.

    Raises:
        CannotRun: with the reason of TensorFlow.js.
    """
    found = []
    for part in browser.in_parts(feeds):
        shapes = {entry["tensor"]: entry["shape"] for entry in contract["inputs"]}
        stacked = {name: np.stack([feed[name].reshape(shape) for feed in part]) for name, shape in shapes.items()}
        request = tfjs_runtime.request(folder, contract, stacked) | {"outputs": [*names.values()], "runs": 1}
        found += tfjs_runtime.with_arrays(ask(request), names)["outputs"]
    return found


def nodes(folder):
    """Return ``{node: operator}`` of all that a model computes, in the order of model.json, in which it can be run."""
    topology = tfjs_model.read_document(folder)["modelTopology"]
    return {node["name"]: node["op"] for node in topology["node"] if node["op"] not in _NOTHING}


def parting(folder, run, limits):
    """Return where two backends part, as :func:`zoomill.proof.spread.parting` does: a tensor is a node.

    Args:
        folder: that of model.json.
        run: function from ``{name: tensor of the model}`` to ``{name: array}`` of either backend.
        limits: ``share``, of the largest value of a tensor.
    """
    made = nodes(folder)
    expected, found = run({name: name for name in made})
    tensors = (
        (
            {"operator": operator, "place": place, "operators": len(made), "tensor": name},
            {"share": spread.apart(expected[name], found[name])},
        )
        for place, (name, operator) in enumerate(made.items(), 1)
    )
    return spread.parting(tensors, limits)
