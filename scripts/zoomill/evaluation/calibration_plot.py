"""A picture of what calibration samples do: the metric by their number, the ranges of each, and what stands out."""

from zoomill import escape, files

_FIGURE, _LOSS, _FLOAT = "#2a6f97", "#c1121f", "#555555"
# By what factor the points of one number of samples stand beside each other, so that all are seen.
_APART = 1.025
# How many outliers get a number in the picture and a line in its table; the document has all.
_NAMED = 8
# Characters that a name keeps, its last ones, which tell more than the first.
_NAME = 44
_COLUMNS = {"": 0, "sample": 0.025, "tensor (operator)": 0.27, "others fill": 0.83, "range of all": 1.0}
_CAPTION = (
    "Top: each point is a file whose ranges are those of so many samples, drawn by one of {seeds} seeds; the line is\n"
    "the median. Red: worse than the file of all samples (paired test). Bar and grey band: 95 % intervals of the\n"
    "file of all samples and of float32 (dashed). From {enough} on no file is told to be worse than that of all.\n"
    "Below: which share of a tensor's range single samples fill: nine of ten of them (bar), the median one (dash).\n"
    "Numbers: what all samples but one fill, where that one alone widens the range 1.25 times or more."
)


def draw(document, title, path):
    """Draw what ``sweep_calibration`` found, as an SVG with the same bytes every time.

    Args:
        document: its figures.
        title: heading.
        path: where the picture goes.
    """
    import matplotlib
    import matplotlib.style
    from matplotlib.figure import Figure

    named = document["outliers"][:_NAMED]
    # Text as outlines looks alike everywhere; names of parts of the file come from a fixed salt.
    with matplotlib.style.context("default"), matplotlib.rc_context({"svg.hashsalt": "zoomill"}):
        table = 0.3 + 0.2 * max(1, len(named))
        figure = Figure(figsize=(9.6, 6.3 + table), layout="constrained")
        metric, ranges, lines = figure.subplots(3, 1, height_ratios=[3, 2, table])
        figure.suptitle(escape.line(title), fontsize=11, parse_math=False)
        figure.supxlabel(_caption(document), fontsize=8, x=0.01, ha="left")
        _metric(metric, document)
        _ranges(ranges, document["tensors"], named)
        _table(lines, named)
        with files.written(path) as temporary:
            figure.savefig(temporary, format="svg", metadata={"Date": None})


def _caption(document):
    seeds = {run["seed"] for run in document["runs"]} - {None}
    return _CAPTION.format(enough=document["enough"], seeds=len(seeds))


def _metric(axes, document):
    """Draw the figure over the number of samples, the spread of its draws, and that of float32."""
    from matplotlib.ticker import FixedLocator, NullLocator

    runs, exact = document["runs"], document["float32"]
    counts = sorted({run["count"] for run in runs})
    if exact["interval"]:
        axes.axhspan(*exact["interval"], color=_FLOAT, alpha=0.08, linewidth=0)
    axes.axhline(exact["value"], color=_FLOAT, linestyle="--", linewidth=1)
    values = {count: sorted(run["value"] for run in runs if run["count"] == count) for count in counts}
    axes.fill_between(
        counts,
        [found[0] for found in values.values()],
        [found[-1] for found in values.values()],
        color=_FIGURE,
        alpha=0.2,
        linewidth=0,
    )
    axes.plot(counts, [found[len(found) // 2] for found in values.values()], color=_FIGURE, linewidth=1.2)
    for run in runs:
        worse = any(one["of"] == "all" and one["verdict"] == "loss" for one in run["against"])
        beside = _APART ** ((run["seed"] or 0) - 2 if len(values[run["count"]]) > 1 else 0)
        axes.plot(
            run["count"] * beside, run["value"], "o", color=_LOSS if worse else _FIGURE, markersize=3.5, alpha=0.8
        )
    if last := runs[-1]["interval"]:
        axes.vlines(runs[-1]["count"], *last, color=_FIGURE, linewidth=1)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(counts))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.set_xlabel("calibration samples", fontsize=9)
    axes.set_ylabel(f"{document['figure']}, {document['samples']} samples", fontsize=9)
    axes.grid(alpha=0.3)


def _ranges(axes, rows, named):
    """Draw which share of each tensor's range the samples fill, one by one, and all but an outlier."""
    import numpy as np
    from matplotlib.ticker import MaxNLocator

    places = list(range(len(rows)))
    filled = [np.subtract(row["high"], row["low"]) / (max(row["high"]) - min(row["low"]) or 1.0) for row in rows]
    low, middle, high = np.quantile(filled, [0.05, 0.5, 0.95], axis=1) * 100
    axes.vlines(places, low, high, color="#b0b0b0", linewidth=max(1.5, min(8, 350 / len(rows))))
    axes.hlines(
        middle, [place - 0.35 for place in places], [place + 0.35 for place in places], color="black", linewidth=1
    )
    numbers = {row["tensor"]: place for place, row in enumerate(rows)}
    for mark, row in enumerate(named, 1):
        where = numbers[row["tensor"]], 100 * row["others"]
        axes.plot(*where, "o", color=_LOSS, markersize=4)
        axes.annotate(str(mark), where, (0, 5), textcoords="offset points", ha="center", fontsize=8, color=_LOSS)
    axes.set_ylim(0, 105)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel("of the range, %", fontsize=9)
    axes.set_xlabel("tensor, counted from the input", fontsize=9)
    axes.grid(alpha=0.3, axis="y")


def _table(axes, named):
    """Name the outliers."""
    axes.axis("off")
    axes.set(xlim=(0, 1), ylim=(max(1, len(named)) + 0.5, -0.5))
    lines = [[*_COLUMNS], *([str(mark), *_line(row)] for mark, row in enumerate(named, 1))]
    lines += [] if named else [["", "no sample stands out", "", "", ""]]
    for height, line in enumerate(lines):
        for column, (place, text) in enumerate(zip(_COLUMNS.values(), line, strict=True)):
            style = {"ha": "left" if column < 3 else "right", "va": "center", "fontsize": 8.5}
            axes.text(place, height, text, parse_math=False, weight="normal" if height else "bold", **style)


def _line(row):
    """Return an outlier as text."""
    tensor = f"{_end(row['tensor'])} ({escape.line(row['operator'])})"
    low, high = row["range"]
    return [_end(row["sample"], 28), tensor, f"{row['others']:.0%}", f"{low:.3g} to {high:.3g}"]


def _end(name, length=_NAME):
    name = escape.line(name)
    return name if len(name) <= length else f"…{name[1 - length :]}"
