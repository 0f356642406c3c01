"""Names that a person wrote, and the nearest of those there are."""

import difflib
import fnmatch
import re

from zoomill.errors import UserError

# Of models and data sets: they stand in paths, patterns, C and JavaScript, and end in names of files.
NAME = "[a-z][a-z0-9_]{0,99}"
# Of names of which none is near.
_SHOWN = 40


def require(name, names, where, kind, broken=()):
    """Raise a UserError when ``name`` is not one of ``names``: its own if it is broken, or one with the nearest names.

    Args:
        name: what was written.
        names: those there are.
        where: what the message begins with.
        kind: what is named, for the message.
        broken: ``{name: UserError}`` of what is there and cannot be read.
    """
    if name not in names:
        if name in broken:
            raise broken[name]
        raise UserError(f"{where}: there is no {kind} {name}{nearest(name, list(names))}")


def select(wanted, names, where, kind):
    """Return the names that some names, patterns and ``all`` stand for, in their order and each once.

    Args:
        wanted: names, patterns of them, or ``all``.
        names, where, kind: as for :func:`require`, which refuses what stands for nothing.
    """
    found = {}
    for name in wanted:
        fitting = list(names) if name == "all" else fnmatch.filter(names, name) if is_pattern(name) else [name]
        if fitting in ([], [name]):
            require(name, names, where, kind)
        found.update(dict.fromkeys(fitting))
    return list(found)


def is_pattern(name):
    """Tell a pattern from a name."""
    return any(letter in name for letter in "*?[")


def nearest(name, names):
    """Return ``; did you mean a or b?``, or the list, unless it is long, when nothing is near."""
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"; there are: {', '.join(names[:_SHOWN])}{more}"


def pattern(names):
    """Return a pattern that matches some names, and nothing else."""
    return "|".join(map(re.escape, names)) or "(?!)"


def other_than(names):
    """Return a pattern that matches all that is :data:`NAME`, at the end of a path, but some names."""
    return f"(?!(?:{pattern(names)})$){NAME}"
