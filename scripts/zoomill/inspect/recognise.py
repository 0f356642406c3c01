"""Which kind of model a file is: by how it begins, else by how its name ends."""

import zipfile
from pathlib import Path

from zoomill.errors import UserError
from zoomill.inspect import darknet, keras, onnx, openvino, pytorch, saved_model, tfjs, tflite


def _read_zip(path):
    """Report a zip file: Keras's has its configuration at the top, PyTorch's everything in one folder."""
    with zipfile.ZipFile(path) as archive:
        is_keras = path.suffix == ".keras" or "config.json" in archive.namelist()
    return keras.read_archive(path) if is_keras else pytorch.read(path)


_MAGIC = [(0, b"\x89HDF\r\n\x1a\n", keras.read_h5), (0, b"PK\3\4", _read_zip), (4, b"TFL3", tflite.read)]
_ENDINGS = {
    ".pb": saved_model.read_pb,
    ".meta": saved_model.read_meta,
    ".onnx": onnx.read,
    ".json": tfjs.read,
    ".cfg": darknet.read,
    ".xml": openvino.read,
    ".tflite": tflite.read,
    ".h5": keras.read_h5,
    ".hdf5": keras.read_h5,
    ".keras": keras.read_archive,
    ".pt2": pytorch.read,
    ".pt": pytorch.read,
    ".pth": pytorch.read,
}
_WITH_COMPANION = {darknet.read, saved_model.read_meta}
_FOLDERS = ["saved_model.pb", "model.json", "model.xml"]
_HINTS = {".weights": "its .cfg", ".index": "its .meta or saved_model.pb", ".bin": "its model.json or .xml"}


def inspect(path, companion=None):
    """Return the report about a model: see :mod:`zoomill.inspect.report`.

    Args:
        path: a file, or the folder of a SavedModel, TF-Hub module, TFJS model or OpenVINO IR.
        companion: the .weights of a .cfg, or the checkpoint's prefix or index of a .meta, when it is not beside the
            model under the same name.

    Raises:
        UserError: when the file is of no known kind, truncated, damaged, or tries to reach outside its folder.
    """
    file = _model_file(Path(path))
    reader = _reader(file)
    if companion and reader not in _WITH_COMPANION:
        raise UserError(f"{path}: needs no weights; only a .cfg and a .meta have them in a file of any name")
    try:
        document = reader(file, companion) if companion else reader(file)
    except UserError:
        raise
    except Exception as error:  # whatever a parser raises, bytes that make no sense are the cause
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise UserError(f"{file}: is truncated or damaged ({reason})") from error
    return document | {"file": Path(path).absolute().name}


def _model_file(path):
    if path.is_dir():
        found = [path / name for name in _FOLDERS if (path / name).exists()]
        if not found:
            raise UserError(f"{path}: the folder has neither {' nor '.join(_FOLDERS)}")
        return found[0]
    if not path.is_file():
        raise UserError(f"{path}: there is no such file")
    return path


def _reader(path):
    try:
        with open(path, "rb") as file:
            start = file.read(16)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    for offset, magic, reader in _MAGIC:
        if start[offset:].startswith(magic):
            return reader
    if path.suffix.lower() not in _ENDINGS:
        hint = _HINTS.get(path.suffix.lower(), f"a file that ends in {', '.join(_ENDINGS)}")
        raise UserError(f"{path}: is no model by itself that can be told; give {hint}")
    return _ENDINGS[path.suffix.lower()]
