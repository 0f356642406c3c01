"""Put TFLite_Detection_PostProcess behind the raw heads of a frozen detection graph, without TensorFlow."""

import argparse

import numpy as np

from zoomill import command, files, made
from zoomill.detection import graph_postprocess, postprocess
from zoomill.errors import UserError
from zoomill.toco.parts import graph_def


def main(argv=None):
    """Write the graph with the op."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graph", type=made.checked, required=True, help="graph.pb of the raw heads")
    parser.add_argument("--anchors", type=made.checked, required=True, help="anchors.npy")
    parser.add_argument("--contract", type=made.checked, required=True, help="contract.json of the graph with the op")
    parser.add_argument("--output", type=made.output, required=True)
    args = command.parse(parser, argv)
    contract = files.read_json(args.contract)
    options, graph = postprocess.Options(**contract["postprocess"]), graph_def(args.graph)
    graph_postprocess.append(graph, np.load(args.anchors), options)
    written = graph.SerializeToString(deterministic=True)
    wrong = options.differences(graph_postprocess.read_back(written))
    if wrong:
        raise UserError(f"{contract['model']}: {args.output}: {'; '.join(wrong)}")
    files.write_bytes(args.output, written)


if __name__ == "__main__":
    command.run(main)
