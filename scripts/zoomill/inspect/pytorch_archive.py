"""PyTorch's zip files, read without PyTorch and without unpickling anything.

Three kinds of file share the form: exported programs (.pt2), TorchScript, and pickles (of a state_dict or a module),
which are refused. The first two may run code as well when PyTorch 2.13 loads them:

- ``torch.export.load`` falls back to pickle for the sample inputs, unpickles weights and constants that are marked
  so, compiles ``guards_code`` and every name in the graph as Python, evaluates sizes with SymPy, imports the classes
  of the interface, and loads libraries (torch/export/pt2_archive/_package.py, torch/_export/serde/serialize.py);
- ``torch.jit.load`` reads classes of its own only, but TorchScript has operators that write files.

So PyTorch never gets the file itself, but :meth:`Archive.harmless`: a copy of what a network needs, checked.
"""

import io
import json
import re
import zipfile
import zlib

from zoomill.errors import UserError
from zoomill.inspect import guards

PROGRAM, TORCHSCRIPT = "pytorch_program", "torchscript"
MODEL = "models/model.json"
WEIGHTS, CONSTANTS = "data/weights/", "data/constants/"
WEIGHTS_CONFIG, CONSTANTS_CONFIG = f"{WEIGHTS}model_weights_config.json", f"{CONSTANTS}model_constants_config.json"
SAMPLE_INPUTS = "data/sample_inputs/model.pt"
_HEAD = ("archive_format", "archive_version", "byteorder", ".data/version")
_SAVE = (
    "save torch.export.export(model, example) with torch.export.save, or torch.jit.trace(model, example) with "
    "torch.jit.save"
)

_NAME = re.compile(r"[\w.+]*")
# An expression as torch writes it, for example `Add(Symbol('s7', positive=True, integer=True), Integer(1))`.
_SIZE = re.compile(
    r"(?:Symbol\('\w+'(?:, \w+=(?:True|False))*\)|-?\d+|[), ]"
    r"|(?:Integer|Add|Mul|Pow|Max|Min|FloorDiv|CleanDiv|CeilToInt|Mod|PythonMod)\()*"
)
_TARGET = re.compile(r"torch\.(ops\.(aten|prims|higher_order)\.\w+(\.\w+)?|sym_\w+)|_operator\.\w+|math\.\w+")
_TOUCHES_FILES = re.compile(r"\b(save|from_file)\b")
_CONTAINERS = (None, "builtins.tuple", "builtins.list", "builtins.dict", "collections.OrderedDict")


