"""Compute the task metric of a .tflite artifact."""

import argparse
import dataclasses
import hashlib
import json
import os

from zoomill import command, made
from zoomill.detection.postprocess import Options
from zoomill.errors import UserError
from zoomill.evaluation import harness
from zoomill.tflite import retune, runtime


def main(argv=None):
    """Run the artifact on every sample and write its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifact", type=made.checked, required=True)
    parser.add_argument("--variant", required=True)
    parser.add_argument("--kernels", choices=sorted(runtime.KERNELS), default="builtin", help="micro: TFLite Micro's")
    parser.add_argument("--threads", type=int, default=1, help="that LiteRT may use")
    parser.add_argument(
        "--postprocess", type=json.loads, default={}, help="JSON object: other options of its post-processing"
    )
    parser.add_argument(
        "--otherwise", action="store_true", help="a row of a ledger: where it cannot be had, write why and end well"
    )
    harness.add_task(parser)
    harness.add_outputs(parser)
    harness.add_stopping(parser)
    args = command.parse(parser, argv)
    task = harness.task_of_flags(args)
    with open(args.artifact, "rb") as file:
        data = file.read()
    try:
        artifact, task = prepared(args, data, task)
    except UserError as error:
        if not args.otherwise:
            raise
        return harness.write_reason(args, str(error).removeprefix(f"{args.artifact}: "))

    def run(feed):
        return artifact(task.contract, feed)

    evidence = {
        "variant": args.variant,
        "kernels": args.kernels,
        "threads": args.threads,
        "artifact": os.path.basename(args.artifact),
        "sha256": hashlib.sha256(data).hexdigest(),
        **({"postprocess": args.postprocess} if args.postprocess else {}),
    }
    return harness.evaluate(task, run, evidence, args, args.until_clear)


def prepared(args, data, task):
    """Return a file, as it is run by the flags, and the task of scoring it.

    Raises:
        UserError: when the kernels refuse the file, it is not as the contract says, cannot have the options that are
            asked for, or has them, where it is to be run otherwise.
    """
    artifact = loaded(args, data, task)
    with harness.naming(args):
        artifact.check(task.contract)
        asked, tuned = retuned(task, data, args.postprocess)
    own, wanted = (
        (vars(Options(**one.contract["postprocess"])) for one in (task, asked)) if args.postprocess else ({}, {})
    )
    if args.otherwise and any(own[name] == wanted[name] for name in args.postprocess):
        raise UserError(harness.SO_ALREADY)
    return loaded(args, tuned, asked), asked


def loaded(args, data, task):
    """Return a file's bytes as they are run, by the flags.

    Raises:
        UserError: when the kernels refuse the file.
    """
    try:
        return runtime.Artifact(data, args.kernels, task.contract, args.threads)
    except (RuntimeError, ValueError) as error:
        reason = runtime.refusal(error)
        raise UserError(f"{args.artifact}: the {args.kernels} kernels refuse it: {reason}") from error


def retuned(task, data, changes):
    """Return the task and the file that are scored: with other options, and the metric's score threshold in the op.

    Args:
        task: :class:`zoomill.evaluation.harness.Task`.
        data: bytes of the file.
        changes: ``{option: value}`` of :class:`zoomill.detection.postprocess.Options`.

    Raises:
        UserError: when the contract's options are not the file's, or the file cannot have the changed ones.
    """
    own, said = retune.options_of(data), task.contract.get("postprocess")
    if changes and not said:
        raise UserError("no `postprocess` that could be changed")
    if own and said and (wrong := Options(**said).differences(own)):
        raise UserError("; ".join(wrong))
    if changes:
        asked = retune.asked(data, changes) if own else dataclasses.replace(Options(**said), **changes)
        task = dataclasses.replace(task, contract={**task.contract, "postprocess": vars(asked)})
    if own and said:
        data = retune.with_options(data, task.postprocess())
    return task, data


if __name__ == "__main__":
    command.run(main)
