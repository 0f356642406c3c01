"""Copies of Keras models that hold only what was checked.

Keras tells the kind of a file by its name, builds whatever classes its configuration names, and follows links out of
HDF5 files. So it never gets the file itself, but a copy: named after what the first bytes are, with the configuration
that was judged, written anew, and the weights alone. What belongs to training is left out.
"""

import functools
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
_HALF = re.compile(r"(mixed_)?b?float16")
# What to do about a class that Keras does not have.
WAY_OUT = "where its code is, write the model with `model.export(FOLDER)`, and take FOLDER as kind saved_model"


def write(path, allow, folder, single=True):
    """Check a Keras model as data and write a copy of it.

    Args:
        path: file or folder.
        allow: names of classes and functions that the card allows.
        folder: where to write.
        single: make float32 of all dtypes of half precision.

    Returns:
        The path of the copy, the generation of Keras that wrote the model, 2 or 3, and the names of the dtypes of half
        precision in it, as ``mixed_float16``.

    Raises:
        UserError: for a file that cannot be read, or holds anything besides a network.
    """
    half = set()
    judged = functools.partial(_checked, path=path, allow=allow, single=single, half=half)
    if os.path.isdir(path):
        return _write_saved_model(path, judged, allow, os.path.join(folder, "model")), 2, sorted(half)
    try:
        with open(path, "rb") as file:
            start = file.read(8)
        if start == _HDF5:
            return *_write_h5(path, judged, os.path.join(folder, "model.h5")), sorted(half)
        if start.startswith(_ZIP):
            return *_write_archive(path, judged, os.path.join(folder, "model.keras")), sorted(half)
    except (OSError, KeyError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        # h5py, zipfile and the codecs below them
        reason = " ".join(str(error).split())
        raise UserError(f"{path}: is no Keras file that can be read: {reason}") from error
    raise UserError(f"{path}: is no Keras file that can be read: it is neither HDF5 nor a .keras archive")


def _write_h5(path, judged, copy):
    import h5py

    with hdf5.opened(path, path) as file:
        config, version = hdf5.text(file, "model_config"), hdf5.text(file, "keras_version")
        if config is None:
            raise UserError(f"{path}: holds weights only; a model with its configuration is needed")
        config = judged(guards.parsed(config, path))
        if "model_weights" not in file:
            raise UserError(f"{path}: holds no weights")
        with h5py.File(copy, "w") as target:
            hdf5.copy(file, path, ["model_weights"], target)
            attributes = {"keras_version": version, "backend": hdf5.text(file, "backend")}
            for name, value in {**attributes, "model_config": json.dumps(config)}.items():
                if value is not None:
                    target.attrs[name] = value
    return copy, _generation(version or "2")


def _write_archive(path, judged, copy):
    import h5py

    with zipfile.ZipFile(path) as archive:
        config, metadata, stored = keras.members(archive, path)
        assets = [info for info in archive.infolist() if _ASSET.fullmatch(info.filename)]
        content = {info.filename: guards.member(archive, info, path) for info in assets}
    config, weights = judged(config), io.BytesIO()
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


def _write_saved_model(path, judged, allow, copy):
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
        node.metadata = json.dumps(judged(guards.parsed(node.metadata, metadata)))
    with saved_model_source.checked_copy(path, ["serve"], allow) as safe:
        try:
            shutil.copytree(safe, copy, ignore=shutil.ignore_patterns(_METADATA, "keras_metadata"))
        except (OSError, shutil.Error) as error:
            raise UserError(f"{path}: cannot be read: {error}") from error
    with open(os.path.join(copy, _METADATA), "wb") as file:
        file.write(message.SerializeToString())
    return copy


def _checked(config, path, allow, single, half):
    """Return a configuration without what belongs to training, all that is in it judged; add to ``half`` what it has.

    Raises:
        UserError: for what is no part of a network.
    """
    config = _without_training(config)
    try:
        allowed.require(path, allowed_layers.found(config), allow)
    except UserError as error:
        raise UserError(f"{error}; if it is a class of your own, {WAY_OUT}") from error
    for value in _tables(config):
        policy = value.get("dtype")
        owner, key = (policy.get("config"), "name") if isinstance(policy, dict) else (value, "dtype")
        name = owner.get(key) if isinstance(owner, dict) else None
        if isinstance(name, str) and _HALF.fullmatch(name):
            half.add(name)
            owner[key] = "float32" if single else name
    return config


def _without_training(config):
    """Take optimizers, losses and metrics out of a configuration, in place."""
    for value in _tables(config):
        for key in ("compile_config", "training_config"):
            value.pop(key, None)
    return config


def _tables(config):
    """Yield all objects of a configuration; what is changed in one counts for those inside it."""
    waiting = [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
        waiting += value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _generation(version):
    return 3 if str(version).startswith("3") else 2
