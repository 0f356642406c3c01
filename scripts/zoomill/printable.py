"""Text of strangers as it may stand on a terminal or in a log."""


def printable(text, most=None):
    """Return a text on one line: line ends, escape sequences and the like made visible, cut after ``most`` letters."""
    text = text if most is None or len(text) <= most else text[:most] + "…"
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
