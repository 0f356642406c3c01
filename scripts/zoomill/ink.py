"""Drawings that read in the light and in the dark, by themselves and inside of a page, the same bytes every time."""

import contextlib
import io

# What becomes the colour of the text around a drawing; nothing else has it.
INK = "#010203"
# Where an SVG stands by itself, it has ink and ground of its own; inside of a page the root is the page's.
_BY_ITSELF = (
    "<style>svg:root{color:#1b1f24;background:#fff}"
    "@media(prefers-color-scheme:dark){svg:root{color:#e6e8eb;background:#14171b}}</style>"
)
_INKED = ("text.color", "axes.edgecolor", "axes.labelcolor", "axes.titlecolor", "xtick.color", "ytick.color")


@contextlib.contextmanager
def drawing(**settings):
    """Yield within Matplotlib's own style, with :data:`INK` for all lines and letters.

    Args:
        settings: of Matplotlib's besides, ``{name with _ for the dot: value}``.
    """
    import matplotlib
    import matplotlib.style

    chosen = {"svg.hashsalt": "zoomill", "text.parse_math": False, "figure.facecolor": "none", "axes.facecolor": "none"}
    chosen |= dict.fromkeys(_INKED, INK) | {"legend.frameon": False}
    with (
        matplotlib.style.context("default"),
        matplotlib.rc_context({**chosen, **{name.replace("_", ".", 1): value for name, value in settings.items()}}),
    ):
        yield


def svg(figure):
    """Return a figure that was drawn so as an SVG element, without what comes before it in a file."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    found = text.getvalue().replace(INK, "currentColor")
    head, mark, rest = found[found.index("<svg") :].partition(">")
    return f"{head}{mark}{_BY_ITSELF}{rest}"
