"""A ledger: where between a source and an artifact a metric is lost, and what the artifact gives otherwise."""

import typing

from zoomill import supervisor, tables
from zoomill.errors import UserError
from zoomill.evaluation import harness, resampling
from zoomill.evaluation.told import told
from zoomill.inputs import samples
from zoomill.plan import otherwise

_DECODED = otherwise.of(otherwise.DECODED).title
_HEADINGS = ("difference", "95 of 100 times between", "p", "")


class Point(typing.NamedTuple):
    """A model that was scored, or why it was not.

    Attributes:
        title: what the step to it is called.
        rows: of the metric, none with a reason.
        reason: why it was not scored, else None.
        sha256: of the file with the rows.
    """

    title: str
    rows: list
    reason: str
    sha256: str


def of(metric, steps, others, unmeasured):
    """Return a ledger.

    Each step is compared with the one before on the same samples, so that the differences add up to the whole; what is
    otherwise is compared with the last step alone.

    Args:
        metric: of :mod:`zoomill.evaluation.metrics`.
        steps: :class:`Point` of the source, of each step and of the artifact.
        others: :class:`Point` of the artifact otherwise.
        unmeasured: ``(title, reason)`` of what nobody has scored.

    Returns:
        ``first``, ``steps``, ``whole`` (None where there is no step), ``others`` and ``unmeasured``, as JSON has them.

    Raises:
        UserError: when the points are not of the same samples.
    """
    scored = [point for point in steps if not point.reason]
    names = [row["name"] for row in scored[0].rows]
    for point in (*scored, *others):
        if not point.reason and [row["name"] for row in point.rows] != names:
            raise UserError(f"{point.title}: is of other samples than {scored[0].title}")
    if not any(name.lower().endswith(samples.JPEG) for name in names):
        others = [point for point in others if point.title != _DECODED]
    pairs = list(zip(scored, scored[1:], strict=False))
    missing = [
        (point.title, point.reason) for point in (*steps, *others) if point.reason not in (None, harness.SO_ALREADY)
    ]
    return {
        "first": _scored(metric, scored[0]),
        "steps": [_compared(metric, *pair) for pair in pairs],
        "whole": _compared(metric, scored[0], scored[-1]) if pairs else None,
        "others": [_compared(metric, scored[-1], point) for point in others if not point.reason],
        "unmeasured": [{"title": title, "reason": reason} for title, reason in (*missing, *unmeasured)],
    }


def _scored(metric, point):
    value = metric.values(point.rows)[metric.figure]
    return {"title": point.title, "value": value, "rows_sha256": point.sha256}


def _compared(metric, before, after):
    supervisor.step()
    compared = resampling.compare(metric, before.rows, after.rows)
    return {**_scored(metric, after), **compared._asdict()}


def text(document):
    """Return a ledger as Markdown.

    Args:
        document: what :func:`of` returned, with ``model``, ``graph``, ``variant``, ``figure`` and ``samples``.
    """
    figure, name = document["figure"], f"{document['graph']}.{document['variant']}"
    first, whole = document["first"], document["whole"]
    parts = [f"# {document['model']} {name}: `{figure}`, step by step\n"]
    parts.append(f"On {document['samples']} samples; `~` is not told apart from zero, p above 0.05.\n")
    rows = [(first["title"], f"{first['value']:.4f}", *[""] * len(_HEADINGS)), *map(_cells, document["steps"])]
    if whole:
        rows.append(("whole", *_cells(whole)[1:]))
    parts.append(tables.markdown([("step", figure, *_HEADINGS), *rows]))
    if whole:
        parts.append(f"{told(figure, first['title'], name, whole)}.\n")
    if document["others"]:
        parts.append("The artifact otherwise, each against its own figure:\n")
        parts.append(tables.markdown([("otherwise", figure, *_HEADINGS), *map(_cells, document["others"])]))
    if document["unmeasured"]:
        rows = [(row["title"], row["reason"]) for row in document["unmeasured"]]
        parts.append(tables.markdown([("not measured", "because"), *rows]))
    return "\n".join(parts)


def _cells(row):
    """Return title, figure, difference, its interval, p and verdict of a row."""
    mark, ends = "~" if row["verdict"] == "not told apart" else "", row["interval"]
    within = f"{ends[0]:+z.4f} and {ends[1]:+z.4f}" if ends else ""
    verdict = "" if mark else row["verdict"]
    return (row["title"], f"{row['value']:.4f}", f"{mark}{row['difference']:+z.4f}", within, f"{row['p']:.3f}", verdict)
