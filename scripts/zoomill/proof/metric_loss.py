"""How much of a task metric an artifact loses against the float32 artifact of its graph."""

import math
import typing

# What stands behind the format of an artifact that TFLite Micro has run.
BY_MICRO = " on TFLite Micro"
# Of fewer samples an interval is too short, even where all differ: of losses that differ from sample to sample it holds
# the truth in 79 of 100 trials by five, in 93 by thirty (tests/bench/coverage.py).
LEAST = 30
# How sure a pass is that no kind of sample in which an allowed loss shows is missing.
_SURE = 0.95
_NAMED = 5


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
    """Return what has to stand beside a figure of metric evidence: that it counts what the model itself drops, or rare
    categories.
    """
    score, said = document.get("nms_score_threshold"), rare(document)
    told = [f"scores from {score['figure']:.3g}"] if score and score["figure"] < score["model"] else []
    told += [said] if said else []
    return f" ({'; '.join(told)})" if told else ""


def rare(document):
    """Return which categories of metric evidence too few pictures show, in words; nothing where there are none."""
    rarest = sorted(document.get("rare", {}).items(), key=lambda item: (item[1], item[0]))
    found = [f"{name} ({count})" for name, count in rarest]
    more = [f"{len(found) - _NAMED} more"] if len(found) > _NAMED else []
    return f"too few pictures to tell: {', '.join([*found[:_NAMED], *more])}" if found else ""


def too_few(document, allowed):
    """Return why the samples of metric evidence cannot tell that a loss is allowed, in words; nothing where they can.

    Of a share that no sample has lost, as much may be lost as hides from so many samples: of n, 3 / n (Hanley and
    Lippman-Hand 1983, If Nothing Goes Wrong, Is Everything All Right?).
    """
    if said := rare(document):
        return said
    least = LEAST
    if document["share"]:
        if not allowed:
            return "no number of samples tells a loss of 0"
        least = max(least, math.ceil(-math.log(1 - _SURE) / allowed))
    return f"that takes {least} samples" if document["samples"] < least else ""


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
        if loss is None or allowed is None:
            continue
        doubt = too_few(about[name], allowed)
        if loss.high <= allowed and not doubt:
            continue
        figure, count = about[name]["figure"], about[name]["samples"]
        told = (
            f"{loss.value:.4g} of {figure}, {loss.low:.4g} to {loss.high:.4g} by {count} samples, allowed {allowed:g}"
        )
        loses = loss.low > allowed and not rare(about[name])
        phrase = "loses" if loses else "not told whether it loses too much:"
        why = f"; {doubt}" if doubt and not loses else ""
        lines.append(f"{model}: {graph}.{variant}.{form}: {phrase} {told}{why}")
    return lines


def key(item):
    """Return model, graph, variant and format, as :func:`of_artifacts` has them, of metric evidence."""
    by = BY_MICRO if item.get("kernels") == "micro" else ""
    return item["model"], item["graph"], item["variant"], _form(item) + by


def _form(item):
    return item["artifact"].rpartition(".")[2]
