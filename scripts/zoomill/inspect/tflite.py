"""TFLite files, through the schema's accessors: nothing is unpacked but what is told."""

import collections

from zoomill.errors import UserError
from zoomill.inspect import custom_options, guards, report, tflite_metadata

_CONTROL_FLOW = {"IF", "WHILE", "CALL_ONCE", "STABLEHLO_CASE", "STABLEHLO_WHILE"}


def read(path):
    """Report a .tflite file; operators and tensors of all subgraphs count.

    Raises:
        UserError: when it is no TFLite file.
        ValueError, IndexError, struct.error: when it is damaged.
    """
    # Half a second, which the other kinds of file need not spend.
    from ai_edge_litert import schema_py_generated as schema

    data = guards.read(path, guards.BINARY_LIMIT)
    if data[4:8] != b"TFL3":
        raise UserError(f"{path}: is no TFLite file")
    file, packed = _File(schema, data), tflite_metadata.packed(data)
    metadata, notes = tflite_metadata.told(file.metadata(), packed)
    notes = [*file.notes(packed), *notes]
    return report.report("tflite", file.producer(), [file.graph()], notes=notes, metadata=metadata)


class _File:
    """A parsed file; vectors of a hostile file may overlap, so what is read is bounded by the file's own size."""

    def __init__(self, schema, data):
        self._builtins = _names(schema.BuiltinOperator)
        self._types = {code: name.lower() for code, name in _names(schema.TensorType).items()}
        self._custom = schema.BuiltinOperator.CUSTOM
        self._left = len(data)
        self._model = schema.Model.GetRootAs(data, 0)
        self._buffers = self._list(self._model, "Buffers")
        self._metadata = {self._text(entry.Name()): entry.Buffer() for entry in self._list(self._model, "Metadata")}
        self._codes = [self._operator(code) for code in self._list(self._model, "OperatorCodes")]
        self._subgraphs = self._list(self._model, "Subgraphs")
        self._tensors = [self._list(subgraph, "Tensors") for subgraph in self._subgraphs]

    def producer(self):
        """Return description, schema version and the oldest runtime that the converter names."""
        runtime = None
        if "min_runtime_version" in self._metadata:
            content = bytes(self._numbers(self._buffers[self._metadata["min_runtime_version"]], "Data"))
            runtime = self._text(content.rstrip(b"\0"))
        return {
            "description": self._text(self._model.Description()),
            "schema": self._model.Version(),
            "min_runtime": runtime,
        }

    def metadata(self):
        """Return the buffer of TFLite metadata, None without."""
        place = self._metadata.get(tflite_metadata.ENTRY)
        return None if place is None else bytes(self._numbers(self._buffers[place], "Data"))

    def notes(self, packed):
        """Return the report's notes about files that are packed in and the options of custom operators."""
        names = ", ".join(name for name in packed if name.isprintable())[:300]
        told = [f"packed in are {names}"] if names else []
        for operator in (one for subgraph in self._subgraphs for one in self._list(subgraph, "Operators")):
            name, custom = self._codes[operator.OpcodeIndex()]
            options = custom_options.numbers(bytes(self._numbers(operator, "CustomOptions"))) if custom else {}
            if options:
                told.append(f"{name} has {', '.join(f'{key} {value}' for key, value in sorted(options.items()))}")
        return list(dict.fromkeys(told))

    def graph(self):
        """Return the report's graph."""
        operators = collections.Counter(
            self._codes[operator.OpcodeIndex()]
            for subgraph in self._subgraphs
            for operator in self._list(subgraph, "Operators")
        )
        customs = {name for name, custom in operators if custom}
        return report.graph(
            [self._signature(entry) for entry in self._list(self._model, "SignatureDefs")] or [self._unnamed()],
            {name: count for (name, _), count in operators.items()},
            _CONTROL_FLOW,
            customs.__contains__,
            self._parameters(),
            self._quantisation(),
        )

    def _operator(self, code):
        """Return an operator's name and whether it is a custom one."""
        number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        if number == self._custom:
            return self._text(code.CustomCode()), True
        return self._builtins.get(number, f"BUILTIN_{number}"), False

    def _unnamed(self):
        subgraph, tensors = self._subgraphs[0], self._tensors[0]

        def side(field):
            return [self._interface(None, tensors[index]) for index in self._numbers(subgraph, field)]

        return report.signature(None, side("Inputs"), side("Outputs"))

    def _signature(self, definition):
        tensors = self._tensors[definition.SubgraphIndex()]

        def side(field):
            entries = self._list(definition, field)
            return [self._interface(self._text(entry.Name()), tensors[entry.TensorIndex()]) for entry in entries]

        return report.signature(self._text(definition.SignatureKey()), side("Inputs"), side("Outputs"))

    def _interface(self, name, tensor):
        place = self._text(tensor.Name())
        shape = self._numbers(tensor, "ShapeSignature") or self._numbers(tensor, "Shape")
        return report.tensor(place if name is None else name, place, self._dtype(tensor), shape)

    def _parameters(self):
        """Count every buffer once, whichever tensors share it; buffer 0 is the empty one."""
        parameters, counted = report.Parameters(), {0}
        for tensor in (tensor for tensors in self._tensors for tensor in tensors):
            buffer = self._buffers[tensor.Buffer()]
            size = buffer.DataLength() or (buffer.Size() if buffer.Offset() > 1 else 0)
            if size and tensor.Buffer() not in counted:
                counted.add(tensor.Buffer())
                # Data outside a truncated file raise ValueError here.
                buffer.DataAsNumpy()
                parameters.add(self._dtype(tensor), self._numbers(tensor, "Shape"), size)
        return parameters

    def _quantisation(self):
        found = []
        for tensor in (tensor for tensors in self._tensors for tensor in tensors):
            stored = tensor.Quantization()
            if stored and stored.ScaleLength():
                self._take(stored.ScaleLength())
                # As text, a float32 is the shortest number that reads back as the same.
                scales = stored.ScaleAsNumpy().astype(str).astype(float).tolist()
                found.append(
                    {
                        "tensor": self._text(tensor.Name()),
                        "kind": "affine",
                        "dtype": self._dtype(tensor),
                        "scale": [report.finite(scale) for scale in scales],
                        "zero_point": self._numbers(stored, "ZeroPoint") or None,
                        "axis": stored.QuantizedDimension() if len(scales) > 1 else None,
                    }
                )
        return found

    def _dtype(self, tensor):
        return self._types.get(tensor.Type(), f"type{tensor.Type()}")

    def _list(self, table, field):
        length = getattr(table, f"{field}Length")()
        self._take(length)
        return [getattr(table, field)(index) for index in range(length)]

    def _numbers(self, table, field):
        length = getattr(table, f"{field}Length")()
        self._take(length)
        return getattr(table, f"{field}AsNumpy")().tolist() if length else []

    def _text(self, stored):
        text = (stored or b"").decode(errors="backslashreplace")
        self._take(len(text))
        return text

    def _take(self, amount):
        self._left -= amount
        if self._left < 0:
            raise ValueError("it lists more than it holds")


def _names(enum):
    return {code: name for name, code in vars(enum).items() if not name.startswith("_")}
