"""TF1 checkpoints with their inference graph or meta graph, frozen between named tensors."""

import os

from zoomill.graph.source import Source
from zoomill.sources import checkpoint, freezing


def load(folder, options, expected):
    """Return a graph between tensors as a :class:`~zoomill.graph.source.Source`: see :mod:`zoomill.sources.exporter`.

    Raises:
        UserError: when a file cannot be read, the graph lacks a tensor or the checkpoint a variable, or the graph holds
            operators that do more than compute.
    """
    path, prefix = (os.path.join(folder, options[key]) for key in ("graph", "checkpoint"))
    averages = options["variables"] == "moving_averages"
    graph, inputs, outputs = freezing.between(checkpoint.read_unfrozen(path), options, path)
    frozen = checkpoint.freeze(graph, outputs, prefix, averages)
    restore = checkpoint.restorer(graph, prefix, averages)
    return Source(frozen, inputs, outputs, freezing.graph_session(restore, inputs, outputs, path))