class Archive:
    """An exported program or a TorchScript file, open for reading.

    Attributes:
        path: of the file.
        kind: :data:`PROGRAM` or :data:`TORCHSCRIPT`.
        sizes: ``{member: bytes}``, names without the folder that all of them are in.

    Raises:
        UserError: when the file is neither, or damaged.
    """

    def __init__(self, path):
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, UnicodeDecodeError) as error:
            with open(path, "rb") as file:
                start = file.read(2)
            if start == b"\x80\x02":  # pickle, protocol 2: PyTorch before 1.6
                raise UserError(f"{path}: holds pickled Python objects, which are not loaded; {_SAVE}") from error
            raise UserError(f"{path}: is truncated, or is no file of PyTorch") from error
        # Without its own end, a truncated program passes for the zip file of the sample inputs inside it.
        if min((info.header_offset for info in self._zip.infolist()), default=1):
            raise UserError(f"{path}: is truncated, or is no file of PyTorch")
        self._members = {info.filename.partition("/")[2] or info.filename: info for info in self._zip.infolist()}
        self.sizes = {name: info.file_size for name, info in self._members.items()}
        self.kind = self._kind()

    def _kind(self):
        if MODEL in self.sizes:
            return PROGRAM
        if "constants.pkl" in self.sizes and any(name.startswith("code/") for name in self.sizes):
            return TORCHSCRIPT
        if "serialized_exported_program.json" in self.sizes:
            raise UserError(
                f"{self.path}: is an exported program of PyTorch 2.7 or older; load it there and export it anew"
            )
        if "data.pkl" in self.sizes:
            raise UserError(f"{self.path}: holds pickled Python objects, which are not loaded; {_SAVE}")
        raise UserError(f"{self.path}: is a zip file, but neither an exported program nor TorchScript; {_SAVE}")

    def read(self, name):
        """Return the content of a member.

        Raises:
            UserError: when it is not there, damaged, or unpacks to more than it should.
        """
        if name not in self._members:
            raise UserError(f"{self.path}: is damaged: it lacks {name}")
        try:
            return guards.member(self._zip, self._members[name], self.path)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
            raise UserError(f"{self.path}: is damaged: {name}: {error}") from error

    def json(self, name):
        """Return a member that is JSON."""
        try:
            return json.loads(self.read(name))
        except (ValueError, RecursionError) as error:
            raise UserError(f"{self.path}: is damaged: {name} is no JSON") from error

    def harmless(self):
        """Return a file object with a copy that PyTorch may load.

        A program comes without its sample inputs, guards, limits of derived sizes and stack traces; TorchScript without
        debug information.

        Raises:
            UserError: when the model itself needs pickle, or anything else that could run code or write files.
        """
        members = self._program() if self.kind == PROGRAM else self._script()
        stored = io.BytesIO()
        with zipfile.ZipFile(stored, "w") as archive:
            for name, content in members.items():
                archive.writestr(zipfile.ZipInfo(f"archive/{name}"), content)
        stored.seek(0)
        return stored

    def _program(self):
        document = self.json(MODEL)
        try:
            _strip(document)
            # Those of sizes that follow from others, `8*s39` say, are there too, and are not needed.
            limits = document["range_constraints"]
            document["range_constraints"] = {name: limits[name] for name in limits if _NAME.fullmatch(name)}
            self._check(document, "")
            tensors = [
                *_tensor_files(self.json(WEIGHTS_CONFIG), WEIGHTS, "weight_"),
                *_tensor_files(self.json(CONSTANTS_CONFIG), CONSTANTS, "tensor_"),
            ]
        except (AttributeError, LookupError, RecursionError, TypeError) as error:
            raise UserError(f"{self.path}: is damaged: {type(error).__name__}: {error}") from error
        except ValueError as error:
            raise UserError(f"{self.path}: {error}; refused") from error
        names = [name for name in _HEAD if name in self.sizes]
        members = {name: self.read(name) for name in (*names, WEIGHTS_CONFIG, CONSTANTS_CONFIG, *tensors)}
        return {**members, MODEL: json.dumps(document).encode(), SAMPLE_INPUTS: b""}

    def _check(self, value, key):
        """Raise a ValueError for a text in a program that PyTorch would run or import."""
        if isinstance(value, dict):
            for name, item in value.items():
                _require(_NAME, name, "has the name")
                self._check(item, name)
        elif isinstance(value, list):
            for item in value:
                self._check(item, key)
        elif isinstance(value, str) and key in ("in_spec", "out_spec"):
            _check_interface(json.loads(value)[1])
        elif isinstance(value, str) and key == "expr_str":
            _require(_SIZE, value, "has a size")
        elif isinstance(value, str) and key == "target":
            _require(_TARGET, value, "calls")
            if _TOUCHES_FILES.search(value):
                raise ValueError(f"calls {value}, which touches files")
        elif isinstance(value, str) and key not in ("as_string", "as_strings"):  # they are quoted wherever they go
            _require(_NAME, value, "has the name")

    def _script(self):
        names = [name for name in self.sizes if not name.endswith(".debug_pkl")]
        members = {name: self.read(name) for name in names}
        for name, content in members.items():
            found = name.startswith("code/") and _TOUCHES_FILES.search(content.decode(errors="replace"))
            if found:
                raise UserError(f"{self.path}: {name} calls {found[0]}, which touches files; refused")
        return members


def _strip(value):
    """Take the guards and the nodes' metadata out of a program, nested graphs included."""
    if isinstance(value, dict):
        if "guards_code" in value:
            value["guards_code"] = []
        for node in value.get("nodes", ()):
            node["metadata"] = {}
        for item in value.values():
            _strip(item)
    elif isinstance(value, list):
        for item in value:
            _strip(item)


def _require(pattern, text, what):
    if not pattern.fullmatch(text):
        raise ValueError(f"{what} {text[:60]!r}, which no network needs")


def _check_interface(spec):
    """Raise a ValueError for inputs or outputs in anything else than tuples, lists and dicts with text as keys."""
    if spec["type"] not in _CONTAINERS:
        raise ValueError(f"takes or returns a {spec['type']}, which PyTorch would import; export it with plain tuples")
    keys = json.loads(spec["context"] or "null")
    if keys is not None and not all(isinstance(key, str) for key in keys):
        raise ValueError(f"has an interface with keys {keys!r}")
    for child in spec["children_spec"]:
        _check_interface(child)


def _tensor_files(config, folder, prefix):
    """Return the members that hold the tensors of a configuration, all as raw numbers."""
    result = []
    for name, entry in config["config"].items():
        if entry["use_pickle"] or not entry["path_name"].startswith(prefix):
            raise ValueError(f"keeps {name} as a pickled Python object")
        result.append(f"{folder}{entry['path_name']}")
    return dict.fromkeys(result)
