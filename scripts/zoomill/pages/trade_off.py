"""A drawing of what artifacts cost and give: bytes against a metric with its interval, the best of each size joined."""

import io

# The page's own colour of text, which is another in the dark, takes the place of this one.
_TEXT = "#010203"
_COLOURS = {"tflite": "#2a6f97", "tfjs": "#e07a00", "openvino": "#7a5195"}


def front(points):
    """Return those of ``(size, figure)`` that no other beats in both, in the order of their sizes.

    Args:
        points: list of pairs; less of the first and more of the second is better.
    """
    best = []
    for point in sorted(points, key=lambda point: (point[0], -point[1])):
        if not best or point[1] > best[-1][1]:
            best.append(point)
    return best


def draw(rows, title):
    """Return an SVG drawing of rows of one metric, the same bytes every time; each point links to its model's page.

    Args:
        rows: those of :func:`zoomill.pages.report.rows` that have one metric.
        title: of the axis of the figure.
    """
    import matplotlib
    from matplotlib import ticker
    from matplotlib.figure import Figure

    sign = 1 if rows[0]["metric"]["more_is_better"] else -1
    options = {"svg.hashsalt": "zoomill", "svg.fonttype": "none", "text.parse_math": False, "font.family": "sans-serif"}
    colours = dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), _TEXT)
    with matplotlib.rc_context({**options, **colours}):
        figure = Figure(figsize=(7, 3.2), layout="constrained")
        axes = figure.subplots()
        for form, colour in _COLOURS.items():
            chosen = [row for row in rows if row["format"] == form]
            if chosen:
                points = [(row["bytes"] / 1000, row["metric"]["value"]) for row in chosen]
                drawn = axes.scatter(*zip(*points, strict=True), s=26, color=colour, label=form, zorder=3)
                drawn.set_urls([f"{row['model']}.html#{row['artifact']}" for row in chosen])
        best = front([(row["bytes"] / 1000, sign * row["metric"]["value"]) for row in rows])
        axes.step(*zip(*((size, sign * value) for size, value in best), strict=True), where="post", lw=1, color="#888")
        sure = [row for row in rows if row["metric"]["low"] is not None]
        ends = ([row["metric"][end] for row in sure] for end in ("low", "high"))
        axes.vlines([row["bytes"] / 1000 for row in sure], *ends, color="#888", lw=1, alpha=0.35)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter("{x:,g}")
        axes.xaxis.set_minor_formatter(ticker.NullFormatter())
        axes.set_xlabel("kilobytes")
        axes.set_ylabel(title)
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
        figure.patch.set_alpha(0)
        axes.patch.set_alpha(0)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    drawing = text.getvalue().replace(_TEXT, "currentColor")
    return drawing[drawing.index("<svg") :]
