"""The flags of every command that reads a source."""

import json

from zoomill import made
from zoomill.errors import UserError


class _Options(dict):
    def __missing__(self, key):
        raise UserError(f"--options lacks `{key}`")


def add_source(parser):
    """Add the flags of every command that reads a source: ``model``, ``source``, ``options`` and ``card``."""
    parser.add_argument("--model", required=True)
    parser.add_argument("--source", type=made.checked, required=True, help="folder with the source's files")
    parser.add_argument(
        "--options", type=_options, required=True, help="JSON object: `source` of the card: path, allow, tags …"
    )
    parser.add_argument(
        "--card", type=json.loads, required=True, help="JSON object: inputs, outputs, labels, label_offset, about"
    )


def _options(text):
    return _Options(json.loads(text))
