"""A picture of what a detector is worth with other settings of its NMS."""

import numpy as np

from zoomill import escape, files, ink
from zoomill.evaluation import coco_weighing
from zoomill.evaluation.nms_sweep import CLASS_MOST, IOU, MOST, SCORE

_KINDS = {
    ("use_regular_nms", True): ("regular", "regular NMS: each class by itself"),
    ("use_regular_nms", False): ("fast", "fast NMS: all classes at once"),
    ("best_class", False): ("every class", "a box counts for every class"),
    ("best_class", True): ("best class", "a box counts for its best class alone"),
}
_FIGURES = {"map": "mAP", coco_weighing.F1: "F1 at IoU 0.5"}
_OWN, _BEST = "#111111", "#d7191c"
_VERDICTS = {"gain": "#2a7f3f", "loss": "#c1121f", "not told apart": "#888888"}


def draw(document, path):
    """Draw what :func:`zoomill.evaluation.nms_advice.document` returned, as an SVG with the same bytes every time.

    Args:
        document: its result, with ``model``, ``graph`` and ``variant``.
        path: where the picture goes.
    """
    from matplotlib.figure import Figure

    kinds = list(dict.fromkeys(kind(one["setting"]) for one in document["settings"]))
    scores = len({one["setting"][SCORE] for one in document["settings"]})
    heights = [1 + 0.27 * scores, 1 + 0.27 * scores, 0.7 + 0.22 * len(document["changes"])]
    title = f"{document['model']}: {document['graph']}.{document['variant']}, {document['samples']['all']} pictures"
    with ink.drawing(svg_fonttype="none", font_size=8):
        figure = Figure(figsize=(4.6 * len(kinds), sum(heights) + 1.3), layout="constrained")
        *rows, last = figure.subfigures(3, 1, height_ratios=heights, hspace=0.03)
        figure.suptitle(escape.line(title), fontsize=11)
        figure.supxlabel(_caption(document), fontsize=8, x=0.01, ha="left")
        for row, advice in zip(rows, document["advice"], strict=True):
            _maps(row, document, kinds, advice)
        _changes(last.subplots(), document)
        files.write_bytes(path, ink.svg(figure).encode())


def kind(setting):
    """Return which NMS a setting has, name and value."""
    return next(pair for pair in setting.items() if pair in _KINDS)


def words(setting):
    """Return a setting in words."""
    numbers = [f"{number(setting[MOST])} detections"]
    if setting.get(CLASS_MOST) is not None:
        numbers.append(f"{setting[CLASS_MOST]} of a class")
    return ", ".join([_KINDS[kind(setting)][0], f"IoU {setting[IOU]:g}", f"scores from {setting[SCORE]:g}", *numbers])


def number(most):
    """Return how many detections in words."""
    return "all" if most is None else f"{most}"


def title_of(figure):
    """Return what a figure is called."""
    return _FIGURES.get(figure, figure)


def _caption(document):
    """Return what the marks mean, and a line of advice for each figure."""
    counts = document["samples"]
    lines = [
        f"Cells: all pictures. Black: the card's setting. Red: the best by {counts['deciding']} pictures, "
        f"judged by the other {counts['rest']}."
    ]
    for one in document["advice"]:
        found = one["against"]
        low, high = found["interval"]
        told = f"{found['difference']:+.4f} ({low:+.4f} to {high:+.4f}), {found['verdict']}"
        if one["best"] == one["own"]:
            told = "that is the card's own"
        verb = "take it" if one["take"] == "best" else "keep the card's"
        lines.append(f"By {title_of(one['by'])} the best is {words(one['best'])}: {told}; {verb}.")
    return "\n".join(lines)


def _maps(figure, document, kinds, advice):
    """Draw a heat map for each kind of NMS, of one figure, with the card's numbers of detections."""
    shown = [one for one in document["settings"] if _as_many(one["setting"], document["own"])]
    scores, overlaps = (sorted({one["setting"][name] for one in shown}) for name in (SCORE, IOU))
    values = np.full((len(kinds), len(scores), len(overlaps)), np.nan)
    for one in shown:
        place = kinds.index(kind(one["setting"])), *_place(one["setting"], scores, overlaps)
        values[place] = one["figures"][advice["by"]]["all"]
    panels = figure.subplots(1, len(kinds), sharey=True, squeeze=False)[0]
    for panel, own, table in zip(panels, kinds, values, strict=True):
        drawn = panel.imshow(
            table, origin="lower", aspect="auto", cmap="viridis", vmin=np.nanmin(values), vmax=np.nanmax(values)
        )
        for (row, column), value in np.ndenumerate(table):
            style = {"ha": "center", "va": "center", "fontsize": 7}
            panel.text(column, row, f"{value:.3f}", color=_OWN if drawn.norm(value) > 0.6 else "white", **style)
        for key, colour, size in (("own", _OWN, 0.46), ("best", _BEST, 0.38)):
            if kind(advice[key]) == own:
                _frame(panel, *_place(advice[key], scores, overlaps), size, colour)
        panel.set_xticks(range(len(overlaps)), [f"{value:g}" for value in overlaps])
        panel.set_yticks(range(len(scores)), [f"{value:g}" for value in scores])
        panel.set_title(_KINDS[own][1], fontsize=9)
        panel.set_xlabel("IoU threshold")
    panels[0].set_ylabel("score threshold")
    figure.colorbar(drawn, ax=list(panels), label=title_of(advice["by"]), pad=0.01)


def _frame(panel, row, column, size, colour):
    """Draw a frame around a cell, with a white edge that keeps it apart from any colour."""
    from matplotlib.patches import Rectangle

    for edge, width in (("white", 4), (colour, 2)):
        corner = column - size, row - size
        panel.add_patch(Rectangle(corner, 2 * size, 2 * size, fill=False, edgecolor=edge, linewidth=width))


def _place(setting, scores, overlaps):
    return scores.index(setting[SCORE]), overlaps.index(setting[IOU])


def _as_many(setting, own):
    """Tell whether a setting has the card's numbers of detections."""
    # Fast NMS knows no number of a class; of a card with fast NMS, that of regular NMS is the largest tried.
    of_a_class = [setting.get(CLASS_MOST), own.get(CLASS_MOST)]
    return setting[MOST] == own[MOST] and (None in of_a_class or of_a_class[0] == of_a_class[1])


def _changes(axes, document):
    """Draw what a change of one setting costs, with its interval."""
    changes = document["changes"]
    for height, one in enumerate(changes):
        colour = _VERDICTS[one["verdict"]]
        axes.plot(one["interval"], [height, height], color=colour, linewidth=2)
        axes.plot(one["difference"], height, "o", color=colour, markersize=5)
    axes.axvline(0, color=ink.INK, linewidth=0.8)
    axes.set_yticks(range(len(changes)), list(map(_change, changes)))
    axes.set_ylim(len(changes) - 0.4, -0.6)
    what = title_of(document["figure"])
    axes.set_xlabel(f"change of {what} from the card's setting, by all pictures; grey: not told apart from none")
    axes.grid(axis="x", alpha=0.3)


def _change(one):
    """Return a change of one setting in words."""
    name, sides = one["setting"], (one["value"], one["own"])
    if (name, one["value"]) in _KINDS:
        return " instead of ".join(_KINDS[name, side][0] for side in sides)
    what = "detections" if name == MOST else "of a class"
    return f"{number(sides[0])} {what} instead of {number(sides[1])}"
