"""Copies of Keras models that hold only what was checked.

Keras tells the kind of a file by its name, builds whatever classes its configuration names, and follows links out of
HDF5 files. So it never gets the file itself, but a copy: named after what the first bytes are, with the configuration
that was judged, written anew, and the weights alone. What belongs to training is left out.
"""

import io
import json
import os
import re
import shutil
import zipfile
import zlib

from zoomill.errors import UserError
from zoomill.inspect import allowed, allowed_layers, guards, hdf5, keras
from zoomill.sources import saved_model_source

_HDF5, _ZIP = b"\x89HDF\r\n\x1a\n", b"PK\3\4"
_METADATA = "keras_metadata.pb"
_ASSET = re.compile(r"assets/\w[\w/]*\.txt")  # vocabularies


def write(path, allow, folder):
    """Check a Keras model as data and write a copy of it.

    Args:
        path: file or folder.
        allow: names of classes and functions that the card allows.
        folder: where to write.

    Returns:
        The path of the copy, and the generation of Keras that wrote the model: 2 or 3.

    Raises:
        UserError: for a file that cannot be read, or holds anything besides a network.
    """
    if os.path.isdir(path):
        return _write_saved_model(path, allow, os.path.join(folder, "model")), 2
    try:
        with open(path, "rb") as file:
            start = file.read(8)
        if start == _HDF5:
            return _write_h5(path, allow, os.path.join(folder, "model.h5"))
        if start.startswith(_ZIP):
            return _write_archive(path, allow, os.path.join(folder, "model.keras"))
    except (OSError, KeyError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        # h5py, zipfile and the codecs below them
        reason = " ".join(str(error).split())
        raise UserError(f"{path}: is no Keras file that can be read: {reason}") from error
    raise UserError(f"{path}: is no Keras file that can be read: it is neither HDF5 nor a .keras archive")


def _write_h5(path, allow, copy):
    import h5py

    with hdf5.opened(path, path) as file:
        config, version = hdf5.text(file, "model_config"), hdf5.text(file, "keras_version")
        if config is None:
            raise UserError(f"{path}: holds weights only; a model with its configuration is needed")
        config = _checked(guards.parsed(config, path), path, allow)
        if "model_weights" not in file:
            raise UserError(f"{path}: holds no weights")
        with h5py.File(copy, "w") as target:
            hdf5.copy(file, path, ["model_weights"], target)
            attributes = {"keras_version": version, "backend": hdf5.text(file, "backend")}
            for name, value in {**attributes, "model_config": json.dumps(config)}.items():
                if value is not None:
                    target.attrs[name] = value
    return copy, _generation(version or "2")


def _write_archive(path, allow, copy):
    import h5py

    with zipfile.ZipFile(path) as archive:
        config, metadata, stored = keras.members(archive, path)
        assets = [info for info in archive.infolist() if _ASSET.fullmatch(info.filename)]
        content = {info.filename: guards.member(archive, info, path) for info in assets}
    config, weights = _checked(config, path, allow), io.BytesIO()
    version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    with hdf5.opened(path, io.BytesIO(stored)) as file, h5py.File(weights, "w") as target:
        hdf5.copy(file, path, [name for name in file if name != "optimizer"], target)
        for name in file.attrs:
            target.attrs[name] = file.attrs[name]
    names = dict(zip(keras.MEMBERS, (json.dumps(config), json.dumps(metadata), weights.getvalue()), strict=True))
    with zipfile.ZipFile(copy, "w") as archive:
        for name, data in {**names, **content}.items():
            archive.writestr(name, data)
    return copy, _generation(version or "3")


def _write_saved_model(path, allow, copy):
    from google.protobuf.message import DecodeError
    from tf_keras.protobuf import saved_metadata_pb2

    metadata = os.path.join(path, _METADATA)
    try:
        message = saved_metadata_pb2.SavedMetadata.FromString(guards.read(metadata, guards.BINARY_LIMIT))
    except (OSError, DecodeError) as error:
        raise UserError(
            f"{path}: has no {_METADATA} that can be read; a SavedModel without Keras in it is kind saved_model"
        ) from error
    for node in message.nodes:
        node.metadata = json.dumps(_checked(guards.parsed(node.metadata, metadata), path, allow))
    with saved_model_source.checked_copy(path, ["serve"], allow) as safe:
        try:
            shutil.copytree(safe, copy, ignore=shutil.ignore_patterns(_METADATA, "keras_metadata"))
        except (OSError, shutil.Error) as error:
            raise UserError(f"{path}: cannot be read: {error}") from error
    with open(os.path.join(copy, _METADATA), "wb") as file:
        file.write(message.SerializeToString())
    return copy


def _checked(config, path, allow):
    """Return a configuration without what belongs to training, all that is in it judged."""
    config = _without_training(config)
    allowed.require(path, allowed_layers.found(config), allow)
    return config


def _without_training(config):
    """Take optimizers, losses and metrics out of a configuration, in place."""
    waiting = [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            for key in ("compile_config", "training_config"):
                value.pop(key, None)
        waiting += value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return config


def _generation(version):
    return 3 if str(version).startswith("3") else 2
