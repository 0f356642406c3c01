"""What a source may contain: what computes outputs from inputs, and nothing else.

Inspection tells what else a file has, exporters refuse it unless the card allows it by name. Both read the file as
data, before any framework sees it.
"""

import dataclasses

from zoomill.errors import UserError

RUNS_CODE = "runs code"
TOUCHES_FILES = "touches files"
USES_NETWORK = "uses the network"
UNKNOWN = "is not known to be harmless"


@dataclasses.dataclass(frozen=True)
class Found:
    """Something in a file that no network needs.

    Attributes:
        does: one of the words above.
        name: operator or class, as a card allows it.
        place: node or layer that it is.
    """

    does: str
    name: str
    place: str


def add_argument(parser):
    """Add the flag for what a card allows."""
    parser.add_argument("--allow", nargs="*", default=[], help="operators and classes that may do more than compute")


def require(path, found, allow):
    """Refuse a file for what it has besides a network.

    Args:
        path: of the file, for the message.
        found: list of :class:`Found`.
        allow: names that the card allows.

    Raises:
        UserError: for the first thing found whose name is not among them.
    """
    for one in found:
        if one.name not in allow:
            raise UserError(
                f"{path}: {one.place} is of {one.name}, which {one.does}; allow it in the card with "
                f"`source: {{allow: [{one.name}]}}` if you trust its origin"
            )


def notes(found):
    """Return sentences for a report: what was found, once each, with how often."""
    counts = {}
    for one in found:
        counts[one.does, one.name] = counts.get((one.does, one.name), 0) + 1
    return [f"{does}: {name} ({count})" for (does, name), count in sorted(counts.items())]
