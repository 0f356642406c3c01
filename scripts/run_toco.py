"""Convert a frozen graph by TOCO and keep the figures of its log.

Runs under TensorFlow 2.17.1 (the last release with TOCO) and, for the faithful route, under Python 3.7 with
TensorFlow 1.13.1.
"""

import argparse
import os
import sys

from zoomill import command, files, tensorflow_parts, toco
from zoomill.errors import UserError


def main(argv=None):
    """Write the raw .tflite file and the counts of TOCO's log."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graph", required=True, help="graph.pb")
    parser.add_argument("--contract", required=True, help="contract.json of the graph")
    parser.add_argument("--time-limit", type=float, required=True, help="seconds")
    parser.add_argument("--output", required=True, help=".tflite file as TOCO writes it")
    parser.add_argument("--output-log", required=True, help="TOCO's log")
    parser.add_argument("--output-counts", required=True, help="JSON of the figures in the log")
    args = parser.parse_args(argv)
    contract = files.read_json(args.contract)
    with files.written(args.output_log) as log:
        try:
            command.within(args.time_limit, convert, args.graph, contract, args.output, log)
        except (UserError, SystemExit) as error:
            with open(log, encoding="utf-8", errors="replace") as file:
                sys.stderr.write(file.read())
            reason = error if isinstance(error, UserError) else "TOCO failed; its log stands above"
            raise UserError("%s: %s: %s" % (contract["model"], args.graph, reason)) from error
    with open(args.output_log, encoding="utf-8", errors="replace") as file:
        files.write_json(args.output_counts, toco.log_counts(file.read()))


def convert(graph_path, contract, output, log):
    """Run TOCO with the process's stderr, where native code logs to, going to ``log``."""
    graph = tensorflow_parts.graph_def(graph_path)
    if sys.version_info < (3, 8):
        toco.use_original_batch_norm(graph)
    with open(log, "wb") as file:
        os.dup2(file.fileno(), 2)
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "0"
    outputs = [promise["tensor"] for promise in contract["outputs"]]
    files.write_bytes(output, toco.convert(graph, contract["inputs"], outputs))


if __name__ == "__main__":
    command.run(main)
