"""Export a Darknet model (.cfg and .weights) with its detection heads raw or decoded to boxes."""

import argparse
import json

from zoomill import command, export, made
from zoomill.darknet import cfg, golden, graph
from zoomill.darknet.weights import Weights
from zoomill.errors import UserError


def main(argv=None):
    """Write graph, contract and golden outputs."""
    parser = argparse.ArgumentParser(description=__doc__)
    export.add_arguments(parser)
    parser.add_argument("--config", type=made.checked, required=True, help=".cfg file")
    parser.add_argument("--weights", type=made.checked, required=True, help=".weights file")
    parser.add_argument("--heads", required=True, choices=("raw", "decoded"), help="what detection heads give")
    args = command.parse(parser, argv)
    decoded = args.heads == "decoded"
    try:
        net, sections = cfg.read(args.config)
        network = graph.build(net, sections, Weights(args.weights), decoded)
        args.card = json.dumps(_completed(json.loads(args.card), network))
        run = golden.source(net, sections, args.weights, network, decoded)
    except UserError as error:
        raise UserError(f"{args.model}: {error}") from error
    export.export(args, network.graph, network.inputs, network.outputs, run)


def _completed(card, network):
    """Return the card with what is known of every Darknet model where it says nothing else."""
    if card["labels"] and len(card["labels"]) != network.classes:
        raise UserError(f"the card has {len(card['labels'])} labels, the network {network.classes} classes")
    known = {"inputs": [{"value_range": [0, 1]}], "outputs": network.promises}
    for side, entries in known.items():
        given = card[side] or [{}] * len(entries)
        if len(given) == len(entries):  # else export() says so
            card[side] = [{**entry, **expected} for entry, expected in zip(entries, given, strict=True)]
    return card


if __name__ == "__main__":
    command.run(main)
