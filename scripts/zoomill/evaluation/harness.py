"""The one harness for source models and artifacts: samples, preprocessing, outputs, metric, evidence."""

import contextlib
import dataclasses
import hashlib
import importlib.metadata
import json
import os

import numpy as np

from zoomill import files, made
from zoomill.detection import decode
from zoomill.errors import UserError
from zoomill.evaluation import metrics, resampling, sequential
from zoomill.inputs import contract_file, readers, sample_inputs, samples
from zoomill.inputs.preprocess import Preprocess
from zoomill.inputs.sample_inputs import Samples
from zoomill.proof import evaluator

# Why a file is not run otherwise that would be run as it is.
SO_ALREADY = "it is so already"
# The packages that decide about figures; those that a process does not have are left out.
_PACKAGES = ("ai-edge-litert", "numpy", "pillow", "pycocotools", "tflite-micro")


@dataclasses.dataclass(frozen=True)
class Task:
    """What a model is scored on, and how.

    Attributes:
        contract: of the graph.
        samples: :class:`zoomill.inputs.sample_inputs.Samples`.
        options: name and options of the metric.
        anchors: float32 ``[anchors, 4]`` of a detection graph, else None.
    """

    contract: dict
    samples: Samples
    options: dict
    anchors: np.ndarray | None

    def metric(self):
        """Return the metric, as :func:`zoomill.evaluation.metrics.metric` makes it."""
        preprocess = Preprocess.of(self.contract["inputs"][0], self.samples.preprocess)
        setting = metrics.Setting(self.contract, preprocess, self.samples.folder, self.anchors)
        return metrics.metric(setting, **self.options)

    def postprocess(self):
        """Return the :class:`zoomill.detection.postprocess.Options` that an SSD is scored with."""
        return decode.settings(self.contract, **self.options.get("decode", {"kind": "ssd"}))

    def score(self, metric, run, part=slice(None)):
        """Return the metric's row of each sample, or of a part, see :meth:`Samples.feeds`.

        Args:
            metric: what :meth:`metric` returned.
            run: function from ``{input tensor: array}`` to ``{output name: array}``, batch of one included.
        """
        rows = []
        for sample, size, feeds in self.samples.feeds(self.contract["inputs"], part):
            label = readers.read_label(self.samples.folder, sample, self.samples.form)
            case = metrics.Case(sample.name, label, size, feeds, [run(feed) for feed in feeds])
            rows.append({"name": sample.name, **metric.row(case)})
        return rows


def add_task(parser):
    """Add the flags of which :func:`task_of_flags` makes a :class:`Task`."""
    parser.add_argument("--contract", type=made.checked, required=True, help="contract.json of the graph")
    parser.add_argument("--anchors", type=made.checked, nargs="*", default=[], help="anchors.npy of a detection graph")
    sample_inputs.add_arguments(parser, required=True)
    parser.add_argument("--fitted", type=made.checked, nargs="?", help="what fit_pictures made of the samples")
    parser.add_argument("--metric", required=True, type=json.loads, help="JSON object: name and options")


def task_of_flags(args):
    """Return the :class:`Task` of the flags of :func:`add_task`."""
    anchors = np.load(args.anchors[0]) if args.anchors else None
    chosen = dataclasses.replace(sample_inputs.of_flags(args), fitted=args.fitted)
    return Task(contract_file.read(args.contract), chosen, args.metric, anchors)


