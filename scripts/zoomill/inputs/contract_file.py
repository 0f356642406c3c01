"""Reading a contract that a person may have written or edited."""

import json

from zoomill.errors import UserError

# A text that begins so stands for a value that nobody has told yet.
QUESTION = "? "
_NEEDED = {"inputs": ("name", "tensor", "dtype", "shape"), "outputs": ("name", "tensor")}
_OPEN = {"layout": None, "colour": None, "value_range": None}


def read(path):
    """Return the contract in a file; what it leaves out is nothing.

    Args:
        path: of a contract.json, whose form is described in docs/contracts.md.

    Raises:
        UserError: when it is no JSON, lacks what no model is fed without, or holds a question.
    """
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    try:
        contract = json.loads(text)
    except ValueError as error:
        raise UserError(f"{path}: is no JSON: {error}") from error
    if lacking := next(_lacking(contract), None):
        raise UserError(f"{path}: lacks {lacking}; docs/contracts.md says what a contract holds")
    if asked := next(questions(contract), None):
        raise UserError(f"{path}: {asked}; write the answer there")
    inputs = [{**_OPEN, **entry} for entry in contract["inputs"]]
    return {"labels": [], "label_offset": 0, **contract, "inputs": inputs}


def _lacking(contract):
    """Yield the places where something has to stand."""
    for key in ("model", "graph", *_NEEDED):
        if not isinstance(contract, dict) or not contract.get(key):
            yield key
    for side, keys in _NEEDED.items():
        for place, entry in enumerate(contract[side]):
            yield from (f"{side}[{place}].{key}" for key in keys if not isinstance(entry, dict) or key not in entry)


def questions(value, place=""):
    """Yield each question of a contract with its place."""
    if isinstance(value, str) and value.startswith(QUESTION):
        yield f"{place}: {value.removeprefix(QUESTION).strip()}"
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in pairs:
        inner = f"[{key}]" if isinstance(value, list) else f".{key}" if place else key
        # Labels are text of the model, which may be anything.
        yield from () if key == "labels" and isinstance(item, list) else questions(item, f"{place}{inner}")
