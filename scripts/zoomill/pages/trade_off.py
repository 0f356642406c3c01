"""A drawing of what artifacts cost and give: bytes, and time where it was taken, against a metric with its interval."""

from zoomill import ink

_COLOURS = {"tflite": "#2a6f97", "tfjs": "#e07a00", "openvino": "#7a5195"}
_OTHERS = "#888888"
# What an artifact costs: the key of its row, the unit, and how many of the key's units are one of it.
_COSTS = (("bytes", "kilobytes", 1000), ("latency", "milliseconds", 1))


def front(rows, cost="bytes"):
    """Return the rows of one metric that passed and that none beats in metric and cost, in the order of their costs.

    Args:
        rows: those of :func:`zoomill.pages.report.rows`.
        cost: their key of what is better when it is less; rows without it are left out.
    """
    sign = 1 if rows[0]["metric"]["more_is_better"] else -1
    best = []
    known = [row for row in rows if row[cost] is not None and row["state"] == "passed"]
    for row in sorted(known, key=lambda row: (row[cost], -sign * row["metric"]["value"])):
        if not best or sign * row["metric"]["value"] > sign * best[-1]["metric"]["value"]:
            best.append(row)
    return best


def draw(rows, title):
    """Return an SVG drawing of rows of one metric, the same bytes every time; each point links to its model's page.

    Args:
        rows: those of :func:`zoomill.pages.report.rows` that have one metric.
        title: of the axis of the figure.
    """
    from matplotlib.figure import Figure

    costs = [cost for cost in _COSTS if any(row[cost[0]] is not None for row in rows)]
    with ink.drawing(svg_fonttype="none", font_family="sans-serif"):
        figure = Figure(figsize=(7, 3.1 * len(costs)), layout="constrained")
        for axes, cost in zip(figure.subplots(len(costs), squeeze=False)[:, 0], costs, strict=True):
            _panel(axes, [row for row in rows if row[cost[0]] is not None], *cost)
            axes.set_ylabel(title)
        return ink.svg(figure)


def _panel(axes, rows, cost, unit, size):
    """Draw a metric against one cost."""

    def points(chosen):
        return zip(*((row[cost] / size, row["metric"]["value"]) for row in chosen), strict=True)

    for form, colour in _COLOURS.items():
        for passed, marker, label in ((True, "o", form), (False, "x", f"{form}, not passed")):
            chosen = [row for row in rows if row["format"] == form and (row["state"] == "passed") == passed]
            if chosen:
                drawn = axes.scatter(*points(chosen), s=26, color=colour, marker=marker, label=label, zorder=3)
                drawn.set_urls([f"{row['model']}.html#{row['artifact']}" for row in chosen])
    if best := front(rows, cost):
        axes.step(*points(best), where="post", lw=1, color=_OTHERS)
        axes.scatter(*points(best), s=80, facecolor="none", edgecolor=ink.INK, lw=0.9, label="none better for less")
    sure = [row for row in rows if row["metric"]["low"] is not None]
    ends = ([row["metric"][end] for row in sure] for end in ("low", "high"))
    axes.vlines([row[cost] / size for row in sure], *ends, color=_OTHERS, lw=1, alpha=0.35)
    _scale(axes)
    axes.set_xlabel(unit)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(_COLOURS) + 1)
    axes.spines[["top", "right"]].set_visible(False)


def _scale(axes):
    from matplotlib import ticker

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:,g}")
    axes.xaxis.set_minor_formatter(ticker.NullFormatter())
