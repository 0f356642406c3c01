"""Other options for the TFLite_Detection_PostProcess of a .tflite file, ours or a stranger's, and no other byte.

The options are a flexbuffer among the file's custom options. One that is no longer than before takes the old one's
place; a longer one is put behind the flatbuffer, and a ZIP at the file's end moves.
"""

import dataclasses
import io
import struct
import zipfile

from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers

from zoomill.detection import postprocess
from zoomill.detection.postprocess import OP, Options
from zoomill.errors import UserError

_ALIGNED = 16
# Of the fields that hold offsets, in table Operator and in a ZIP's end and directory (APPNOTE.TXT, 4.3.12 and 4.3.16).
_CUSTOM_OPTIONS, _SHAPE, _SHAPE_SIGNATURE = 14, 4, 18
_END, _DIRECTORY = (b"PK\5\6", 16), (b"PK\1\2", 42)


def options_of(data):
    """Return the :class:`~zoomill.detection.postprocess.Options` in a .tflite file's bytes, None without the op."""
    operator = _operator(data)
    return operator and Options.from_custom_options(operator.CustomOptionsAsNumpy().tobytes())


def outputs_of(data):
    """Return the names of the tensors that the op of a file writes, in its own order."""
    graph = schema.Model.GetRootAs(data, 0).Subgraphs(0)
    return [graph.Tensors(int(index)).Name().decode() for index in _operator(data).OutputsAsNumpy()]


def asked(data, changes):
    """Return the options of a file with some of them changed, once they were found fit for it.

    Args:
        data: bytes of a .tflite file.
        changes: ``{option: value}`` of :class:`~zoomill.detection.postprocess.Options`; the others stay.

    Raises:
        UserError: when there is no such op, or it cannot have the options.
    """
    operator = _operator(data)
    if operator is None:
        raise UserError(f"has no {OP} whose options could be changed")
    options = dataclasses.replace(options_of(data), **changes)
    graph = schema.Model.GetRootAs(data, 0).Subgraphs(0)
    _, scores, anchors = (graph.Tensors(index).ShapeAsNumpy() for index in operator.InputsAsNumpy())
    postprocess.check(options, changes, int(anchors[0]), int(scores[-1]))
    return options


def with_options(data, options):
    """Return the bytes of a .tflite file that has TFLite_Detection_PostProcess with these options, read back from them.

    Args:
        data: bytes of the file; what its options hold besides ours stays.
        options: :class:`~zoomill.detection.postprocess.Options`.
    """
    operator, own = _operator(data), options_of(data)
    changes = {name: value for name, value in vars(options).items() if value != getattr(own, name)}
    if not changes:
        return data
    stored = {**flexbuffers.Loads(operator.CustomOptionsAsNumpy().tobytes()), **changes}
    written = _with_rows(data, operator, options)
    written = _with_custom_options(written, operator, flexbuffers.Dumps(dict(sorted(stored.items()))))
    if wrong := options.differences(options_of(written)):
        raise UserError(f"the options do not read back: {'; '.join(wrong)}")
    return written


def _operator(data):
    model = schema.Model.GetRootAs(data, 0)
    graph = model.Subgraphs(0)
    for index in range(graph.OperatorsLength()):
        operator = graph.Operators(index)
        if model.OperatorCodes(operator.OpcodeIndex()).CustomCode() == OP.encode():
            return operator
    return None


def _with_rows(data, operator, options):
    """Return the bytes with the shapes of the op's outputs, where the file says any, for so many rows."""
    graph = schema.Model.GetRootAs(data, 0).Subgraphs(0)
    written, rows = bytearray(data), options.max_detections * options.max_classes_per_detection
    for index in operator.OutputsAsNumpy()[:3]:
        table = graph.Tensors(int(index))._tab
        for field in (_SHAPE, _SHAPE_SIGNATURE):
            if (place := table.Offset(field)) and table.VectorLen(place) > 1:
                struct.pack_into("<i", written, table.Vector(place) + 4, rows)
    return bytes(written)


def _with_custom_options(data, operator, content):
    table = operator._tab
    field = table.Offset(_CUSTOM_OPTIONS)
    start, length = table.Vector(field), table.VectorLen(field)
    vector = struct.pack("<I", len(content)) + content
    if len(content) <= length:
        vector += bytes(length - len(content))
        return data[: start - 4] + vector + data[start + length :]
    end, moved = _split(data)
    body = bytearray(data[:end] + bytes(-end % _ALIGNED))
    struct.pack_into("<I", body, table.Pos + field, len(body) - table.Pos - field)
    body += vector + bytes(-len(vector) % _ALIGNED)
    return bytes(body) + moved(len(body) - end)


def _split(data):
    """Return where the ZIP at the end of a file begins, or the file's end, and a function that gives it moved."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except zipfile.BadZipFile:
        return len(data), lambda _: b""
    start = min([archive.start_dir, *(info.header_offset for info in archive.infolist())])
    tail = data[start:]

    def moved(by):
        written, end = bytearray(tail), tail.rfind(_END[0])
        if struct.unpack_from("<I", tail, end + _END[1])[0] != archive.start_dir:
            return tail  # its offsets count from its own beginning
        places, place = [end + _END[1]], archive.start_dir - start
        for _ in archive.infolist():
            places.append(place + _DIRECTORY[1])
            place += 46 + sum(struct.unpack_from("<HHH", tail, place + 28))
        for place in places:
            struct.pack_into("<I", written, place, struct.unpack_from("<I", tail, place)[0] + by)
        return bytes(written)

    return start, moved
