"""Find the fewest operators to leave in float so that int8 loses no more of the task metric than it may."""

import argparse
import itertools
import os
import tempfile

from zoomill import command, files, made
from zoomill.errors import UserError
from zoomill.evaluation import fewer_samples, harness, resampling
from zoomill.evaluation.told import told
from zoomill.inputs import samples
from zoomill.proof import evaluator, metric_loss
from zoomill.tflite import artifact, bisection, calibration, runtime

# Samples on which the operators' noise is measured.
_RANKING = 8


def main(argv=None):
    """Write the file and the record of the search."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--float", type=made.checked, required=True, help="float32 .tflite file")
    parser.add_argument("--calibration", type=made.checked, required=True, help="calibration.json")
    parser.add_argument("--drop", required=True, type=float, help="largest loss allowed, in the metric's unit")
    harness.add_task(parser)
    artifact.add_argument(parser)
    parser.add_argument("--output", type=made.output, required=True, help=".tflite file")
    parser.add_argument("--output-record", type=made.output, required=True, help="JSON file")
    args = command.parse(parser, argv)
    task = harness.task_of_flags(args)
    contract = task.contract
    try:
        with tempfile.TemporaryDirectory() as folder:
            data, record = _bisect(args, task, folder)
    except UserError as error:
        raise UserError(f"{contract['model']}: {contract['graph']}.{args.variant.name}: {error}") from error
    files.write_bytes(args.output, data)
    files.write_json(args.output_record, {**record, "sha256": files.digest(args.output)})


def _bisect(args, task, folder):
    """Return the bytes of the file and the record."""
    metric, contract = task.metric(), task.contract
    deciding, names = _deciding(task, folder)
    ranges = calibration.read_ranges(args.calibration, args.float)
    workshop = bisection.Workshop(args.float, ranges, contract, args.variant, folder)
    ranking = workshop.rank(_feeds(deciding))
    search = bisection.Search(workshop, metric, lambda path: _rows(deciding, metric, path), args.drop)
    chosen = search.run(args.float, list(ranking))
    figures, rows = {}, {}
    for variant, in_float in (("float32", None), ("int8", []), (args.variant.name, chosen)):
        path = args.float if in_float is None else workshop.make(in_float)
        rows[variant] = _rows(task, metric, path)
        figures[variant] = _figures(metric, rows[variant], names, os.path.getsize(path))
    rest = [[row for row in rows[name] if row["name"] not in names] for name in ("float32", args.variant.name)]
    compared = resampling.compare(metric, *rest)
    exact, found = (figures[name]["rest"] for name in ("float32", args.variant.name))
    lost = metric_loss.worse_by(exact, found, metric.more_is_better)
    with open(path, "rb") as file:
        data = file.read()
    return data, {
        "model": contract["model"],
        "graph": contract["graph"],
        "metric": args.metric,
        "figure": metric.figure,
        "drop": args.drop,
        "in_float": [{"tensor": name, "operator": workshop.operators[name]} for name in chosen],
        "figures": figures,
        "loss": lost,
        "passed": lost <= args.drop,
        "against_float32": {
            **compared._asdict(),
            "told": told(metric.figure, "float32", args.variant.name, compared),
        },
        "noise": [{"tensor": name, "noise": noise} for name, noise in ranking.items()],
        "steps": search.steps,
        "float_sha256": files.digest(args.float),
        "calibration_sha256": files.digest(args.calibration),
        "samples_sha256": files.digest(args.samples),
        "evaluator_sha256": evaluator.code_digest(),
    }


def _deciding(task, folder):
    """Return the task on the half of the samples that decides, and the names of these."""
    count = len(samples.read_index(task.samples.path))
    if count < 2:
        raise UserError("needs at least two evaluation samples, one half to decide and one to report")
    half = fewer_samples.drawn(task, count // 2, os.path.join(folder, "deciding.csv"))
    return half, {sample.name for sample in samples.read_index(half.samples.path)}


def _feeds(task):
    """Return the first input of each of the first samples."""
    first = itertools.islice(task.samples.feeds(task.contract["inputs"]), _RANKING)
    return [feeds[0] for _, _, feeds in first]


def _rows(task, metric, path):
    """Return the metric's rows of a file."""
    run = runtime.Artifact(path)
    return task.score(metric, lambda feed: run(task.contract, feed))


def _figures(metric, rows, names, size):
    """Return size and figure of a file, of the samples that decided, of the rest, and of all."""
    parts = {
        "deciding": [row for row in rows if row["name"] in names],
        "rest": [row for row in rows if row["name"] not in names],
        "all": rows,
    }
    return {"bytes": size, **{name: metric.values(part)[metric.figure] for name, part in parts.items()}}


if __name__ == "__main__":
    command.run(main)
