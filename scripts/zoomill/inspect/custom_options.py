"""Options of a custom operator of a .tflite file, as TFLite_Detection_PostProcess has them: a flexbuffer map."""

import itertools

from flatbuffers import flexbuffers

from zoomill.inspect import report

# An operator has a dozen; a map may claim any number.
_MOST = 50


def numbers(data):
    """Return ``{option: number or truth value}`` of the options that are; none where the bytes are no such map.

    Args:
        data: the operator's custom options.
    """
    try:
        root = flexbuffers.GetRoot(data)
        entries = zip(root.AsMap.Keys, root.AsMap.Values, strict=True) if root.IsMap else ()
        found = {key.AsKey: _number(value) for key, value in itertools.islice(entries, _MOST)}
    except Exception:  # nobody knows what another operator's bytes are
        return {}
    return {key: value for key, value in found.items() if value is not None and key.isidentifier() and key.isascii()}


def _number(value):
    """Return a scalar; nothing nested is followed, which could be any size."""
    if value.IsBool:
        return value.AsBool
    if value.IsInt:
        return value.AsInt
    return report.number(value.AsFloat) if value.IsFloat else None
