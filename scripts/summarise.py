"""Write the table of all artifacts as Markdown, and what failed."""

import argparse
import json
import os

from zoomill import command, files, made
from zoomill.proof import binding, summary, told_studies


def main(argv=None):
    """Write the summary to ``--output``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--evidence", type=made.checked, nargs="*", default=[], help="evidence of each artifact")
    parser.add_argument(
        "--metrics", type=made.checked, nargs="*", default=[], help="metric evidence of those that are evaluated"
    )
    parser.add_argument("--gates", type=made.checked, nargs="*", default=[], help="evidence of deploy gates")
    parser.add_argument("--looked", type=made.checked, nargs="*", default=[], help="JSON of closer looks")
    parser.add_argument("--drops", type=json.loads, default={}, help="JSON object {model: {variant: largest loss}}")
    parser.add_argument("--missing", nargs="*", default=[], help="lines on what could not be made")
    parser.add_argument("--output", type=made.output, required=True)
    made.unchecked(os.curdir)  # what figures were measured on is looked at again
    args = command.parse(parser, argv)
    evidence, gates = (list(map(files.read_json, paths)) for paths in (args.evidence, args.gates))
    metrics = binding.documents(args.metrics)
    text = summary.text(evidence, metrics, gates, told_studies.read(args.looked), args.drops, args.missing)
    files.write_bytes(args.output, text.encode())


if __name__ == "__main__":
    command.run(main)
