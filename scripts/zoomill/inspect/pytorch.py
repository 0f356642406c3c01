"""PyTorch: exported programs, of which JSON tells everything, and TorchScript, of which pickle keeps the most."""

import collections
import re

from zoomill.inspect import pytorch_archive, report

# ScalarType of torch/_export/serde/schema.py.
_TEXT = "unknown uint8 int8 int16 int32 int64 float16 float32 float64 complex32 complex64 complex128 bool bfloat16"
_LATER = "uint16 float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz float8_e8m0 uint32 uint64"
_TYPES = {**dict(enumerate(_TEXT.split())), **dict(enumerate(_LATER.split(), 28))}
_CONTROL_FLOW = frozenset({"higher_order.cond", "higher_order.while_loop", "higher_order.map_impl"})
_OWN = ("aten.", "prims.", "higher_order.", "sym_", "_operator.", "math.")


def read(path):
    """Report a .pt2 or TorchScript file.

    Raises:
        UserError: when it is damaged, or holds nothing but pickled objects.
    """
    archive = pytorch_archive.Archive(path)
    return _program(archive) if archive.kind == pytorch_archive.PROGRAM else _torchscript(archive)


def _program(archive):
    document = archive.json(pytorch_archive.MODEL)
    inner, schema = document["graph_module"], document["schema_version"]
    producer = {"torch": document.get("torch_version"), "schema": f"{schema['major']}.{schema['minor']}"}
    values = inner["graph"]["tensor_values"]
    inputs, outputs = (
        [report.tensor(name, name, *_type(values[name])) for name in _interface(inner["signature"], side)]
        for side in ("input", "output")
    )
    weights = report.Parameters()
    for member in (pytorch_archive.WEIGHTS_CONFIG, pytorch_archive.CONSTANTS_CONFIG):
        for entry in archive.json(member)["config"].values():
            if entry["tensor_meta"]:
                weights.add(*_type(entry["tensor_meta"]))
    operators = collections.Counter(_operators(inner["graph"]))
    signature = report.signature(None, inputs, outputs)
    graph = report.graph([signature], operators, _CONTROL_FLOW, lambda name: not name.startswith(_OWN), weights)
    return report.report(archive.kind, producer, [graph])


def _interface(signature, side):
    """Yield the names of the tensors that a program takes or returns."""
    for spec in signature[f"{side}_specs"]:
        argument = spec.get(f"user_{side}", {}).get("arg", {})
        if "as_tensor" in argument:
            yield argument["as_tensor"]["name"]


def _type(meta):
    """Return dtype and shape of a tensor; -1 for an open size."""
    return _TYPES.get(meta["dtype"], "unknown"), [size.get("as_int", -1) for size in meta["sizes"]]


def _operators(value):
    """Yield the operators of a graph and of those nested in it."""
    if isinstance(value, dict):
        for node in value.get("nodes", ()):
            yield node["target"].removeprefix("torch.").removeprefix("ops.")
        for item in value.values():
            yield from _operators(item)
    elif isinstance(value, list):
        for item in value:
            yield from _operators(item)


def _torchscript(archive):
    tensors = [size for name, size in archive.sizes.items() if re.match(r"(data|constants)/\d+$", name)]
    code = [archive.read(name).decode() for name in archive.sizes if re.match(r"code/.*\.py$", name)]
    calls = (call for text in code for call in re.findall(r"\btorch\.(\w+)\(|\bops\.(\w+\.\w+)\(", text))
    operators = collections.Counter("".join(call) for call in calls)
    graph = report.graph([], operators, frozenset(), lambda name: "." in name, report.Parameters())
    notes = [
        f"names, dtypes and shapes of its {len(tensors)} tensors ({sum(tensors):,} bytes) are pickled, and pickle is "
        "not read; neither are inputs and outputs known",
        "operators are those in its code, where a module that is used twice stands once",
    ]
    version = archive.read("version").decode().strip()
    return report.report(archive.kind, {"torchscript": version}, [graph], notes=notes)
