"""Darknet models as sources of graphs."""

import os

from zoomill.darknet import cfg, golden, graph
from zoomill.darknet.weights import Weights
from zoomill.errors import UserError
from zoomill.export import Source


def load(folder, options, expected):
    """Return a network with raw or decoded heads as a :class:`~zoomill.export.Source`: see :mod:`zoomill.exporter`.

    Raises:
        UserError: for what :func:`zoomill.darknet.graph.build` refuses, and for labels that are not as many as classes.
    """
    config, weights = (os.path.join(folder, options[key]) for key in ("config", "weights"))
    net, sections = cfg.read(config)
    decoded = options["heads"] == "decoded"
    network = graph.build(net, sections, Weights(weights), decoded)
    labels = expected["labels"]
    if labels and len(labels) != network.classes:
        raise UserError(f"the card has {len(labels)} labels, the network {network.classes} classes")
    run = golden.source(net, sections, weights, network, decoded)
    return Source(network.graph, network.inputs, network.outputs, run)
