"""The tables of TFLite metadata as flatbuffers, from and to dicts.

Source: metadata_schema.fbs 1.5.0, Apache-2.0, in mediapipe/tasks/metadata of https://github.com/google-ai-edge/mediapipe;
no package that is small has the code generated of it.
"""

import flatbuffers
from flatbuffers import encode, number_types
from flatbuffers.table import Table

_IDENTIFIER = b"M001"
# Of each table its fields in the order of the schema, which gives their places; those after the last that we know
# are left out.
_FIELDS = {
    "ModelMetadata": (
        "name:string description:string version:string subgraph_metadata:[SubGraphMetadata] author:string "
        "license:string associated_files:[AssociatedFile] min_parser_version:string"
    ),
    "SubGraphMetadata": (
        "name:string description:string input_tensor_metadata:[TensorMetadata] "
        "output_tensor_metadata:[TensorMetadata] associated_files:[AssociatedFile] input_process_units:[ProcessUnit] "
        "output_process_units:[ProcessUnit] input_tensor_groups:[TensorGroup] output_tensor_groups:[TensorGroup]"
    ),
    "TensorMetadata": (
        "name:string description:string dimension_names:[string] content:Content process_units:[ProcessUnit] "
        "stats:Stats associated_files:[AssociatedFile]"
    ),
    "TensorGroup": "name:string tensor_names:[string]",
    "Content": "content_properties:ContentProperties range:ValueRange",
    "ValueRange": "min:int max:int",
    "FeatureProperties": "",
    "ImageProperties": "color_space:byte",
    "BoundingBoxProperties": "index:[uint] type:byte coordinate_type:byte",
    "AudioProperties": "sample_rate:uint channels:uint",
    "ProcessUnit": "options:ProcessUnitOptions",
    "NormalizationOptions": "mean:[float] std:[float]",
    "ScoreCalibrationOptions": "score_transformation:byte default_score:float",
    "ScoreThresholdingOptions": "global_score_threshold:float",
    "Stats": "max:[float] min:[float]",
    "AssociatedFile": "name:string description:string type:byte locale:string version:string",
}
# The tables that a field can hold one of; a byte in the place before says which, from 1.
_UNIONS = {
    "ContentProperties": ("FeatureProperties", "ImageProperties", "BoundingBoxProperties", "AudioProperties"),
    "ProcessUnitOptions": ("NormalizationOptions", "ScoreCalibrationOptions", "ScoreThresholdingOptions"),
}
_NUMBERS = {
    "byte": number_types.Int8Flags,
    "int": number_types.Int32Flags,
    "uint": number_types.Uint32Flags,
    "float": number_types.Float32Flags,
}
COLOURS = ("unknown", "RGB", "GRAY")  # ColorSpaceType
BOUNDARIES = 1  # BoundingBoxType
AXIS_LABELS, VALUE_LABELS = 2, 3  # AssociatedFileType
# Far more than any model needs; a hostile file's tables may all be the same one.
_MOST = 100_000


def _fields(table):
    """Yield name, type and place of each field of a table."""
    place = 0
    for field in _FIELDS[table].split():
        name, kind = field.split(":")
        place += kind in _UNIONS
        yield name, kind, place
        place += 1


def pack(metadata):
    """Return ModelMetadata as a flatbuffer, the same bytes for the same dict.

    Args:
        metadata: ``{field: value}``: text, numbers, lists, dicts for tables, and ``{table: dict}`` for a union. What it
            lacks or is None is left out.
    """
    builder = flatbuffers.Builder(0)
    builder.Finish(_packed(builder, "ModelMetadata", metadata), file_identifier=_IDENTIFIER)
    return bytes(builder.Output())


def _packed(builder, table, values):
    """Write a table and return where it stands."""
    fields = [(kind, place, values[name]) for name, kind, place in _fields(table) if values.get(name) is not None]
    ready = [(kind, place, value, _child(builder, kind, value)) for kind, place, value in fields]
    builder.StartObject(sum(1 + (kind in _UNIONS) for _, kind, _ in _fields(table)))
    for kind, place, value, child in ready:
        if kind in _NUMBERS:
            builder.PrependSlot(_NUMBERS[kind], place, value, 0)
        else:
            if kind in _UNIONS:
                builder.PrependUint8Slot(place - 1, 1 + _UNIONS[kind].index(next(iter(value))), 0)
            builder.PrependUOffsetTRelativeSlot(place, child, 0)
    return builder.EndObject()


def _child(builder, kind, value):
    """Write what a table only points at and return where it stands, None for a number."""
    if kind in _NUMBERS:
        return None
    if kind == "string":
        return builder.CreateString(value.encode(errors="backslashreplace"))
    if kind in _UNIONS:
        ((table, inner),) = value.items()
        return _packed(builder, table, inner)
    if kind[0] != "[":
        return _packed(builder, kind, value)
    inner = kind[1:-1]
    children = [_child(builder, inner, one) for one in value]
    builder.StartVector(4, len(value), 4)
    for one, child in reversed([*zip(value, children, strict=True)]):
        if inner in _NUMBERS:
            builder.Prepend(_NUMBERS[inner], one)
        else:
            builder.PrependUOffsetTRelative(child)
    return builder.EndVector()


def unpack(data):
    """Return the dict of ModelMetadata; tables of a union that are not known are empty ones called ``?``.

    Raises:
        ValueError: when it is none, or is damaged.
    """
    if data[4:8] != _IDENTIFIER:
        raise ValueError("it is no TFLite metadata")
    try:
        start = encode.Get(number_types.UOffsetTFlags.packer_type, data, 0)
        return _Reader().table("ModelMetadata", Table(data, start))
    except Exception as error:  # flatbuffers reads wherever a damaged file points to
        raise ValueError(f"its TFLite metadata is damaged: {error}") from error


class _Reader:
    """Reads tables until they are more than any model has."""

    def __init__(self):
        self._left = _MOST

    def table(self, name, table):
        """Return a table as a dict without what it lacks."""
        found = {}
        for field, kind, place in _fields(name):
            offset = table.Offset(4 + 2 * place)
            if offset:
                found[field] = self._value(table, table.Pos + offset, kind, place)
        return found

    def _value(self, table, position, kind, place):
        if kind in _UNIONS:
            before = table.Offset(2 + 2 * place)
            number = table.Get(number_types.Uint8Flags, table.Pos + before) if before else 0
            known = dict(enumerate(_UNIONS[kind], 1)).get(number)
            return {known: self._value(table, position, known, place)} if known else {"?": {}}
        if kind[0] != "[":
            return self._one(table, position, kind)
        start, inner = table.Indirect(position), kind[1:-1]
        count = encode.Get(number_types.UOffsetTFlags.packer_type, table.Bytes, start)
        self._take(count)
        return [self._one(table, start + 4 + 4 * index, inner) for index in range(count)]

    def _one(self, table, position, kind):
        self._take(1)
        if kind in _NUMBERS:
            return table.Get(_NUMBERS[kind], position)
        if kind == "string":
            text = bytes(table.String(position)).decode(errors="backslashreplace")
            self._take(len(text))
            return text
        return self.table(kind, Table(table.Bytes, table.Indirect(position)))

    def _take(self, amount):
        self._left -= amount
        if self._left < 0:
            raise ValueError("it lists more than any model has")
