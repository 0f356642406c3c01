"""Print a table of all artifacts and write it as Markdown."""

import argparse

from zoomill import command, files, made, tables
from zoomill.proof import metric_loss

_NAME = ("model", "graph", "variant", "format")
_HEADINGS = (*_NAME, "bytes", "of float32", "SQNR", "decisions", "metric", "drop", "verdict")


def main(argv=None):
    """Write the table to ``--output`` and to stdout."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--evidence", type=made.checked, nargs="+", required=True, help="evidence of each artifact")
    parser.add_argument(
        "--metrics", type=made.checked, nargs="*", default=[], help="metric evidence of those that are evaluated"
    )
    parser.add_argument("--output", type=made.output, required=True)
    args = command.parse(parser, argv)
    documents = [files.read_json(path) for path in args.evidence]
    sizes = {name(item): item["bytes"] for item in documents}
    evaluated = [files.read_json(path) for path in args.metrics]
    names = {item["model"]: item["figure"] for item in evaluated}
    notes = {name(item): metric_loss.note(item) for item in evaluated}
    figures = {
        key: (f"{names[key[0]]} {figure:.4f}{notes[key]}", "" if lost is None else f"{lost:+.4f}")
        for key, (figure, lost) in metric_loss.of_artifacts(evaluated).items()
    }
    rows = [row(item, sizes, figures.get(name(item), ("", ""))) for item in documents]
    text = tables.markdown([_HEADINGS, *rows])
    files.write_bytes(args.output, text.encode())
    print(text, end="")


def name(item):
    """Return model, graph, variant and format, which is the end of the artifact's name."""
    return item["model"], item["graph"], item["variant"], item["artifact"].rpartition(".")[2]


def row(item, sizes, figures):
    """Return the cells of one artifact."""
    whole = sizes.get(name({**item, "variant": "float32"}))
    parity = item["parity"]
    figures_of = [figures for output in parity.get("heads", parity).values() for figures in measures(output)]
    ratio = f"{min(figures['sqnr'] for figures in figures_of):.0f} dB" if figures_of else ""
    decided = [output["decisions"] for output in parity.values() if output.get("decisions") is not None]
    decisions = f"{min(decided):.0%}" if decided else ""
    if "decision" in parity:
        decisions = f"{parity['decision']['matched']} of {parity['decision']['expected']} boxes"
    share = f"{item['bytes'] / whole:.0%}" if whole else ""
    verdict = item["verdict"] if item["passed"] else item["verdict"].upper()
    if item.get("calibration", {}).get("samples") == "random":
        verdict += ", uncalibrated"
    return (*name(item), f"{item['bytes']:,}", share, ratio, decisions, *figures, verdict)


def measures(output):
    """Return the figures of an output, and of its logits, that were measured: those that move."""
    if output.get("constant"):
        return []
    return [found for found in (output, output.get("logits")) if found and found["spread"]]


if __name__ == "__main__":
    command.run(main)
