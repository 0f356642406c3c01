"""Write where between a source and an artifact a metric is lost: as JSON, as a table and as a picture."""

import argparse
import json

from zoomill import command, files, made
from zoomill.errors import UserError
from zoomill.evaluation import harness, ledger, ledger_plot
from zoomill.proof import evaluator


def main(argv=None):
    """Compare the rows of each step with those of the one before, and write the three."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variant", required=True)
    parser.add_argument("--steps", type=points, required=True, help="JSON list of [title, samples.jsonl], source first")
    parser.add_argument("--others", type=points, default=[], help="such a list of the artifact otherwise")
    parser.add_argument("--unmeasured", type=json.loads, default=[], help="JSON list of [title, reason]")
    harness.add_task(parser)
    parser.add_argument("--output", type=made.output, required=True, help="JSON file")
    parser.add_argument("--output-table", type=made.output, required=True, help="Markdown file")
    parser.add_argument("--output-plot", type=made.output, required=True, help="SVG file")
    args = command.parse(parser, argv)
    task = harness.task_of_flags(args)
    contract, metric = task.contract, task.metric()
    steps, others = ([_point(*row) for row in rows] for rows in (args.steps, args.others))
    try:
        found = ledger.of(metric, steps, others, args.unmeasured)
    except UserError as error:
        raise UserError(f"{contract['model']}: {contract['graph']}.{args.variant}: {error}") from error
    document = {
        **found,
        "model": contract["model"],
        "graph": contract["graph"],
        "variant": args.variant,
        "metric": task.options,
        "figure": metric.figure,
        "more_is_better": metric.more_is_better,
        "samples": len(steps[0].rows),
        "samples_sha256": files.digest(task.samples.path),
        "evaluator_sha256": evaluator.code_digest(),
        "packages": harness.packages(),
    }
    ledger_plot.draw(document, args.output_plot)
    files.write_bytes(args.output_table, ledger.text(document).encode())
    files.write_json(args.output, document)


def points(text):
    """Return the rows of a JSON list, after checking the files that they name."""
    return [(title, made.checked(path)) for title, path in json.loads(text)]


def _point(title, path):
    rows, reason = harness.read_rows(path)
    return ledger.Point(title, rows, reason, files.digest(path))


if __name__ == "__main__":
    command.run(main)
