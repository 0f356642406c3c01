"""The text of a card: YAML of one line for each value, and questions as comments."""

import yaml

from zoomill import escape
from zoomill.plan import labels_and_licence

_WIDTH = 110
# Of SPDX: nobody has said anything about the licence.
_NO_LICENCE = "NOASSERTION"


def comment(text):
    """Return a text of one line as lines of YAML comments, none for an empty one."""
    lines, words = [], escape.line(text).split()
    for word in words:
        if lines and len(lines[-1]) + len(word) < _WIDTH:
            lines[-1] += f" {word}"
        else:
            lines.append(f"# {word}")
    return lines


def pair(key, said):
    """Return a key and its value on one line."""
    return f"{key}: {value(said)}"


def value(said):
    """Return a value as YAML on one line."""
    flags = {"default_flow_style": True, "sort_keys": False, "allow_unicode": True, "width": float("inf")}
    return yaml.safe_dump(said, **flags).removesuffix("\n").removesuffix("\n...")


def title(name):
    """Return the line of a title that a name gives."""
    words = name.replace("_", " ")
    return pair("title", words[:1].upper() + words[1:])


def licence(folder):
    """Return the lines about the licence in a folder."""
    file, found = labels_and_licence.licence(folder)
    if found:
        return [*comment(f"licence: told from {file}"), pair("licence", found)]
    told = f", which {file} may tell" if file else ""
    return [*comment(f"licence: its SPDX identifier{told}, or LicenseRef-NAME"), pair("licence", _NO_LICENCE)]