@contextlib.contextmanager
def naming(args):
    """Name the files of the flags in what is said of an artifact that is not as its contract says."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{args.artifact}: is not as {args.contract} says: {error}") from error


def add_outputs(parser):
    """Add the flags of what :func:`evaluate` writes."""
    parser.add_argument("--output", type=made.output, required=True, help="JSON file with the figures")
    parser.add_argument("--output-samples", type=made.output, required=True, help="JSON lines, one for each sample")
    parser.add_argument(
        "--against", type=made.checked, nargs="*", default=[], help="such lines of the file that it is compared with"
    )


def add_stopping(parser):
    """Add the flag that says when scoring stops."""
    parser.add_argument(
        "--until-clear",
        type=json.loads,
        help="JSON object, may have drop, the largest loss: stop when it is clear how the file compares with --against",
    )


def evaluate(task, run, evidence, args, until_clear=None):
    """Score a model and write the evidence.

    Args:
        task: :class:`Task`.
        run: function from ``{input tensor: array}`` to ``{output name: array}``, batch of one included.
        evidence: what is known about the model, its variant among it.
        args: the flags of :func:`add_task` and :func:`add_outputs`.
        until_clear: what the flag of :func:`add_stopping` says, None to score all samples.
    """
    contract = task.contract
    try:
        metric = task.metric()
        rows, ended, level = _scored(task, metric, run, args.against, until_clear)
        values = metric.values(rows)
        compared = [_compared(metric, rows, path, level, partial=bool(ended)) for path in args.against]
    except UserError as error:
        raise UserError(f"{contract['model']}: {contract['graph']}.{evidence['variant']}: {error}") from error
    lines = "".join(json.dumps(row, sort_keys=True, allow_nan=False) + "\n" for row in rows)
    files.write_bytes(args.output_samples, lines.encode())
    document = {
        **evidence,
        "model": contract["model"],
        "graph": contract["graph"],
        "metric": task.options,
        "preprocess": {**task.contract["inputs"][0].get("preprocess", {}), **task.samples.preprocess},
        "samples": len(rows),
        **_bound(args),
        "packages": packages(),
        "rows_sha256": hashlib.sha256(lines.encode()).hexdigest(),
        "values": values,
        "figure": metric.figure,
        "interval": resampling.interval(metric, rows, level),
        "against": compared,
        "more_is_better": metric.more_is_better,
        "share": metric.share,
        "rare": resampling.rare(metric, rows),
        **ended,
        **getattr(metric, "said", {}),
    }
    files.write_json(args.output, document)


def _bound(args):
    """Return the digests of all that figures depend on, but for the artifact's; see :mod:`zoomill.proof.binding`."""
    return {
        "contract_sha256": made.noted(args.contract),
        "anchors_sha256": next(map(made.noted, args.anchors), None),
        "samples_sha256": made.noted(args.samples),
        "dataset_sha256": made.noted(args.folder),
        "evaluator_sha256": evaluator.code_digest(),
        "runner_sha256": evaluator.runner_digest(made.command()),
        "environment_sha256": evaluator.installed_digest(),
    }


def write_reason(args, reason):
    """Write why a model cannot be scored as the flags of :func:`add_outputs` ask for, instead of figures and rows."""
    files.write_bytes(args.output_samples, json.dumps({"reason": reason}).encode() + b"\n")
    files.write_json(args.output, {"reason": reason})


def read_rows(path):
    """Return the rows of a file of JSON lines, and why it has none, else None."""
    with open(path, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    reason = rows[0].get("reason") if rows else None
    return ([], reason) if reason else (rows, None)


def _scored(task, metric, run, against, asked):
    """Return the rows that were scored, what the evidence says of the end, and the level of intervals."""
    if asked is None or not against:
        return task.score(metric, run), {}, resampling.LEVEL
    others = read_rows(against[0])[0]
    _check_same(against[0], others, [sample.name for sample in samples.read_index(task.samples.path)])
    found = sequential.score(metric, others, lambda places: task.score(metric, run, places), asked.get("drop"))
    said = {
        "of_samples": len(others),
        "look": found.look,
        "looks": sequential.LOOKS,
        "level": sequential.LEVEL,
        "allowed": asked.get("drop"),
        "why": found.why,
    }
    return found.rows, {"until_clear": said}, sequential.LEVEL


def _compared(metric, rows, path, level, partial):
    """Return how a file compares with the one whose rows, if ``partial`` for more samples too, stand in a file."""
    names = [row["name"] for row in rows]
    others = [row for row in read_rows(path)[0] if not partial or row["name"] in {*names}]
    _check_same(path, others, names)
    found = resampling.compare(metric, others, rows, level)
    return {"of": os.path.basename(path).removesuffix(".samples.jsonl"), **found._asdict()}


def _check_same(path, others, names):
    """Refuse rows of a file that are of other samples, or in another order."""
    if [row["name"] for row in others] != names:
        raise UserError(f"{path}: is of other samples; {made.restore(path)}")


def packages():
    """Return ``{package: version}`` of what decides about figures."""
    return {name: importlib.metadata.version(name) for name in _PACKAGES}
