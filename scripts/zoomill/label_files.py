"""Files of class names: one a line, a label map of the Object Detection API, or JSON."""

import json
import os
import re

from zoomill.errors import UserError

# Larger files are no list of labels.
MOST_BYTES = 1 << 20
_MOST = 100_000
BACKGROUND = ("background", "???", "dummy", "__background__")
# The fields of an item, at any depth below `item { … }`; strings may hold braces.
_FIELD = re.compile(r"""(\w+)\s*:\s*(-?\d+|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|([{}])|#[^\n]*|\w+|\S""")


def of_card(card, folder):
    """Return ``labels`` and ``label_offset`` of a card, in which ``labels`` may name a file.

    Args:
        card: with both; ``labels`` a list, or the name of a file.
        folder: of the source's files.

    Raises:
        UserError: for a file that is not there or holds no labels.
    """
    if not isinstance(card["labels"], str):
        return {"labels": card["labels"], "label_offset": card["label_offset"]}
    path = os.path.join(folder, card["labels"])
    try:
        with open(path, "rb") as file:
            found, offset = split(parse(file.read(MOST_BYTES + 1), path))
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}; `labels` names a file of the source") from error
    return {"labels": found, "label_offset": card["label_offset"] or offset}


def split(found):
    """Return labels without a background in front, and what to add to a column's number for theirs: 0, or -1."""
    return (found[1:], -1) if found and found[0].lower() in BACKGROUND else (found, 0)


def parse(data, name):
    """Return the labels that a file holds, a list of text.

    Args:
        data: content of the file: UTF-8, perhaps with a byte order mark, and any line ends.
        name: of the file; a ``.pbtxt`` is a label map, in which ids that are left out get ``???``, ``.json`` a list or
            an object by number, and anything else has a label a line, perhaps numbered from 0.

    Raises:
        UserError: when it holds none, or more than any model has.
    """
    kinds = {".pbtxt": _label_map, ".json": _json}
    try:
        if len(data) > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES} bytes")
        found = kinds.get(os.path.splitext(name)[1].lower(), _lines)(data.decode("utf-8-sig"))
        if not 0 < len(found) <= _MOST:
            raise ValueError(f"it has {len(found)} labels")
        if strange := [label for label in found if not label.isprintable()]:
            raise ValueError(f"{strange[0][:60]!r} is no text")
    except (ValueError, RecursionError) as error:
        raise UserError(f"{name}: holds no labels that can be read: {error}") from error
    return found


def _lines(text):
    lines = [line for line in map(str.strip, text.splitlines()) if line]
    numbered = [re.match(r"(\d+)[\s:,]+(\S.*)", line) for line in lines]
    if numbered and all(found and int(found[1]) == place for place, found in enumerate(numbered)):
        return [found[2] for found in numbered]
    return lines


def _json(text):
    value = json.loads(text)
    if isinstance(value, dict):
        pairs = {int(key): label[-1] if isinstance(label, list) and label else label for key, label in value.items()}
        value = [pairs.get(number) for number in range(len(pairs))]
    if not isinstance(value, list) or not all(isinstance(label, str) for label in value):
        raise ValueError("it is no list of texts, and no object of texts by number")
    return value


def _label_map(text):
    """Return the labels of a StringIntLabelMap (protos/string_int_label_map.proto of the Object Detection API)."""
    items, depth = [], 0
    for key, value, brace in _FIELD.findall(text):
        depth += {"{": 1, "}": -1}.get(brace, 0)
        if brace == "{" and depth == 1:
            items.append({})
        elif key and depth == 1:
            items[-1][key] = _unquoted(value)
    labels = {int(item["id"]): item.get("display_name") or item.get("name") for item in items if "id" in item}
    labels.pop(0, None)
    if None in labels.values() or not all(0 < number <= _MOST for number in labels):
        raise ValueError("an item has no name, or an id that is none")
    return [labels.get(number, "???") for number in range(1, max(labels, default=0) + 1)]


def _unquoted(value):
    if value[0] not in "\"'":
        return value
    return re.sub(r"\\(.)", r"\1", value[1:-1])
