"""How much of a task metric an artifact loses against the float32 artifact of its graph."""

# What stands behind the format of an artifact that TFLite Micro has run.
BY_MICRO = " on TFLite Micro"


def worse_by(reference, value, more_is_better):
    """Return by how much a figure is worse than another, in the metric's unit; negative when it is better."""
    return reference - value if more_is_better else value - reference


def of_artifacts(documents):
    """Return ``{(model, graph, variant, format): (figure, loss)}``.

    The format is the end of the artifact's name, and says whose kernels have run it where these are TFLite Micro's.

    Args:
        documents: metric evidence (:mod:`zoomill.evaluation.harness`) of artifacts; their graphs' float32 among them.

    Returns:
        ``figure`` is the metric's own; ``loss`` is how much worse it is than float32's, None without that one.
    """
    figures = {_key(item): item["values"][item["figure"]] for item in documents}
    result = {}
    for item in documents:
        key = model, graph, *_ = _key(item)
        exact = figures.get((model, graph, "float32", _form(item)))
        lost = None if exact is None else worse_by(exact, figures[key], item["more_is_better"])
        result[key] = figures[key], lost
    return result


def note(document):
    """Return what has to stand beside a figure of metric evidence: that it counts what the model itself drops."""
    score = document.get("nms_score_threshold")
    return f" (scores from {score['figure']:.3g})" if score and score["figure"] < score["model"] else ""


def failures(documents, drops):
    """Return one phrase for every artifact that loses more than its card allows.

    Args:
        documents: see :func:`of_artifacts`.
        drops: ``{model: {variant: largest loss}}``.
    """
    names = {_key(item): item["figure"] for item in documents}
    return [
        f"{model}: {graph}.{variant}.{form}: loses {loss:.4g} of {names[model, graph, variant, form]}, "
        f"allowed {drops[model][variant]:g}"
        for (model, graph, variant, form), (_, loss) in of_artifacts(documents).items()
        if loss is not None and variant in drops.get(model, {}) and loss > drops[model][variant]
    ]


def _key(item):
    by = BY_MICRO if item.get("kernels") == "micro" else ""
    return item["model"], item["graph"], item["variant"], _form(item) + by


def _form(item):
    return item["artifact"].rpartition(".")[2]
