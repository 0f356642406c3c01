"""Convert a frozen graph by TOCO and keep the figures of its log.

Runs under TensorFlow 2.17.1 (the last release with TOCO) and, for the faithful route, under Python 3.7 with
TensorFlow 1.13.1.
"""

import argparse
import os
import sys

from zoomill import command, files, made, supervisor
from zoomill.errors import UserError
from zoomill.toco import binding, parts, uint8_input


def main(argv=None):
    """Write the raw .tflite file and the counts of TOCO's log."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graph", type=made.checked, required=True, help="graph.pb")
    parser.add_argument("--contract", type=made.checked, required=True, help="contract.json of the graph")
    parser.add_argument("--variant", required=True, choices=["toco_float32", "toco_uint8"])
    parser.add_argument("--default-ranges", type=float, nargs="*", help="lowest and highest value of activations")
    parser.add_argument("--output", type=made.output, required=True, help=".tflite file as TOCO writes it")
    parser.add_argument("--output-log", type=made.output, required=True, help="TOCO's log")
    parser.add_argument("--output-counts", type=made.output, required=True, help="JSON of the figures in the log")
    args = parser.parse_args(argv)
    contract = files.read_json(args.contract)
    try:
        run(args, contract)
    except UserError as error:
        raise UserError("{}: {}".format(contract["model"], error)) from error
    with open(args.output_log, encoding="utf-8", errors="replace") as file:
        files.write_json(args.output_counts, binding.log_counts(file.read()))


def run(args, contract):
    """Run TOCO in a child process, as it ends its own when it fails."""
    uint8 = args.variant == "toco_uint8"
    statistics = [uint8_input.statistics(promise) for promise in contract["inputs"]] if uint8 else None
    with files.written(args.output_log) as log:
        try:
            supervisor.watch(lambda: convert(args, contract, statistics, log))
        except (UserError, SystemExit) as error:
            with open(log, encoding="utf-8", errors="replace") as file:
                text = file.read()
            sys.stderr.write(text)
            array = binding.lacking_range(text)
            if array:
                advice = "give `toco: default_ranges` in the card"
                raise UserError(f"{args.graph}: {array} has no fake-quant node; {advice}") from error
            if isinstance(error, UserError):
                raise
            raise UserError(f"{args.graph}: TOCO failed; its log stands above") from error


def convert(args, contract, statistics, log):
    """Run TOCO with the process's stderr, where native code logs to, going to ``log``."""
    command.shut_in(args)  # only here, as TOCO asks /proc about its own process
    graph = parts.graph_def(args.graph)
    if sys.version_info < (3, 8):
        binding.use_original_operators(graph)
    with open(log, "wb") as file:
        os.dup2(file.fileno(), 2)
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "0"
    outputs = [promise["tensor"] for promise in contract["outputs"]]
    written = binding.convert(graph, contract["inputs"], outputs, statistics, args.default_ranges)
    files.write_bytes(args.output, written)


if __name__ == "__main__":
    command.run(main)
