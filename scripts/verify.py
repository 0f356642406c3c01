"""Compare rebuilt artifacts with artifacts.lock, and everything that they were made of with the records of its making.

Each is identical, identical but for its TFLite metadata, canonically identical (but for names and order), numerically
equivalent (other weights, but outputs within the limits of its variant) or different. An artifact is none of these when
it, its evidence or anything behind them is not as it was made or read.
"""

import argparse
import os

from zoomill import command, files, made
from zoomill.errors import UserError
from zoomill.tflite import fingerprint


def main(argv=None):
    """Print one line for each artifact; fail when any is different, or any file is not as it was made."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lock", type=made.unchecked, required=True)
    parser.add_argument("--artifacts", type=made.unchecked, nargs="*", required=True, help="those in the lock to judge")
    parser.add_argument(
        "--results", type=made.unchecked, required=True, help="folder the names in the lock are relative to"
    )
    parser.add_argument("--cache", required=True, help="folder of the downloads")
    made.unchecked(os.curdir)  # the records lead to whatever was made here
    args = command.parse(parser, argv)
    if not args.artifacts:
        raise UserError(f"{args.lock}: has no artifact of the configured models; lock_artifacts adds them")
    lock, lineage, errors = files.read_json(args.lock), made.Lineage(args.cache), {}
    for path in sorted(args.artifacts):
        name = os.path.relpath(path, args.results)
        evidence = f"{path}.json"
        if wrong := {**lineage.wrong(path), **lineage.wrong(evidence)}:
            errors.update(wrong)
            print(f"{name}: not verified")
            continue
        verdict = fingerprint.compare(lock[name], path, passes(path, files.read_json(evidence)))
        print(f"{name}: {verdict}")
        if verdict.startswith("different"):
            errors[name] = f"{name}: {verdict}"
    if errors:
        raise UserError(*errors.values())


def passes(path, evidence):
    """Tell whether evidence says that the artifact which stands there now, and no other, is within its limits."""
    return evidence["passed"] and evidence["sha256"] == files.digest(path)


if __name__ == "__main__":
    command.run(main)
