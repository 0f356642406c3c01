"""How much of a task metric an artifact loses against the float32 artifact of its graph."""

import math
import typing

# What stands behind the format of an artifact that TFLite Micro has run.
BY_MICRO = " on TFLite Micro"


class Loss(typing.NamedTuple):
    """A loss in the metric's unit, negative where the artifact is better.

    Attributes:
        value: the loss.
        low, high: the ends of its interval.
        may_be_none: whether there is a difference, and the two artifacts cannot be told apart on the samples.
    """

    value: float
    low: float
    high: float
    may_be_none: bool

    @classmethod
    def of(cls, compared):
        """Return the loss of a :class:`zoomill.evaluation.resampling.Comparison`, as JSON has it."""
        (low, high), difference = compared["interval"] or (-math.inf, math.inf), compared["difference"]
        return cls(0.0 - difference, 0.0 - high, 0.0 - low, difference != 0 and compared["verdict"] == "not told apart")


def worse_by(reference, value, more_is_better):
    """Return by how much a figure is worse than another, in the metric's unit; negative when it is better."""
    return reference - value if more_is_better else value - reference


def of_artifacts(documents):
    """Return ``{(model, graph, variant, format): (figure, loss)}``.

    The format is the end of the artifact's name, and says whose kernels have run it where these are TFLite Micro's.

    Args:
        documents: metric evidence (:mod:`zoomill.evaluation.harness`) of artifacts.

    Returns:
        ``figure`` is the metric's own; ``loss`` is a :class:`Loss`, None of the float32 artifact itself.
    """
    return {
        key(item): (item["values"][item["figure"]], next(map(Loss.of, item["against"]), None)) for item in documents
    }


def note(document):
    """Return what has to stand beside a figure of metric evidence: that it counts what the model itself drops."""
    score = document.get("nms_score_threshold")
    return f" (scores from {score['figure']:.3g})" if score and score["figure"] < score["model"] else ""


def parts(documents):
    """Return ``{(model, graph, variant, format): text}`` of those of which not all samples were scored."""
    return {key(item): told for item in documents if (told := part(item))}


def part(document):
    """Return what has to stand beside a figure of metric evidence of which not all samples were scored."""
    ended = document.get("until_clear")
    if not ended or document["samples"] == ended["of_samples"]:
        return ""
    return f"{document['samples']} of {ended['of_samples']} samples were scored: {ended['why']}"


def failures(documents, drops):
    """Return one phrase for every artifact that loses more than its card allows, or of which that cannot be told.

    Args:
        documents: see :func:`of_artifacts`.
        drops: ``{model: {variant: largest loss}}``.
    """
    about = {key(item): item for item in documents}
    lines = []
    for name, (_, loss) in of_artifacts(documents).items():
        model, graph, variant, form = name
        allowed = drops.get(model, {}).get(variant)
        if loss is None or allowed is None or loss.high <= allowed:
            continue
        figure, count = about[name]["figure"], about[name]["samples"]
        told = (
            f"{loss.value:.4g} of {figure}, {loss.low:.4g} to {loss.high:.4g} by {count} samples, allowed {allowed:g}"
        )
        phrase = "loses" if loss.low > allowed else "not told whether it loses too much:"
        lines.append(f"{model}: {graph}.{variant}.{form}: {phrase} {told}")
    return lines


def key(item):
    """Return model, graph, variant and format, as :func:`of_artifacts` has them, of metric evidence."""
    by = BY_MICRO if item.get("kernels") == "micro" else ""
    return item["model"], item["graph"], item["variant"], _form(item) + by


def _form(item):
    return item["artifact"].rpartition(".")[2]
