"""What a model's page tells besides the table of its artifacts, from evidence alone."""

# Figures of an output, with the key of the limit and whether more of them is better.
_FIGURES = (("sqnr", "sqnr", True), ("share", "share", False), ("decisions", "decisions", True))
# Kinds of operators that are named.
_MOST = 12
# Packages that a version is told of.
_TOLD = (
    *("ai-edge-litert", "ai-edge-quantizer", "keras", "litert-torch", "onnx", "onnx2tf", "onnxruntime", "openvino"),
    *("tensorflow", "tensorflow-cpu", "tensorflowjs", "torch"),
)


def parity(rows):
    """Return how near artifacts come to the source, a row for each output that was measured.

    Args:
        rows: those of :func:`zoomill.pages.report.rows`.

    Returns:
        List of dicts: ``artifact``, ``output``; ``sqnr``, ``share`` and ``decisions``, each None or ``value``,
        ``limit`` (None without) and ``held``; ``boxes`` (None, or words).
    """
    return [line for row in rows for line in _outputs(row)]


def _outputs(row):
    measured, limits = row["parity"], row["limits"]
    if decision := measured.get("decision"):
        words = f"{decision['matched']} of {decision['expected']} boxes"
        if decision["surplus"]:
            words += f", {decision['surplus']} too many"
        yield {"artifact": row["artifact"], "output": "boxes", "boxes": words}
    for name, output in measured.get("heads", measured).items():
        for title, found in ((name, output), (f"{name}, before its activation", output.get("logits"))):
            if found and "sqnr" in found:
                figures = {key: _held(found.get(key), limits.get(limit), more) for key, limit, more in _FIGURES}
                yield {"artifact": row["artifact"], "output": title, "boxes": None, **figures}


def _held(value, limit, more):
    if value is None:
        return None
    held = limit is None or (value >= limit if more else value <= limit)
    return {"value": value, "limit": limit, "held": held}


def source(document):
    """Return what a source is, in sentences, from what ``inspect_model`` wrote of it, nothing without.

    Args:
        document: see :mod:`zoomill.inspect.report`.
    """
    sentences = []
    for graph in document["graphs"] if document else []:
        count = sum(entry["count"] for entry in graph["parameters"].values())
        computing = by_count(graph["operators"])
        kinds = [f"{name} {number:,}" for name, number in computing]
        told = ", ".join(kinds[:_MOST]) + (f" and {len(kinds) - _MOST} more" if len(kinds) > _MOST else "")
        sentences.append(
            f"{sum(number for _, number in computing):,} operators of {len(kinds)} kinds: {told}. {count:,} parameters."
        )
    if document and document["checkpoint"]:
        count = sum(entry["count"] for entry in document["checkpoint"]["parameters"].values())
        sentences.append(
            f"Its checkpoint has {len(document['checkpoint']['variables']):,} variables, {count:,} values."
        )
    return sentences


def by_count(operators):
    """Return ``(operator, how often)``, the most frequent first; constants do not compute."""
    computing = [(name, count) for name, count in operators.items() if name != "Const"]
    return sorted(computing, key=lambda one: (-one[1], one[0]))


def provenance(document):
    """Return how many files of ours made a model's artifacts, and in what: sentences, from its provenance.

    Args:
        document: what ``write_provenance`` wrote, None where that was not written.
    """
    if not document:
        return []
    told = []
    for name, entry in sorted(document["environments"].items()):
        packages = entry.get("packages", {})
        chosen = ", ".join(f"{package} {packages[package]}" for package in _TOLD if packages.get(package))
        told += [f"{name.removesuffix('.yaml')} ({chosen})"] if chosen else []
    machines = sorted({entry["machine"] for entry in document["cpu"].values()})
    return [
        f"Made by {len(document['code'])} files of zoomill, in the environments {', '.join(told)}.",
        *([f"Golden outputs come from {', '.join(machines)}."] if machines else []),
    ]
