"""Put all ways to run the files of a graph beside each other, and find the first tensor in which kernels part."""

import argparse
import collections
import os

from zoomill import command, files, made
from zoomill.inputs import sample_inputs
from zoomill.proof import backend_matrix, evidence, gate_inputs
from zoomill.tflite import elsewhere, kernel_fault, kernel_spread


def main(argv=None):
    """Write the matrix as JSON and as a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--evidence", type=made.checked, nargs="+", required=True, help="of gates and of measure_tfjs")
    parser.add_argument("--artifacts", type=made.checked, nargs="*", default=[], help="the .tflite files")
    parser.add_argument("--contract", type=made.checked, required=True, help="contract.json of the graph")
    parser.add_argument("--golden", type=made.checked, nargs="*", default=[], help="golden.npz of its source")
    sample_inputs.add_arguments(parser, "evaluation samples that the evidence is of")
    parser.add_argument("--output", type=made.output, required=True, help="JSON file")
    parser.add_argument("--output-table", type=made.output, required=True, help="Markdown file")
    args = command.parse(parser, argv)
    contract, documents = files.read_json(args.contract), collections.defaultdict(dict)
    for path in args.evidence:
        found = files.read_json(path)
        documents[found["artifact"]][path.split(".")[-2]] = found
    paths = {os.path.basename(path): path for path in args.artifacts}
    rows = []
    for artifact, told in documents.items():
        (about, *_) = told.values()
        form = artifact.rpartition(".")[2]
        rows.append(backend_matrix.row(about["variant"], form, told, elsewhere.LIMITS))
        if form == "tflite":
            walk(args, contract, paths[artifact], rows[-1]["backends"])
    head = {"model": contract["model"], "graph": contract["graph"], "limits": elsewhere.LIMITS}
    files.write_json(args.output, {**head, "rows": rows})
    table = backend_matrix.text(contract["model"], contract["graph"], rows, elsewhere.LIMITS)
    files.write_bytes(args.output_table, table.encode())


def walk(args, contract, path, backends):
    """Add the first tensors in which kernels part to those that are beyond the limits."""
    with open(path, "rb") as file:
        data = file.read()
    for name, (kernels, threads) in kernel_spread.SETS.items():
        cell = backends[f"kernels {name}"]
        if cell.get("beyond"):
            feeds = gate_inputs.feeds(args, contract)
            cell["first"] = evidence.finite(kernel_fault.first(data, contract, feeds, kernels, threads))


if __name__ == "__main__":
    command.run(main)
