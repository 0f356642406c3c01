"""Open a .tflite artifact in MediaPipe Tasks, compare the answers with LiteRT's, and write the evidence."""

import argparse

from zoomill import command, files
from zoomill.proof import evidence
from zoomill.tflite import artifact, mediapipe_tasks


def main(argv=None):
    """Write the evidence; a file that MediaPipe cannot take has the reason, and has not failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    evidence.add_arguments(parser)
    artifact.add_argument(parser)
    args = command.parse(parser, argv)
    contract, golden = files.read_json(args.contract), evidence.read_golden(args.golden)
    document = evidence.begin(args.artifact, args.variant.name, args.limits, contract)
    document["task"] = mediapipe_tasks.TASKS.get(contract.get("task"))
    reason = mediapipe_tasks.why_not(contract, args.variant.ends)
    verdict = evidence.Verdict({}, [], []) if reason else judge(args, contract, golden)
    document["opens"] = bool(verdict.figures)
    evidence.finish_gate(args.output, document, "tasks", verdict, reason)


def judge(args, contract, golden):
    """Return the verdict about a file that MediaPipe has to open."""
    exact = all(dtype.startswith("float") for dtype in args.variant.weights)
    try:
        return mediapipe_tasks.ask(args.artifact, contract, golden, args.limits, exact)
    except ValueError as error:
        return evidence.Verdict({}, [f"MediaPipe refuses it: {error}"], [])


if __name__ == "__main__":
    command.run(main)
