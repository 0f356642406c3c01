"""Darknet models as sources of graphs."""

import os

from zoomill.errors import UserError
from zoomill.graph.source import Source
from zoomill.inspect import darknet_cfg
from zoomill.sources.darknet import golden, graph
from zoomill.sources.darknet.weights import Weights


def load(folder, options, expected):
    """Return a network with raw or decoded heads, see :mod:`zoomill.sources.exporter`.

    Raises:
        UserError: for what :func:`zoomill.sources.darknet.graph.build` refuses, and for labels that are not as many as
            classes.
    """
    config, weights = (os.path.join(folder, options[key]) for key in ("config", "weights"))
    net, sections = darknet_cfg.read(config)
    decoded = options["heads"] == "decoded"
    network = graph.build(net, sections, Weights(weights), decoded)
    labels = expected["labels"]
    if labels and len(labels) != network.classes:
        raise UserError(f"the card has {len(labels)} labels, the network {network.classes} classes")
    run = golden.source(net, sections, weights, network, decoded)
    return Source(network.graph, network.inputs, network.outputs, run)
