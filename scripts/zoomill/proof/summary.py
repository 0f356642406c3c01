"""The table of all artifacts that a run ends with, in tables that are less than 100 columns wide, and what failed."""

from zoomill import escape, tables
from zoomill.proof import binding, metric_loss, verdicts, where_it_runs

_HEADINGS = ("variant", "bytes", "of f32", "SQNR", "decisions")
FAILED = "## What failed"


def text(evidence, metrics, gated, looked, drops, missing):
    """Return the summary as Markdown: a table for each graph of each model, then a list of what failed, if anything.

    Args:
        evidence: documents of artifacts.
        metrics: documents of those that are evaluated, from :func:`zoomill.proof.binding.documents`.
        gated: documents of deploy gates.
        looked: :class:`zoomill.proof.told_studies.Study` of each closer look.
        drops: ``{model: {variant: largest loss of its metric}}``.
        missing: lines on what could not be made.
    """
    sizes = {_name(item): item["bytes"] for item in evidence}
    names = {item["model"]: item["figure"] for item in metrics}
    notes = {}
    for item in metrics:
        notes.setdefault((item["model"], item["graph"]), set()).add(metric_loss.note(item))
    stopped = metric_loss.parts(metrics)
    figures = _figures(metrics, stopped)
    graphs = {}
    for item in evidence:
        cells = _row(item, sizes, figures.get(_name(item), ("", "")))
        graphs.setdefault((item["model"], item["graph"]), []).append(cells)
    parts = []
    for (model, graph), rows in graphs.items():
        headings = (*_HEADINGS, names.get(model, "metric"), "drop", "verdict")
        told = [f"\n{names[model]}{note}\n" for note in sorted(notes.get((model, graph), ())) if note]
        told += _on_micro(model, graph, names, figures)
        told += ["\n~ not told apart from float32 on the samples\n"] * any(row[6].startswith("~") for row in rows)
        told += [f"\n^ {name[2]}.{name[3]}: {why}\n" for name, why in stopped.items() if name[:2] == (model, graph)]
        title = f"## {model}{'' if graph == 'main' else f' {graph}'}"
        parts.append("".join([f"{title}\n\n{tables.markdown([headings, *rows])}", *told]))
        asked = [item for item in gated if (item["model"], item["graph"]) == (model, graph)]
        parts += where_it_runs.parts(asked, lambda item: item["variant"])
    parts += _closer(looked)
    failed = [line for item in (*evidence, *gated) for line in verdicts.of_evidence(item)]
    failed += [*binding.failures(metrics), *metric_loss.failures(binding.current(metrics), drops)]
    lines = sorted({*missing, *failed})
    if lines:
        parts.append(f"{FAILED}\n\n" + "".join(f"- {escape.markdown(escape.line(line))}\n" for line in lines))
    return "\n".join(parts)


def _figures(metrics, stopped):
    """Return ``{(model, graph, variant, format): (figure, loss)}`` as text; of a stale figure what is stale of it."""
    current = metric_loss.of_artifacts(binding.current(metrics))
    figures = {
        name: (
            f"{figure:.4f}{'^' * (name in stopped)}",
            "" if lost is None else f"{'~' * lost.may_be_none}{lost.value:+.4f}",
        )
        for name, (figure, lost) in current.items()
    }
    return figures | {metric_loss.key(item): (binding.phrase(item), "") for item in metrics if item["stale"]}


def _on_micro(model, graph, names, figures):
    """Return a line with the metric of files that are delivered as C arrays, by the kernels that run them there."""
    found = [
        f"{name[2]} {figure}"
        for name, (figure, _) in figures.items()
        if name[:2] == (model, graph) and name[3].endswith(metric_loss.BY_MICRO)
    ]
    return [f"\n{names[model]}{metric_loss.BY_MICRO}, which runs C arrays: {', '.join(found)}\n"] if found else []


def _closer(looked):
    """Return a list of what closer looks say, each with its file."""
    lines = [f"- {study.path}: {escape.markdown(escape.line(study.said))}\n" for study in looked]
    return [f"## A closer look\n\n{''.join(lines)}"] if lines else []


def _name(item):
    """Return model, graph, variant and format, which is the end of the artifact's name."""
    return item["model"], item["graph"], item["variant"], item["artifact"].rpartition(".")[2]


def _row(item, sizes, figures):
    """Return the cells of one artifact."""
    model, graph, variant, form = _name(item)
    whole = sizes.get((model, graph, "float32", form))
    parity = item["parity"]
    measured = [found for output in parity.get("heads", parity).values() for found in measures(output)]
    ratio = f"{min(found['sqnr'] for found in measured):.0f} dB" if measured else ""
    decided = [output["decisions"] for output in parity.values() if output.get("decisions") is not None]
    decisions = f"{min(decided):.0%}" if decided else ""
    if "decision" in parity:
        decisions = f"{parity['decision']['matched']} of {parity['decision']['expected']} boxes"
    share = f"{item['bytes'] / whole:.0%}" if whole else ""
    verdict = item["verdict"] if item["passed"] else item["verdict"].upper()
    if item.get("calibration", {}).get("samples") == "random":
        verdict += ", uncalibrated"
    return (f"{variant}.{form}", f"{item['bytes']:,}", share, ratio, decisions, *figures, verdict)


def measures(output):
    """Return the figures of an output, and of its logits, that were measured: those that move."""
    if output.get("constant"):
        return []
    return [found for found in (output, output.get("logits")) if found and found["spread"]]
