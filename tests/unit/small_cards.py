"""Small cards of models."""

import copy

FILE = {"name": "model.pb", "urls": ["https://example.org/model.pb"], "sha256": "0" * 64}
SMALLEST = {
    "title": "A model",
    "task": "object-detection",
    "licence": "Apache-2.0",
    "source": {"kind": "tf1_detection", "files": [FILE]},
}


def changed(path, value):
    """Return the smallest card with one value set; the path's keys are separated by slashes."""
    card = copy.deepcopy(SMALLEST)
    *keys, last = (int(key) if key.isdecimal() else key for key in path.split("/"))
    place = card
    for key in keys:
        place = place[key] if isinstance(place, list) else place.setdefault(key, {})
    place[last] = value
    return card
