"""Open a .tflite artifact in MediaPipe Tasks, compare the answers with LiteRT's, and write the evidence."""

import argparse
import json

from zoomill import command, files
from zoomill.proof import evidence, gate_inputs
from zoomill.tflite import mediapipe_tasks, tflite_file


def main(argv=None):
    """Write the evidence; a file that MediaPipe cannot take has the reason, and has not failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    gate_inputs.add_arguments(parser)
    parser.add_argument("--limits", required=True, type=json.loads, help="JSON object: unmatched")
    args = command.parse(parser, argv)
    contract, model = files.read_json(args.contract), tflite_file.read(args.artifact)
    document = evidence.begin(args.artifact, args.variant, args.limits, contract)
    document["task"] = mediapipe_tasks.TASKS.get(contract.get("task"))
    reason = mediapipe_tasks.why_not(contract, tflite_file.describe(model)["inputs"][0]["dtype"])
    verdict = evidence.Verdict({}, [], []) if reason else judge(args, contract, not tflite_file.quantised_types(model))
    document["opens"] = bool(verdict.figures)
    evidence.finish_gate(args.output, document, "tasks", verdict, reason)


def judge(args, contract, exact):
    """Return the verdict about a file that MediaPipe has to open."""
    try:
        golden = evidence.read_golden(args.golden)
        return mediapipe_tasks.ask(args.artifact, contract, golden, args.limits, exact)
    except ValueError as error:
        return evidence.Verdict({}, [f"MediaPipe refuses it: {error}"], [])


if __name__ == "__main__":
    command.run(main)
