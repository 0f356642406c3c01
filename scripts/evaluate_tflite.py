"""Compute the task metric of a .tflite artifact."""

import argparse
import contextlib
import dataclasses
import hashlib
import json
import os

from zoomill import command, made
from zoomill.detection.postprocess import Options
from zoomill.errors import UserError
from zoomill.evaluation import harness
from zoomill.tflite import kept_heads, last_operator, retune, runtime, tflite_file


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
    parser.add_argument(
        "--heads",
        type=made.checked,
        nargs="?",
        help="what --output-heads kept: the network is not run where it is the same",
    )
    parser.add_argument("--output-heads", type=made.output, help="keep what the file gives, for --heads of others")
    harness.add_task(parser)
    harness.add_outputs(parser)
    harness.add_stopping(parser)
    args = command.parse(parser, argv)
    task = harness.task_of_flags(args)
    with open(args.artifact, "rb") as file:
        data = file.read()
    try:
        artifact, task, content = prepared(args, data, task)
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
    with running(args, run, content, task.contract) as run:
        return harness.evaluate(task, run, evidence, args, args.until_clear)


@contextlib.contextmanager
def running(args, run, data, contract):
    """Yield the function that runs a file: ``run``, one that keeps what it gives, or its last operator on what was.

    Args:
        args: the flags.
        run: function from ``{input tensor: array}`` to ``{output name: array}``.
        data: bytes of the file, as it is run.
        contract: of its graph.
    """
    how = {"kernels": args.kernels, "threads": args.threads}
    if args.output_heads:
        # Scored in part, samples come in another order; and of TFLite Micro nobody asks for more.
        whole = args.until_clear is None and args.kernels == "builtin"
        network = last_operator.network(tflite_file.parse(data, args.artifact)) if whole else None
        of = {"network": network, **how} if network else None
        with kept_heads.keeping(args.output_heads, run, of) as keeping:
            yield keeping
    elif args.heads:
        kept = kept_heads.Kept(args.heads)
        behind = last_operator.Behind(tflite_file.parse(data, args.artifact), contract)
        same = behind.network and kept.of == {"network": behind.network, **how}
        yield behind.runner(kept, run, args.threads) if same else run
    else:
        yield run


def prepared(args, data, task):
    """Return a file, as it is run by the flags, the task of scoring it, and the bytes that are run.

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
    return loaded(args, tuned, asked), asked, tuned


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
