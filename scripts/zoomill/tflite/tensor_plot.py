"""A picture of where a quantised file loses precision."""

import io

from zoomill import escape, files

# How many of the worst tensors get a number in the curve and a line in the table, and how many of those that have lost
# most against what they are made from get a letter.
_WORST, _LOST = 7, 3
# Characters that a name keeps, its last ones, which tell more than the first.
_NAME = 52
# Colours of the stored picture; the drawing has few, and their number decides about its size.
_COLOURS = 32
_CURVE, _RED, _ORANGE = "#2a6f97", "#c1121f", "#e07a00"
_COLUMNS = {"": 0, "tensor (operator)": 0.025, "SQNR": 0.66, "lost": 0.73, "used": 0.8, "clipped": 0.88, "error": 0.97}
_CAPTION = (
    "Each point is a tensor. Numbers mark the worst ones, letters those of the others that have lost most.\n"
    "SQNR in dB: signal to quantisation noise, float against quantised file; more is better, 6 dB are one bit.\n"
    "lost: dB against the worst tensor it is made from. used: share of the integer range that the values fill (bars).\n"
    "clipped: share of values outside of the range. error: root mean square in integer steps; rounding alone is 0.29."
)


def draw(document, title, path):
    """Draw what :func:`zoomill.tflite.tensor_error.compare` returned, as a PNG with the same bytes every time.

    Args:
        document: its result.
        title: heading.
        path: where the picture goes.
    """
    import matplotlib.style
    from matplotlib.figure import Figure
    from PIL import Image

    rows, named = sorted(document["tensors"], key=lambda row: row["place"]), _named(document["tensors"])
    with matplotlib.style.context("default"):
        figure = Figure(figsize=(9.6, 5.6 + 0.2 * len(named)), layout="constrained")
        heights = [3.2, 0.9, 0.3 + 0.2 * len(named)]
        curve, used, table = figure.subplots(3, 1, height_ratios=heights)
        used.sharex(curve)
        figure.suptitle(escape.line(title), fontsize=11, parse_math=False)
        figure.supxlabel(_CAPTION, fontsize=8, x=0.01, ha="left")
        _curve(curve, rows, named)
        _used(used, rows)
        _table(table, named)
        picture = io.BytesIO()
        figure.savefig(picture, format="png", dpi=100)
    with files.written(path) as temporary:
        Image.open(picture).convert("RGB").quantize(_COLOURS, Image.Quantize.MAXCOVERAGE).save(
            temporary, format="png", optimize=True
        )


def _named(rows):
    """Return ``{mark: row}`` of the tensors that the table names, from all of them, worst first."""
    others = [row for row in rows[_WORST:] if row["sqnr_lost"] is not None]
    others.sort(key=lambda row: -row["sqnr_lost"])
    numbered = {str(number): row for number, row in enumerate(rows[:_WORST], 1)}
    return {**numbered, **dict(zip("abc", others[:_LOST], strict=False))}


def _curve(axes, rows, named):
    """Draw the SQNR of all tensors over the network's depth."""
    axes.plot([row["place"] for row in rows], [row["sqnr"] for row in rows], color=_CURVE, marker=".", linewidth=1)
    for count, (mark, row) in enumerate(named.items()):
        colour, offset = _RED if mark.isdigit() else _ORANGE, (0, 7 if count % 2 else -13)
        place = row["place"], row["sqnr"]
        axes.plot(*place, "o", color=colour, markersize=5)
        axes.annotate(mark, place, offset, textcoords="offset points", ha="center", fontsize=8, color=colour)
    axes.axhline(0, color="grey", linewidth=0.8)
    axes.set_ylabel("SQNR in dB", fontsize=9)
    axes.tick_params(labelbottom=False)
    axes.margins(y=0.15)
    axes.grid(alpha=0.3)


def _used(axes, rows):
    """Draw the share of the integer range that the values fill."""
    from matplotlib.ticker import MaxNLocator

    stored = [row for row in rows if "range_used" in row]
    axes.bar([row["place"] for row in stored], [100 * row["range_used"] for row in stored], color="grey", width=0.7)
    axes.set_ylim(0, 105)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel("used in %", fontsize=9)
    axes.set_xlabel("operator, counted from the input", fontsize=9)


def _table(axes, named):
    """Write the figures of the marked tensors."""
    axes.axis("off")
    axes.set(xlim=(0, 1), ylim=(len(named) + 0.5, -0.5))
    lines = [list(_COLUMNS), *([mark, *_line(row)] for mark, row in named.items())]
    for height, line in enumerate(lines):
        for column, (place, text) in enumerate(zip(_COLUMNS.values(), line, strict=True)):
            left, weight = column < 2, "normal" if height else "bold"
            style = {"ha": "left" if left else "right", "va": "center", "fontsize": 8.5, "weight": weight}
            axes.text(place, height, text, parse_math=False, **style)


def _line(row):
    """Return the figures of a tensor as text."""
    name = escape.line(row["tensor"])
    name = name if len(name) <= _NAME else f"…{name[1 - _NAME :]}"
    line = [f"{name} ({escape.line(row['operator'])})", f"{row['sqnr']:z.1f}"]
    line.append("" if row["sqnr_lost"] is None else f"{row['sqnr_lost']:z.1f}")
    if "range_used" not in row:
        return [*line, "", "", ""]
    return [*line, f"{row['range_used']:.0%}", f"{row['clipped']:.1%}", f"{row['rmse_by_scale']:.2f}"]
