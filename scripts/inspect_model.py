"""Tell what is inside a model file: inputs and outputs, operators, parameters, quantisation, who made it.

Reads frozen graphs, SavedModels, TF-Hub modules, meta graphs, Keras, TFLite, TensorFlow.js, ONNX, PyTorch, Darknet and
OpenVINO models.
TensorFlow is not needed, and nothing in the file is run.
"""

import argparse
import sys

from zoomill import command, files, made
from zoomill.inputs import contract_file
from zoomill.inspect import recognise, report
from zoomill.printable import printable


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
    parser.add_argument("--contract", type=made.output, help="write the contract of a .tflite file here")
    args = command.parse(parser, argv)
    document = recognise.inspect(args.model, args.weights)
    told = write_contract(args.model, document, args.contract) if args.contract else ""
    # Bytes, so that names are printed as they are, whatever the terminal's encoding.
    if args.json == "-":
        sys.stdout.buffer.write(report.json_bytes(document))
        return
    if args.json:
        files.write_bytes(args.json, report.json_bytes(document))
    sys.stdout.buffer.write(report.table(document).encode())
    sys.stdout.buffer.write(told.encode())


def write_contract(model, document, output):
    """Write the contract of a file and return lines that ask what it leaves open."""
    from zoomill.tflite import tflite_contract  # which other kinds of file need not wait for

    contract = tflite_contract.of_file(model, document)
    files.write_json(output, contract, recorded=False)  # it is there to be edited
    asked = [f"  {printable(line)}\n" for line in contract_file.questions(contract)]
    return "".join([f"wrote {printable(output)}", "; answer in it:\n" if asked else "\n", *asked])


def _written(path):
    return path if path == "-" else made.output(path)


if __name__ == "__main__":
    command.run(main)
