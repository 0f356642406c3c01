"""The output map: which tensor of a TensorFlow.js model is which output of the source, and how sure that is.

The structure says it: a signature of a SavedModel gives its outputs in the order of their sorted keys, so key number
k is ``Identity_k`` of the frozen graph, and a graph of TensorFlow 1 keeps its names. Exporters follow that rule and
write what they found as ``source`` into the contract. Numbers confirm it.
"""

import numpy as np

from zoomill.errors import UserError
from zoomill.proof import parity

# Largest difference of two runs of one network, as a share of the peak.
_TOLERANCE = 1e-3
_LIMITS = {"sqnr": 0, "share": _TOLERANCE, "decisions": 0}


def check(runs, contract, golden):
    """Refuse a model whose outputs are not the golden ones.

    Args:
        runs: ``[{output name: array}, …]``, one for each golden input.
        contract: contract of the graph.
        golden: ``{tensor: array}``.

    Raises:
        UserError: naming the output.
    """
    _, failures, _ = parity.of_outputs(runs, contract, golden, _LIMITS)
    if failures:
        raise UserError(f"differs from the source: {failures[0]}")


def output_map(runs, contract, golden, tensors):
    """Return the map as JSON values.

    Args:
        runs, contract, golden: as for :func:`check`; of a float32 model, as quantised ones change the order of
            detections.
        tensors: ``{contract name: tensor of the model}``.

    Returns:
        ``outputs``, for each name ``tensor``; ``source``, the tensor of the source's frozen graph; ``error`` from its
        golden output; ``runner_up``, the golden output of the same size that is nearest otherwise, with its error;
        ``confidence``, how many times larger that is; ``basis``. And ``roles``, see :func:`roles`.

    Raises:
        UserError: when an output is nearer to the golden values of another than to its own.
    """
    found = {entry["name"]: np.stack([np.ravel(run[entry["name"]]) for run in runs]) for entry in contract["outputs"]}
    expected = {
        entry["name"]: golden[entry["tensor"]].reshape(len(runs), -1).astype(float) for entry in contract["outputs"]
    }
    outputs = {}
    for entry in contract["outputs"]:
        name = entry["name"]
        sizes = {other: values for other, values in expected.items() if values.shape == found[name].shape}
        errors = {other: float(np.abs(found[name] - values).max(initial=0)) for other, values in sizes.items()}
        if name not in errors:
            raise UserError(f"{name} has {found[name].size} values, the source gives {expected[name].size}")
        outputs[name] = {
            "tensor": tensors[name],
            "source": entry.get("source"),
            **_judged(name, errors, expected[name]),
        }
    return {"outputs": outputs, "roles": roles(contract, golden)}


def _judged(name, errors, expected):
    """Return error, runner-up, confidence and basis of one output; ``errors`` are those from each golden output."""
    own = errors[name]
    rivals = sorted((error, other) for other, error in errors.items() if other != name)
    allowed = _TOLERANCE * max(1, float(np.abs(expected).max(initial=0)))
    if not own <= allowed:
        nearest = f"; it looks like {rivals[0][1]}" if rivals and rivals[0][0] <= allowed else ""
        raise UserError(f"{name} differs from the source by {own:.3g}{nearest}")
    if not rivals:
        return {"error": own, "runner_up": None, "confidence": None, "basis": "the only output of its size"}
    error, other = rivals[0]
    ratio = error / max(own, float(np.finfo(np.float32).eps))
    ambiguous = error <= allowed
    return {
        "error": own,
        "runner_up": {"name": other, "error": error},
        "confidence": float(f"{ratio:.3g}"),
        "basis": "ambiguous by numbers, structure used" if ambiguous else "structure, confirmed by numbers",
    }


def roles(contract, golden):
    """Return which outputs of a detector are boxes, scores and classes, or None for other models.

    Names decide where they say it. Otherwise boxes are the output with four columns, scores and classes those with a
    row for each box: whole numbers are classes. ``classes`` is None where there is no such output: the class of a box
    is then the best column of its scores.
    """
    outputs = {entry["name"]: golden[entry["tensor"]] for entry in contract["outputs"]}
    shapes = {entry["name"]: [size for size in entry["shape"][1:] if size != 1] for entry in contract["outputs"]}
    named = {role: [name for name in outputs if name == f"detection_{role}"] for role in ("boxes", "scores", "classes")}
    boxes = named["boxes"] or [name for name, shape in shapes.items() if len(shape) == 2 and shape[1] == 4]
    if len(boxes) != 1:
        return None
    rows = shapes[boxes[0]][0] if shapes[boxes[0]] else None
    beside = [name for name, shape in shapes.items() if shape[:1] == [rows] and name not in boxes and len(shape) < 3]
    whole = [
        name for name in beside if len(shapes[name]) == 1 and np.array_equal(outputs[name], np.rint(outputs[name]))
    ]
    scores = named["scores"] or [name for name in beside if name not in whole]
    classes = named["classes"] or ([] if named["scores"] else whole)
    if len(scores) != 1 or len(classes) > 1:
        return None
    return {"boxes": boxes[0], "scores": scores[0], "classes": classes[0] if classes else None}
