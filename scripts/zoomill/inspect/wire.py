"""Protocol buffer messages described at run time: only the fields that are read, everything else is skipped.

This replaces the generated modules of a framework that is not installed.
"""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from zoomill.errors import UserError
from zoomill.inspect import guards

_KINDS = descriptor_pb2.FieldDescriptorProto


def classes(package, messages, enums=()):
    """Return ``{message name: class}``.

    Args:
        package: a name of its own for these messages.
        messages: ``{message: {field: "number type"}}``, the type being a scalar's, a message's or an enum's name;
            ``"number repeated type"`` and ``"number map type"`` (with strings as keys) as well.
        enums: ``{enum: {value name: number}}``.
    """
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    for name, values in dict(enums).items():
        enum = file.enum_type.add(name=name)
        for value, number in values.items():
            enum.value.add(name=value, number=number)
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for field, declared in fields.items():
            number, *label, kind = declared.split()
            if label == ["map"]:
                kind = _map_entry(message, field, kind, messages, package)
            _add(message, field, int(number), kind, bool(label), messages, package)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}")) for name in messages}


def _add(message, name, number, kind, repeated, messages, package):
    field = message.field.add(name=name, number=number)
    field.label = _KINDS.LABEL_REPEATED if repeated else _KINDS.LABEL_OPTIONAL
    scalar = getattr(_KINDS, f"TYPE_{kind.upper()}", None)
    if scalar is not None:
        field.type = scalar
        return
    name = kind.split(".")[0]
    field.type = _KINDS.TYPE_MESSAGE if name in messages else _KINDS.TYPE_ENUM
    field.type_name = f".{package}.{kind}"


def _map_entry(message, field, kind, messages, package):
    """Add the nested message that a map is on the wire, and return its name."""
    camel = "".join(part.capitalize() for part in field.split("_"))
    entry = message.nested_type.add(name=f"{camel}Entry")
    entry.options.map_entry = True
    _add(entry, "key", 1, "string", False, messages, package)
    _add(entry, "value", 2, kind, False, messages, package)
    return f"{message.name}.{entry.name}"


def parse(message, path):
    """Fill ``message`` from a file and return it.

    Raises:
        UserError: when the file is truncated or holds something else.
    """
    try:
        message.ParseFromString(guards.read(path, guards.BINARY_LIMIT))
    except DecodeError as error:
        name = type(message).DESCRIPTOR.name
        raise UserError(f"{path}: is truncated, or is no {name}") from error
    return message
