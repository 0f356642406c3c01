"""The index of a TensorFlow checkpoint: names, dtypes and shapes of its variables, without their values.

The file is a LevelDB table (github.com/google/leveldb, doc/table_format.md) that TensorFlow writes uncompressed; its
values are BundleEntryProto messages, and the entry of the empty key is a BundleHeaderProto.
"""

import os
import struct
from pathlib import Path

from zoomill.errors import UserError
from zoomill.inspect import graph, guards, report

_MAGIC = 0xDB4775248B80FB57
_FOOTER = 48
# Repeated beginnings make keys longer than the file; a name of 1000 letters with a new end every time stays below.
_EXPANSION = 100


def read(prefix):
    """Read ``<prefix>.index``.

    Returns:
        The ``checkpoint`` of a report, and a list of notes about files with values that are not there.

    Raises:
        UserError: when the index is no checkpoint's, or a file with values is shorter than the index says.
        ValueError, IndexError, struct.error: when it is damaged.
    """
    index = f"{prefix}.index"
    if not os.path.isfile(index):
        raise UserError(f"{index}: there is no such file")
    data = guards.read(index, guards.BINARY_LIMIT)
    if len(data) < _FOOTER or struct.unpack_from("<Q", data, len(data) - 8)[0] != _MAGIC:
        raise UserError(f"{index}: is truncated, or is no index of a TensorFlow checkpoint")
    _, position = _handle(data, len(data) - _FOOTER)
    (top, size), _ = _handle(data, position)
    blocks = [_handle(handle, 0)[0] for _, handle in _block(data, top, size)]
    if sum(size for _, size in blocks) > len(data):
        raise ValueError("its blocks overlap")
    entries = [entry for block in blocks for entry in _block(data, *block)]

    header, variables, parameters = graph.MESSAGES["BundleHeaderProto"](), [], report.Parameters()
    ends = {}
    for key, value in entries:
        if not key:
            header.ParseFromString(value)
        # Keys of the slices of a partitioned variable begin with a zero byte; the variable has an entry of its own.
        elif not key.startswith(b"\0"):
            entry = graph.MESSAGES["BundleEntryProto"].FromString(value)
            dtype, shape = graph.dtype(entry.dtype) or "unknown", graph.sizes(entry.shape)
            ends[entry.shard_id] = max(ends.get(entry.shard_id, 0), entry.offset + entry.size)
            if dtype != "string":
                variables.append({"name": key.decode(), "dtype": dtype, "shape": shape})
                parameters.add(dtype, shape)
    shards = {shard: Path(f"{prefix}.data-{shard:05}-of-{header.num_shards:05}") for shard in sorted(ends)}
    for shard, path in shards.items():
        if path.exists() and path.stat().st_size < ends[shard]:
            raise UserError(f"{path}: is truncated: has {path.stat().st_size} of {ends[shard]} bytes")
    checkpoint = {"variables": variables, "parameters": parameters.as_json()}
    return checkpoint, guards.missing(list(shards.values()))


def _block(data, start, size):
    """Return the (key, value) pairs of a block; each key repeats the beginning of the one before."""
    if start + size >= len(data) or data[start + size]:
        raise ValueError("the index is compressed or damaged")
    (restarts,) = struct.unpack_from("<I", data, start + size - 4)
    position, end = start, start + size - 4 - 4 * restarts
    if end < start:
        raise ValueError("the index is damaged")
    key, pairs, total = b"", [], 0
    while position < end:
        shared, position = _varint(data, position)
        added, position = _varint(data, position)
        length, position = _varint(data, position)
        key = key[:shared] + data[position : position + added]
        position += added
        total += len(key)
        if total > _EXPANSION * size:
            raise ValueError("its keys are longer than names of variables are")
        pairs.append((key, data[position : position + length]))
        position += length
    return pairs


def _handle(data, position):
    """Return a block's (offset, size), and the position after them."""
    offset, position = _varint(data, position)
    size, position = _varint(data, position)
    return (offset, size), position


def _varint(data, position):
    value = shift = 0
    while data[position] & 0x80 and shift < 64:
        value |= (data[position] & 0x7F) << shift
        shift, position = shift + 7, position + 1
    return value | data[position] << shift, position + 1
