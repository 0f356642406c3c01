"""Tables for people."""

from zoomill import escape


def markdown(rows):
    """Return a Markdown table with aligned columns; the first row holds the headings.

    Args:
        rows: sequences of strings, all of the same length; what has a meaning in Markdown is escaped, but code spans.
    """
    rows = [[escape.markdown(cell) for cell in cells] for cells in rows]
    widths = [max(len(cells[column]) for cells in rows) for column in range(len(rows[0]))]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)) + " |" for cells in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "".join(f"{line}\n" for line in lines)
