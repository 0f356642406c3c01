"""What ledgers, sweeps of NMS and errors of tensors say, a sentence of each."""

import os
import typing

from zoomill import files
from zoomill.plan import artifact_name, studies


class Study(typing.NamedTuple):
    """A closer look at one artifact.

    Attributes:
        key: of :data:`zoomill.plan.studies.KEYS`.
        name: :class:`zoomill.plan.artifact_name.ArtifactName` of the artifact.
        path: of the document.
        drawing: path of the drawing.
        document: as the command wrote it.
        said: the sentence.
    """

    key: str
    name: artifact_name.ArtifactName
    path: str
    drawing: str
    document: dict
    said: str


def read(paths):
    """Return the :class:`Study` of each document."""
    return [_study(path, files.read_json(path), *artifact_name.of_result(path)) for path in paths]


def _study(path, document, name, what):
    key = next(key for key, (made, _) in studies.KEYS.items() if made == what)
    said = {"ledgers": ledger, "nms_sweeps": sweep, "tensor_errors": tensors}[key](document)
    drawing = os.path.join(os.path.dirname(path), os.path.basename(name.file(studies.KEYS[key][1])))
    return Study(key, name, path, drawing, document, said)


def is_stale(study, sha256, rows_sha256):
    """Tell whether a study is of other bytes, or other rows of the metric, than those that stand there.

    Args:
        study: :class:`Study`.
        sha256, rows_sha256: of the artifact and of its metric's rows now, None where there is no evidence of it.
    """
    document = study.document
    if study.key == "ledgers":
        then, now = [document["first"], *document["steps"]][-1]["rows_sha256"], rows_sha256
    else:
        then, now = document["sha256" if study.key == "nms_sweeps" else "quantised_sha256"], sha256
    return now is not None and then != now


def ledger(document):
    """Return which step of a ledger costs most.

    Args:
        document: of :mod:`zoomill.evaluation.ledger`, as ``write_ledger`` writes it.
    """
    figure, whole = document["figure"], document["whole"]
    if not whole:
        return f"{figure} is {document['first']['value']:.4f}; there is no step to it."
    losses = [step for step in document["steps"] if step["verdict"] == "loss"]
    if losses:
        most = min(losses, key=lambda step: step["difference"])
        costs = f"What costs most is {most['title']}: {_change(figure, most)}"
    else:
        costs = f"No step can be told from costing nothing on {document['samples']} samples"
    return f"{costs}. From source to artifact: {_change(figure, whole)}, {whole['verdict']}."


def sweep(document):
    """Return what a sweep of NMS advises to set otherwise than the card.

    Args:
        document: of :mod:`zoomill.evaluation.nms_advice`, as ``sweep_nms`` writes it.
    """
    return " ".join(map(_advice, document["advice"]))


def tensors(document):
    """Return where the error of a quantised file is largest, and where it enters.

    Args:
        document: of :mod:`zoomill.tflite.tensor_error`, as ``compare_tensors`` writes it, worst first.
    """
    if not document["tensors"]:
        return "No tensor of both files has the same name."
    worst = document["tensors"][0]
    lost = max(document["tensors"], key=lambda one: one["sqnr_lost"] or 0)
    return (
        f"The worst of {len(document['tensors'])} tensors has {worst['sqnr']:.0f} dB: {worst['tensor']} "
        f"({worst['operator']}). Most is lost at {lost['tensor']} ({lost['operator']}), "
        f"{lost['sqnr_lost'] or 0:.0f} dB."
    )


def _advice(one):
    figure = {"map": "mAP", "f1_50": "F1 at IoU 0.5"}.get(one["by"], one["by"])
    changed = [name for name, value in one["best"].items() if value != one["own"].get(name, value)]
    if one["take"] != "best" or not changed:
        return f"By {figure}, keep the card's settings."
    words = " and ".join(f"{name} {one['best'][name]} in place of {one['own'][name]}" for name in changed)
    return f"By {figure}, take {words}: {_change('', one['against']).strip()} on pictures that did not choose."


def _change(figure, compared):
    """Return a difference with its interval."""
    ends = compared["interval"]
    within = f" ({ends[0]:+z.4f} to {ends[1]:+z.4f})" if ends else ""
    return f"{figure} {compared['difference']:+z.4f}{within}"
