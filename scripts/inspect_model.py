"""Tell what is inside a model file: inputs and outputs, operators, parameters, quantisation, who made it.

Reads frozen graphs, SavedModels, TF-Hub modules, meta graphs, Keras, TFLite, TensorFlow.js, ONNX, PyTorch, Darknet and
OpenVINO models.
TensorFlow is not needed, and nothing in the file is run.
"""

import argparse
import sys

from zoomill import command, files, made
from zoomill.inspect import recognise, report


def main(argv=None):
    """Print the report as a table, or write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "model",
        type=made.checked,
        help="the file, or the folder of a SavedModel, Hub module, TFJS model or OpenVINO IR",
    )
    parser.add_argument(
        "--weights",
        type=made.checked,
        help="the .weights of a .cfg or the checkpoint of a .meta, when it has another name than the model",
    )
    parser.add_argument(
        "--json", type=_written, help="also write the report here as JSON; - prints JSON instead of the table"
    )
    args = command.parse(parser, argv)
    document = recognise.inspect(args.model, args.weights)
    # Bytes, so that names are printed as they are, whatever the terminal's encoding.
    if args.json == "-":
        sys.stdout.buffer.write(report.json_bytes(document))
        return
    if args.json:
        files.write_bytes(args.json, report.json_bytes(document))
    sys.stdout.buffer.write(report.table(document).encode())


def _written(path):
    return path if path == "-" else made.output(path)


if __name__ == "__main__":
    command.run(main)
