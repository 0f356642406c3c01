"""How near an artifact comes to the golden outputs of its source model."""

import numpy as np

from zoomill.errors import UserError


def feeds(contract, golden):
    """Yield the golden inputs one by one, as ``{input tensor: array}``."""
    names = [entry["tensor"] for entry in contract["inputs"]]
    for values in zip(*(golden[name] for name in names), strict=True):
        yield dict(zip(names, values, strict=True))


def of_outputs(artifact, contract, golden):
    """Compare all outputs with the golden ones.

    Args:
        artifact: :class:`zoomill.runtime.Artifact`, or what is called and answers like it.
        contract: contract of its graph.
        golden: mapping of golden arrays by tensor name, one row for each pinned input.

    Returns:
        ``{output: {"max_abs": …, "mean_abs": …, "peak": …}}``; ``peak`` is the largest golden value.

    Raises:
        UserError: when an output has another number of values than the golden one.
    """
    runs = [artifact(contract, feed) for feed in feeds(contract, golden)]
    result = {}
    for entry in contract["outputs"]:
        expected = golden[entry["tensor"]].astype(np.float64)
        found = np.stack([np.ravel(run[entry["name"]]) for run in runs])
        if found.size != expected.size:
            raise UserError(f"{entry['name']} has {found.size} values, the source gives {expected.size}")
        difference = np.abs(found - expected.reshape(found.shape))
        result[entry["name"]] = {
            "max_abs": float(difference.max(initial=0)),
            "mean_abs": float(difference.mean()),
            "peak": float(np.abs(expected).max(initial=0)),
        }
    return result


def apart(first, second, contract, golden):
    """Return how far two artifacts of one graph are apart on the golden inputs.

    Args:
        first, second: :class:`zoomill.runtime.Artifact`.
        contract, golden: as in :func:`of_outputs`.

    Returns:
        ``{output: {"max_abs": …, "mean_abs": …}}``.
    """
    runs = [(first(contract, feed), second(contract, feed)) for feed in feeds(contract, golden)]
    result = {}
    for entry in contract["outputs"]:
        name = entry["name"]
        difference = np.abs(np.stack([one[name].astype(np.float64) - other[name] for one, other in runs]))
        result[name] = {"max_abs": float(difference.max(initial=0)), "mean_abs": float(difference.mean())}
    return result
