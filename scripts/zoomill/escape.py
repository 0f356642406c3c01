"""Text of strangers, so written into generated files that it stays text.

Titles, labels and names come out of cards and model files and may hold anything. Text without line ends, control
characters and what a language gives a meaning comes out as it went in.
"""

import json
import re

from zoomill.printable import printable


def line(text):
    """Return text as a single line, for a comment or a picture."""
    return printable(re.sub(r"\s", " ", text))


def docstring(text):
    """Return text as a part of a Python docstring in triple quotes."""
    return line(text.replace("\\", "/").replace('"', "'"))


def javascript(value):
    """Return a JSON value as an expression of a JavaScript program, which may stand in an HTML page too."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return re.sub("[<\u2028\u2029\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", text)


def markdown(text):
    """Return text for a heading or the cell of a table in Markdown; a code span stays one."""
    text = re.sub(r"&(?=#?\w+;)", "&amp;", line(text).replace("\\", "\\\\"))
    return text.replace("|", "\\|").replace("<", "&lt;").replace("](", "]\\(")


def checksum(digest, name):
    """Return a line of a list of digests as ``sha256sum`` writes and reads it."""
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    mark = "" if escaped == name else "\\"
    return f"{mark}{digest}  {escaped}\n"
