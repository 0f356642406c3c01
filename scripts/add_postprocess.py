"""Put TFLite_Detection_PostProcess behind the raw heads of a frozen detection graph, without TensorFlow.

An option that is not given is taken from pipeline.config, as the graph's contract holds it.
"""

import argparse
import json

import numpy as np

from zoomill import command, files, made
from zoomill.detection import graph_postprocess, postprocess, ssd_contract
from zoomill.errors import UserError
from zoomill.toco.parts import graph_def


def main(argv=None):
    """Write the graph with the op, and its contract."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graph", type=made.checked, required=True, help="graph.pb of the raw heads")
    parser.add_argument("--contract", type=made.checked, required=True, help="its ssd_contract.json")
    parser.add_argument("--anchors", type=made.checked, required=True, help="anchors.npy")
    parser.add_argument("--name", required=True, help="name of the new graph")
    parser.add_argument("--options", required=True, help="JSON object of postprocess options")
    parser.add_argument("--output-graph", type=made.output, required=True)
    parser.add_argument("--output-contract", type=made.output, required=True)
    args = command.parse(parser, argv)

    heads = files.read_json(args.contract)
    options = postprocess.Options(**{**heads["postprocess"], **json.loads(args.options)})
    classes = heads["outputs"][1]["shape"][2] - 1
    if options.num_classes != classes:
        raise UserError(
            f"{heads['model']}: {args.name}: num_classes {options.num_classes} in the card, "
            f"but the class head has {classes} and a background"
        )
    graph = graph_def(args.graph)
    graph_postprocess.append(graph, np.load(args.anchors), options)
    written = graph.SerializeToString(deterministic=True)
    wrong = options.differences(graph_postprocess.read_back(written))
    if wrong:
        raise UserError(f"{heads['model']}: {args.output_graph}: {'; '.join(wrong)}")
    files.write_bytes(args.output_graph, written)
    files.write_json(args.output_contract, ssd_contract.with_postprocess(heads, args.name, options))


if __name__ == "__main__":
    command.run(main)
