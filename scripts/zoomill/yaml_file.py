"""Reading YAML of strangers: values that JSON can hold, in bounded time and space, with messages for people."""

import copy
import math
import os
import re

import yaml

from zoomill.errors import UserError

# Far above what any card holds: 21,000 labels are 0.6 MB. What aliases repeat is counted in characters.
_MOST_BYTES = 2 << 20
_MOST_VALUES = 100_000
_MOST_REPEATED = 50_000
_DEEPEST = 32
_LONGEST_NUMBER = 100
_LARGEST = 1 << 63
# Those that end a line or hide what stands there, but for newline and tab.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_OTHER_THAN_TEXT = {f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float")}


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """Tells numbers, truth values, null and text apart; a date is text, as it is in JSON."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if tag in _OTHER_THAN_TEXT]
    for first, known in _Loader.yaml_implicit_resolvers.items()
}


def load_yaml(path, name=None):
    """Read a YAML file of one document, whose values are those of JSON.

    Args:
        path: of the file.
        name: what messages call it; its path without.

    Raises:
        UserError: with the line, when it is no valid YAML, or holds what a card needs not and a program may trip over:
            keys that are no text or stand there twice, tags, control characters, numbers beyond 64 bits or not finite,
            deep nesting, aliases that repeat much.
    """
    name = path if name is None else name
    text = _text(path, name)
    try:
        return _Document(_Loader(text), name).read()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" in line {mark.line + 1}, column {mark.column + 1}"
        raise UserError(f"{name}: is no valid YAML{where}: {error.problem or error.context}") from error
    except yaml.reader.ReaderError as error:
        place = yaml.reader.Reader.NON_PRINTABLE.search(text)
        line = text.count("\n", 0, place.start()) + 1
        raise UserError(f"{name}: the character U+{ord(place[0]):04X} is no text, line {line}") from error


def _text(path, name):
    try:
        if not os.path.isfile(path) and os.path.exists(path):
            raise UserError(f"{name}: is no file")  # a pipe would be waited for
        with open(path, "rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UserError(f"{name}: cannot be read: {error.strerror}") from error
    if len(data) > _MOST_BYTES:
        raise UserError(f"{name}: has more than {_MOST_BYTES:,} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(f"{name}: is no UTF-8 text, line {line}") from error


class _Document:
    """Makes values of a parser's events one by one, so that it stops where a bound is passed."""

    def __init__(self, loader, name):
        self._loader, self._name = loader, name
        self._anchors = {}  # what aliases stand for, with its size; None while that is read
        self._values = self._size = self._repeated = 0

    def read(self):
        """Return the only document, None where there is none."""
        self._loader.get_event()  # the stream's start
        if isinstance(self._loader.get_event(), yaml.StreamEndEvent):
            return None
        value = self._value(self._loader.get_event(), 1)
        self._loader.get_event()  # the document's end
        event = self._loader.get_event()
        if not isinstance(event, yaml.StreamEndEvent):
            raise self._error(event, "a second document begins")
        return value

    def _value(self, event, depth):
        """Return the value that begins with an event."""
        if isinstance(event, yaml.AliasEvent):
            return self._repeat(event)
        if event.tag is not None:
            raise self._error(event, f"the tag {event.tag} is not allowed; write the value without it")
        self._values += 1
        if depth > _DEEPEST or self._values > _MOST_VALUES:
            bound = f"{_DEEPEST} levels" if depth > _DEEPEST else f"{_MOST_VALUES:,} values"
            raise self._error(event, f"has more than {bound}")
        before, self._anchors[event.anchor] = self._size, None
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = [self._value(item, depth + 1) for item in self._items()]
        else:
            value = self._mapping(depth)
        self._anchors[event.anchor] = value, self._size - before
        return value

    def _items(self):
        """Yield the first event of each item of a sequence, or of each key of a mapping."""
        while not isinstance(event := self._loader.get_event(), yaml.CollectionEndEvent):
            yield event

    def _mapping(self, depth):
        result = {}
        for event in self._items():
            key = self._value(event, depth + 1)
            if not isinstance(key, str):
                raise self._error(event, f"the key {str(key)[:40]} is no text; put it in quotes")
            if key in result:
                raise self._error(event, f"the key {key} stands there twice")
            result[key] = self._value(self._loader.get_event(), depth + 1)
        return result

    def _scalar(self, event):
        text = event.value
        self._size += 1 + len(text)
        if found := _CONTROL.search(text):
            raise self._error(event, f"the character U+{ord(found[0]):04X} is no text")
        tag = self._loader.resolve(yaml.ScalarNode, text, event.implicit)
        if tag not in _OTHER_THAN_TEXT:
            return text
        try:
            if len(text) > _LONGEST_NUMBER:
                raise ValueError
            value = self._loader.yaml_constructors[tag](self._loader, yaml.ScalarNode(tag, text))
        except ValueError:
            raise self._error(event, f"{text[:40]} is no number") from None
        if isinstance(value, float) and not math.isfinite(value) or isinstance(value, int) and abs(value) >= _LARGEST:
            raise self._error(event, f"{text} is no number of 64 bits")
        return value

    def _repeat(self, event):
        if event.anchor not in self._anchors:
            raise self._error(event, f"nothing is called &{event.anchor}")
        if self._anchors[event.anchor] is None:
            raise self._error(event, f"*{event.anchor} stands inside of what it stands for")
        value, size = self._anchors[event.anchor]
        self._size += size
        self._repeated += size
        if self._repeated > _MOST_REPEATED:
            raise self._error(event, f"its aliases repeat more than {_MOST_REPEATED:,} characters")
        return copy.deepcopy(value)

    def _error(self, event, problem):
        return UserError(f"{self._name}: {problem}, line {event.start_mark.line + 1}")
