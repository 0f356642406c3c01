"""Write the fingerprints of artifacts to artifacts.lock, for `verify` to compare with.

What it has of other models stays.
"""

import argparse
import os

from zoomill import command, files, made
from zoomill.tflite import fingerprint


def main(argv=None):
    """Write the lock."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifacts", type=made.checked, nargs="+", required=True)
    parser.add_argument(
        "--results", type=made.unchecked, required=True, help="folder the names in the lock are relative to"
    )
    parser.add_argument("--output", type=made.output, required=True)
    args = command.parse(parser, argv)
    lock = {os.path.relpath(path, args.results): fingerprint.of_tflite(path) for path in args.artifacts}
    models = {os.path.dirname(name) for name in lock}
    kept = files.read_json(args.output) if os.path.exists(args.output) else {}
    lock |= {name: locked for name, locked in kept.items() if os.path.dirname(name) not in models}
    files.write_json(args.output, lock, recorded=False)


if __name__ == "__main__":
    command.run(main)
