"""Ways to break a file, each decided by a random generator alone."""

import io
import json
import re
import zipfile

ODD_NUMBERS = (0, -1, 1, 255, 1 << 16, (1 << 31) - 1, 1 << 31, -(1 << 31), (1 << 63) - 1, 10**30)
ODD_VALUES = (
    *ODD_NUMBERS,
    *(None, True, 0.5, 1e308, float("nan"), "", "x", "../x", "\ud800", "\u2028", "x" * 5000),
    *([], {}, [[]], [None], {"": None}, {"class_name": "Lambda", "config": {}}),
)


def in_bytes(random, data, other):
    """Return bytes of which some are flipped, cut off, left out, repeated, or taken from another file."""
    data = bytearray(data)
    where = random.randrange(len(data)) if data else 0
    length = random.choice((1, 2, 4, 8, 32, 256))
    way = random.randrange(8)
    if way < 4 and data:
        for _ in range(random.choice((1, 1, 1, 2, 8))):
            at = random.randrange(len(data))
            data[at] = data[at] ^ (1 << random.randrange(8)) if random.random() < 0.7 else random.choice((0, 127, 255))
    elif way == 4:
        del data[where:]
    elif way == 5:
        del data[where : where + length]
    elif way == 6:
        data[where:where] = data[where : where + length]
    else:
        start = random.randrange(max(1, len(other)))
        data[where : where + length] = other[start : start + length]
    return bytes(data)


def in_text(random, data, other):
    """Return text of which a word or number is another, or bytes are changed."""
    found = list(re.finditer(rb"-?\d+(\.\d+)?|\w+", data))
    if not found or random.random() < 0.2:
        return in_bytes(random, data, other)
    match = random.choice(found)
    odd = [str(number) for number in ODD_NUMBERS] + ["1e20", "nan", "inf", "-0", "", "x", "9" * 5000, "true", "{", "}"]
    return data[: match.start()] + random.choice(odd).encode() + data[match.end() :]


def in_json(random, data, other):
    """Return JSON of which a value is of another type or size, gone, doubled, swapped or deeply nested."""
    document = json.loads(data)
    places = list(_places(document))
    if not places:
        return json.dumps(random.choice(ODD_VALUES)).encode()
    holder, key = random.choice(places)
    way = random.randrange(6)
    if way < 3:
        holder[key] = random.choice(ODD_VALUES)
    elif way == 3:
        del holder[key]
    elif way == 4:
        second, third = random.choice(places)
        holder[key], second[third] = json.loads(json.dumps(second[third])), json.loads(json.dumps(holder[key]))
    elif random.random() < 0.5 and isinstance(holder, list):
        holder.insert(key, holder[key])
    else:
        holder[key] = "NESTED"
        depth = random.choice((50, 900, 50_000))
        return json.dumps(document).replace('"NESTED"', "[" * depth + "]" * depth).encode()
    return json.dumps(document).encode()


def _places(value):
    """Yield ``(container, key)`` of every value inside a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from _places(inner)


def _in_member(change, wanted):
    """Return a way to break a zip file: one of its members, packed anew."""

    def mutate(random, data, other):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [(info, archive.read(info)) for info in archive.infolist()]
        chosen = random.choice([index for index, (info, _) in enumerate(members) if wanted(info.filename)])
        stored = io.BytesIO()
        with zipfile.ZipFile(stored, "w") as archive:
            for index, (info, content) in enumerate(members):
                archive.writestr(info, change(random, content, other) if index == chosen else content)
        return stored.getvalue()

    return mutate


_inside = _in_member(in_bytes, lambda name: True)


def in_zip(random, data, other):
    """Return a zip file of which the outside or a member is broken."""
    return (in_bytes if random.random() < 0.3 else _inside)(random, data, other)


def in_tflite(random, data, other):
    """Return a TFLite file in whose structure an index, size or list is another."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(bytearray(data), 0))
    for _ in range(random.choice((1, 1, 2))):
        graph = model.subgraphs[0]
        if random.random() < 0.1:
            _call_itself(random, schema, model, graph)
            continue
        things = [model, graph, *graph.tensors, *graph.operators, *model.buffers, *model.operatorCodes]
        things += [tensor.quantization for tensor in graph.tensors if tensor.quantization]
        _change(random, random.choice(things))
    builder = flatbuffers.Builder(1024)
    try:
        builder.Finish(model.Pack(builder), b"TFL3")
    except (TypeError, ValueError, AttributeError, OverflowError, flatbuffers.builder.BuilderNotFinishedError):
        return in_bytes(random, data, other)  # what the format cannot hold
    return bytes(builder.Output())


def _change(random, thing):
    """Give another value to a number or a list of numbers of an object of the schema."""
    numbers = [key for key, value in vars(thing).items() if isinstance(value, int)]
    lists = [
        key
        for key, value in vars(thing).items()
        if value is not None and hasattr(value, "__len__") and len(value) and not hasattr(value[0], "__dict__")
    ]
    small = [-2, -1, 0, 1, 2, 99, 127, (1 << 31) - 1, -(1 << 31)]
    if not numbers + lists:
        return
    key = random.choice(numbers + lists)
    value = getattr(thing, key)
    if key in numbers:
        setattr(thing, key, random.choice([one for one in small if one >= 0]))
    elif isinstance(value, bytes):
        setattr(thing, key, random.choice((b"", b"x" * 5000, b"\xff\xfe", b"\0")))
    else:
        new = list(value)
        if random.random() < 0.3:
            new = random.choice(([], new * 2, new[:-1]))
        elif key == "data":
            new[random.randrange(len(new))] = random.randrange(256)
        else:
            new[random.randrange(len(new))] = random.choice(small)
        setattr(thing, key, new)


def _call_itself(random, schema, model, graph):
    """Make an operator a call of the graph that it is in."""
    code = schema.OperatorCodeT()
    name = random.choice(("WHILE", "IF", "CALL_ONCE"))
    code.builtinCode = getattr(schema.BuiltinOperator, name)
    code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), 1
    options = {"WHILE": schema.WhileOptionsT, "IF": schema.IfOptionsT, "CALL_ONCE": schema.CallOnceOptionsT}[name]()
    operator = random.choice(graph.operators)
    operator.opcodeIndex = len(model.operatorCodes)
    operator.builtinOptions = options
    operator.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__[:-1])
    model.operatorCodes.append(code)


FORMS = {
    "bytes": in_bytes,
    "text": in_text,
    "zip": in_zip,
    "JSON": in_json,
    "zipped JSON": _in_member(in_json, lambda name: name.endswith(".json")),
    "TFLite": in_tflite,
}
