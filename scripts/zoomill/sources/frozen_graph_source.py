"""Frozen TensorFlow graphs between named tensors."""

import os

from zoomill.graph.source import Source
from zoomill.sources import checkpoint, freezing


def load(folder, options, expected):
    """Return a graph between tensors as a :class:`~zoomill.graph.source.Source`: see :mod:`zoomill.sources.exporter`.

    Raises:
        UserError: when the file is no frozen graph, lacks a tensor, or holds operators that do more than compute.
    """
    path = os.path.join(folder, options["path"])
    graph, inputs, outputs = freezing.between(checkpoint.read_frozen(path), options, path)
    return Source(graph, inputs, outputs, freezing.graph_session(graph, inputs, outputs, path))
