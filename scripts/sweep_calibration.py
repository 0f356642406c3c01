"""Score files that are calibrated with fewer samples, name the samples that widen ranges, and draw both."""

import argparse
import contextlib
import io
import os
import tempfile

from zoomill import command, files, made
from zoomill.errors import UserError
from zoomill.evaluation import calibration_plot, calibration_sweep, fewer_samples, harness
from zoomill.inputs import sample_inputs, samples
from zoomill.proof import evaluator
from zoomill.tflite import artifact, calibration, quantiser, runtime, sample_ranges, tflite_ends, tflite_file
from zoomill.tflite.inner_tensors import InnerTensors


def main(argv=None):
    """Write the figures and the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--float", type=made.checked, required=True, help="float32 .tflite file")
    parser.add_argument("--limit", type=int, required=True, help="most evaluation samples to score, drawn if more")
    sample_inputs.add_arguments(parser, "that ranges are made of", required=True, prefix="calibration-")
    harness.add_task(parser)
    artifact.add_argument(parser)
    parser.add_argument("--output", type=made.output, required=True, help="JSON file")
    parser.add_argument("--output-plot", type=made.output, required=True, help="SVG file")
    args = command.parse(parser, argv)
    task = harness.task_of_flags(args)
    contract, name = task.contract, f"{task.contract['graph']}.{args.variant.name}"
    try:
        with tempfile.TemporaryDirectory() as folder:
            document = _document(args, task, folder)
    except UserError as error:
        raise UserError(f"{contract['model']}: {name}: {error}") from error
    calibration_plot.draw(document, f"{contract['model']}: {name} by its calibration samples", args.output_plot)
    files.write_json(args.output, document)


def _document(args, task, folder):
    """Return everything that was found, as JSON values."""
    if len(samples.read_index(task.samples.path)) > args.limit:
        task = fewer_samples.drawn(task, args.limit, os.path.join(folder, "scored.csv"))
    metric, by_sample = task.metric(), _by_sample(args, task.contract)

    def score(file):
        run = runtime.Artifact(file)
        return task.score(metric, lambda feed: run(task.contract, feed))

    exact = score(args.float)
    several = [*by_sample.values()]
    runs = calibration_sweep.sweep(metric, exact, several, lambda ranges: score(_file(args, ranges)))
    rows = sample_ranges.by_tensor(by_sample, InnerTensors(args.float).makers())
    return {
        "model": task.contract["model"],
        "graph": task.contract["graph"],
        "variant": args.variant.name,
        "metric": args.metric,
        "figure": metric.figure,
        "more_is_better": metric.more_is_better,
        "float32": calibration_sweep.figures(metric, exact, {}),
        "runs": runs,
        "enough": calibration_sweep.enough(runs),
        "samples": len(exact),
        "calibration_samples": [*by_sample],
        "tensors": rows,
        "outliers": sample_ranges.outliers(rows),
        "float_sha256": files.digest(args.float),
        "calibration_samples_sha256": files.digest(args.calibration_samples),
        "samples_sha256": files.digest(args.samples),
        "evaluator_sha256": evaluator.code_digest(),
        "packages": harness.packages(),
    }


def _by_sample(args, contract):
    """Return the ranges of each calibration sample, ``{sample: {tensor: (smallest, largest)}}``."""
    several, owner = {}, []

    def feeds():
        for sample, _, windows in sample_inputs.of_flags(args, "calibration-").feeds(contract["inputs"]):
            owner[:] = [sample.name]
            yield from windows

    for ranges in calibration.of_each(args.float, contract, calibration.check_inputs(contract, feeds())):
        several.setdefault(owner[0], []).append(ranges)
    if len(several) < 2:
        raise UserError("needs at least two calibration samples, so that one can be left out")
    return {name: calibration.joined(windows) for name, windows in several.items()}


def _file(args, ranges):
    """Return the bytes of a file that is made of ranges."""
    with contextlib.redirect_stdout(io.StringIO()):  # five lines of statistics for each file
        model = quantiser.quantise(args.float, args.variant.name, ranges)
    if args.variant.ends == "uint8":
        tflite_ends.recast(model)
    return tflite_file.serialise(model)


if __name__ == "__main__":
    command.run(main)
