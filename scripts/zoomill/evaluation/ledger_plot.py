"""A picture of a ledger: a waterfall from the source's figure to the artifact's, and the artifact otherwise below."""

from zoomill import escape, files, ink

_COLOURS = {"gain": "#2a6f97", "loss": "#c1121f", "not told apart": "#b8b8b8"}
_CAPTION = (
    "Bars lead from one figure to the next, below the line from the artifact's own; the axis does not begin at 0.\n"
    "Lines: where the difference is 95 of 100 times. Hatched grey: not told apart from zero on these samples."
)


def draw(document, path):
    """Draw a ledger as an SVG with the same bytes every time.

    Args:
        document: as for :func:`zoomill.evaluation.ledger.text`, with ``more_is_better``.
        path: where the picture goes.
    """
    from matplotlib.figure import Figure

    steps, others = document["steps"], document["others"]
    lines = 2 + len(steps) + len(others)
    with ink.drawing(svg_fonttype="path"):  # glyphs as paths look alike everywhere
        figure = Figure(figsize=(9.6, 1.7 + 0.3 * lines), layout="constrained")
        axes = figure.subplots()
        figure.suptitle(escape.line(_title(document)), fontsize=11)
        figure.supxlabel(_CAPTION, fontsize=8, x=0.01, ha="left")
        _rows(axes, document)
        files.write_bytes(path, ink.svg(figure).encode())


def _title(document):
    artifact = f"{document['graph']}.{document['variant']}"
    return f"{document['model']}: {document['figure']} of {artifact}, {document['samples']} samples"


def _rows(axes, document):
    """Draw the figures and the bars between them, from above to below."""
    first, steps, others = document["first"], document["steps"], document["others"]
    sign = 1 if document["more_is_better"] else -1
    own, labels = steps[-1]["value"] if steps else first["value"], [first["title"]]
    _figure(axes, 0, first["value"])
    for place, (before, row) in enumerate(zip([first, *steps], steps, strict=False), 1):
        _bar(axes, place, before["value"], row, sign)
        labels.append(row["title"])
    if steps:
        labels.append(f"{document['graph']}.{document['variant']}")
        _figure(axes, len(labels) - 1, own)
    axes.axhline(len(labels) - 0.5, color=ink.INK, linewidth=0.8)
    for row in others:
        _bar(axes, len(labels), own, row, sign)
        labels.append(row["title"])
    axes.axvline(own, color=ink.INK, linewidth=0.6, linestyle=":")
    axes.set_yticks(range(len(labels)), [escape.line(label) for label in labels], fontsize=9)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.set_xlabel(escape.line(document["figure"]), fontsize=9)
    axes.margins(x=0.15)
    axes.grid(axis="x", alpha=0.3)


def _figure(axes, place, value):
    axes.plot(value, place, "D", color=ink.INK, markersize=6)
    _text(axes, value, place, f"{value:.4f}")


def _bar(axes, place, start, row, sign):
    """Draw a bar from a figure to that of a row, with the interval of the difference."""
    colour, told = _COLOURS[row["verdict"]], row["verdict"] != "not told apart"
    style = {"color": colour} if told else {"facecolor": "none", "edgecolor": colour, "hatch": "////"}
    axes.barh(place, row["value"] - start, left=start, height=0.55, linewidth=0.8, **style)
    ends = [start + sign * end for end in row["interval"] or ()]
    if ends:
        axes.plot(ends, [place, place], color=ink.INK, linewidth=1, marker="|", markersize=5)
    _text(axes, max([start, row["value"], *ends]), place, f"{'' if told else '~'}{row['difference']:+z.4f}")


def _text(axes, value, place, text):
    style = {"textcoords": "offset points", "va": "center", "fontsize": 8.5, "color": ink.INK}
    axes.annotate(text, (value, place), (6, 0), **style)
