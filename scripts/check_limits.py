"""Fail when an artifact misses a limit or loses too much of its metric, with one line for each miss."""

import argparse
import json

from zoomill import command, files, loss, made
from zoomill.errors import UserError


def main(argv=None):
    """Write how many artifacts keep their limits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--evidence", type=made.checked, nargs="+", required=True, help="evidence of each artifact")
    parser.add_argument(
        "--metrics", type=made.checked, nargs="*", default=[], help="metric evidence of those that are evaluated"
    )
    parser.add_argument(
        "--browser",
        type=made.checked,
        nargs="*",
        default=[],
        help="evidence of Chromium for each model that is run in it",
    )
    parser.add_argument("--drops", type=json.loads, default={}, help="JSON object: {model: {variant: largest loss}}")
    parser.add_argument("--output", required=True)
    args = parser.parse_args(argv)
    documents = [files.read_json(path) for path in args.evidence]
    proofs = [*documents, *map(files.read_json, args.browser)]
    failures = [f"{item['model']}: {item['artifact']}: {failure}" for item in proofs for failure in item["failures"]]
    failures += loss.failures([files.read_json(path) for path in args.metrics], args.drops)
    if failures:
        raise UserError("\nerror: ".join(failures))
    files.write_bytes(args.output, f"{len(documents)} artifacts keep their limits\n".encode())


if __name__ == "__main__":
    command.run(main)
