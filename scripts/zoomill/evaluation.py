"""The one harness for source models and artifacts: samples, preprocessing, outputs, metric, evidence."""

import hashlib
import importlib.metadata
import json
import os

import numpy as np

from zoomill import datasets, files, made, metrics, predictions
from zoomill.code_files import code_files
from zoomill.errors import UserError
from zoomill.preprocess import Preprocess

# The packages that decide about figures; those that a process does not have are left out.
_PACKAGES = ("ai-edge-litert", "numpy", "pillow", "pycocotools", "scikit-learn")


def add_inputs(parser):
    """Add the flags that say on what a model is scored, and how."""
    parser.add_argument("--contract", type=made.checked, required=True, help="contract.json of the graph")
    parser.add_argument("--anchors", type=made.checked, nargs="*", default=[], help="anchors.npy of a detection graph")
    predictions.add_arguments(parser, required=True)
    parser.add_argument("--metric", required=True, type=json.loads, help="JSON object: name and options")


def add_arguments(parser):
    """Add the flags that both commands have."""
    add_inputs(parser)
    parser.add_argument("--output", type=made.output, required=True, help="JSON file with the figures")
    parser.add_argument("--output-samples", type=made.output, required=True, help="JSON lines, one for each sample")


def metric_of(args, contract):
    """Return the metric that the flags of :func:`add_inputs` ask for."""
    (promise,) = contract["inputs"]
    anchors = np.load(args.anchors[0]) if args.anchors else None
    setting = metrics.Setting(contract, Preprocess(promise, **args.preprocess), args.folder, anchors)
    return metrics.metric(setting, **args.metric)


def score(args, contract, metric, run):
    """Return the metric's row of each sample.

    Args:
        args: the flags of :func:`add_inputs`.
        contract: contract of the graph.
        metric: what :func:`metric_of` returned.
        run: function from an input to ``{output name: array}``, batch of one included.
    """
    (promise,) = contract["inputs"]
    rows = []
    for sample, arrays, values in predictions.inputs(args, promise):
        label = datasets.read_label(args.folder, sample, args.form)
        case = metrics.Case(sample.name, label, arrays, values, [run(value) for value in values])
        rows.append({"name": sample.name, **metric.row(case)})
    return rows


def evaluate(args, run, evidence):
    """Score a model and write the evidence.

    Args:
        args: the flags of :func:`add_arguments`.
        run: function from an input to ``{output name: array}``, batch of one included.
        evidence: what is known about the model, its variant among it.
    """
    contract = files.read_json(args.contract)
    try:
        metric = metric_of(args, contract)
        rows = score(args, contract, metric, run)
        values = metric.values(rows)
    except UserError as error:
        raise UserError(f"{contract['model']}: {contract['graph']}.{evidence['variant']}: {error}") from error
    lines = "".join(json.dumps(row, sort_keys=True, allow_nan=False) + "\n" for row in rows)
    files.write_bytes(args.output_samples, lines.encode())
    document = {
        **evidence,
        "model": contract["model"],
        "graph": contract["graph"],
        "metric": args.metric,
        "preprocess": args.preprocess,
        "samples": len(rows),
        "samples_sha256": files.digest(args.samples),
        "evaluator_sha256": evaluator_digest(),
        "packages": packages(),
        "rows_sha256": hashlib.sha256(lines.encode()).hexdigest(),
        "values": values,
        "figure": metric.figure,
        "more_is_better": metric.more_is_better,
    }
    files.write_json(args.output, document)


def packages():
    """Return ``{package: version}`` of what decides about figures."""
    return {name: importlib.metadata.version(name) for name in _PACKAGES}


def evaluator_digest():
    """Return a digest of the code that scores, the same for source models and artifacts."""
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    state = hashlib.sha256()
    for path in sorted(code_files(os.path.join(folder, "evaluate_source.py"))):
        state.update(f"{files.digest(path)}  {os.path.relpath(path, folder)}\n".encode())
    return state.hexdigest()
