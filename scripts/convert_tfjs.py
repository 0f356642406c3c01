"""Convert a frozen graph to a TensorFlow.js graph model: model.json and shards of its weights."""

import argparse
import json
import os
import shutil
import tempfile

from zoomill import command, files, folders, made
from zoomill.errors import UserError
from zoomill.proof import evidence
from zoomill.tfjs import node_process, tfjs_converter, tfjs_map, tfjs_model, tfjs_repairs, tfjs_runtime


def main(argv=None):
    """Write the folder, with the contract's names and float32 weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graph", type=made.checked, required=True, help="graph.pb")
    parser.add_argument("--contract", type=made.checked, required=True, help="contract.json of the graph")
    parser.add_argument(
        "--golden", type=made.checked, required=True, help="golden.npz of its source, for `control_flow_v2: auto`"
    )
    parser.add_argument("--options", required=True, type=json.loads, help="JSON object: `tfjs` of the card")
    tfjs_runtime.add_library(parser)
    parser.add_argument(
        "--output", type=made.output, required=True, help="folder to make; what stands there is replaced"
    )
    args = command.parse(parser, argv)
    contract = files.read_json(args.contract)
    with folders.written(args.output) as folder:
        try:
            convert(args, contract, folder)
        except UserError as error:
            raise UserError(f"{contract['model']}: {args.graph}: {error}") from error


def convert(args, contract, folder):
    """Write a model in the first of the ways to write loops and branches that TensorFlow.js runs.

    Raises:
        UserError: with what is wrong with each of them.
    """
    if not tfjs_converter.has_control_flow(args.graph):
        convert_one(args, contract, folder, None)
        return
    wanted = args.options["control_flow_v2"]
    ways = ["v1", "v2"] if wanted == "auto" else ["v2" if wanted else "v1"]
    failures = []
    for way in ways:
        with tempfile.TemporaryDirectory() as attempt:
            try:
                convert_one(args, contract, attempt, way)
                if len(ways) > 1:
                    validate(args, contract, attempt)
            except UserError as error:
                failures.append(f"control flow {way}: {error}")
            else:
                shutil.copytree(attempt, folder, dirs_exist_ok=True)
                return
    raise UserError("; ".join(failures))


def convert_one(args, contract, folder, control_flow):
    """Write a model with its loops and branches in one way."""
    with tempfile.TemporaryDirectory() as scratch:
        graph = args.graph
        if control_flow == "v1":
            graph = os.path.join(scratch, "lowered.pb")
            tfjs_converter.lower_control_flow(args.graph, contract, graph)
        plain = os.path.join(scratch, "plain.pb")
        tfjs_converter.write_plain(graph, plain)
        outputs = [promise["tensor"] for promise in contract["outputs"]]
        tfjs_converter.convert_graph(plain, outputs, args.options, folder)
    document = tfjs_model.read_document(folder)
    tfjs_converter.check_operators(tfjs_model.nodes(document), args.options["skip_op_check"])
    tfjs_repairs.repair(document, contract, control_flow)
    tfjs_model.write_document(folder, document)
    if tfjs_model.operators(document).intersection(tfjs_converter.OWN_OPERATORS):
        shutil.copyfile(node_process.WEB / tfjs_model.OPERATORS, os.path.join(folder, tfjs_model.OPERATORS))


def validate(args, contract, folder):
    """Raise a UserError when TensorFlow.js in Node cannot run a model or gives other outputs than the source."""
    golden = evidence.read_golden(args.golden)
    measured = tfjs_runtime.run_golden(folder, contract, golden, "cpu", args.library)
    tfjs_map.check(measured["outputs"], contract, golden)


if __name__ == "__main__":
    command.run(main)
