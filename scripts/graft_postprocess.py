"""Graft TFLite_Detection_PostProcess onto a .tflite file that ends at its raw heads."""

import argparse

import numpy as np

from zoomill import command, files, made
from zoomill.detection.postprocess import Options
from zoomill.tflite import artifact, tflite_file


def main(argv=None):
    """Write the file with the op."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cut", type=made.checked, required=True, help=".tflite file of the raw heads")
    parser.add_argument("--anchors", type=made.checked, required=True, help="anchors.npy")
    parser.add_argument("--contract", type=made.checked, required=True, help="contract.json of the graph with the op")
    artifact.add_argument(parser)
    parser.add_argument("--output", type=made.output, required=True)
    args = command.parse(parser, argv)
    contract = files.read_json(args.contract)
    model = tflite_file.read(args.cut)
    tflite_file.append_postprocess(model, np.load(args.anchors), Options(**contract["postprocess"]))
    artifact.deliver(model, contract, args.variant, args.output)


if __name__ == "__main__":
    command.run(main)
