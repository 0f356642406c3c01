"""Compare rebuilt artifacts with artifacts.lock.

Each is identical, canonically identical (but for names, order and metadata), numerically equivalent (other weights,
but outputs within the limits of its variant) or different.
"""

import argparse
import os

from zoomill import command, files, fingerprint
from zoomill.errors import UserError


def main(argv=None):
    """Print one line for each artifact; fail when any is different."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lock", required=True)
    parser.add_argument("--results", required=True, help="folder the names in the lock are relative to")
    args = parser.parse_args(argv)
    different = []
    for name, locked in sorted(files.read_json(args.lock).items()):
        path = os.path.join(args.results, name)
        verdict = fingerprint.compare(locked, path, files.read_json(f"{path}.json")["passed"])
        print(f"{name}: {verdict}")
        if verdict.startswith("different"):
            different.append(f"{name}: {verdict}")
    if different:
        raise UserError("\nerror: ".join(different))


if __name__ == "__main__":
    command.run(main)
