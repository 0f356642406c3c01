"""How the samples of data sets are read."""

import os

import numpy as np

from zoomill import files, made
from zoomill.errors import UserError
from zoomill.framework import refusing
from zoomill.inputs.preprocess import read_picture


def read(folder, sample, form, picture=read_picture):
    """Read a sample.

    Args:
        folder: that of the data set.
        sample: :class:`zoomill.inputs.samples.Sample`.
        form: ``{"reader": "picture"}``, any file that Pillow reads; ``{"reader": "npy"}``; ``{"reader": "npz"}``,
            an array for each input of a model; or ``{"reader": "tensor", "dtype": …, "shape": …}``, raw little-endian
            values: with ``scale`` and ``zero_point`` they are quantised, with ``step`` the file holds many windows of
            ``shape``, each ``step`` values after the one before.
        picture: function from the path of a picture to what :func:`zoomill.inputs.preprocess.read_picture` returns.

    Returns:
        A list of arrays: uint8 ``[height, width, 3]`` (or ``[height, width, 1]`` of a grey npy) for pictures; float32
        of ``shape`` for other values. More than one for windows. Of an npz file, a list of one ``{name: array}``.

    Raises:
        UserError: when the file is not the one that the sample list names, is damaged or of another size.
    """
    path = os.path.join(folder, sample.name)
    if files.digest(path) != sample.sha256:
        raise UserError(f"{path}: is not the file that the sample list names; {made.restore(folder)}")
    if form["reader"] == "picture":
        return [picture(path)]
    if form["reader"] == "npy":
        return [_load(path)]
    if form["reader"] == "npz":
        with refusing(f"{path}: is no .npz file that can be read"), np.load(path, allow_pickle=False) as stored:
            return [dict(stored)]
    return _tensors(path, form)


def read_label(folder, sample, form):
    """Return what is true of a sample, by ``form["label"]``.

    Returns:
        For ``class``, the class number; for ``values``, a float64 array; for ``target``, the array of the file that the
        index names; for ``none``, None.

    Raises:
        UserError: when that file was changed since the data set was made, or the label is no number.
    """
    kind = form["label"]
    if kind in ("class", "values"):
        try:
            return int(sample.label) if kind == "class" else np.array(sample.label.split(), np.float64)
        except ValueError as error:
            raise UserError(f"{folder}: {sample.name}: its label {sample.label!r} is no number") from error
    if kind == "target":
        made.check_member(folder, sample.label)
        return _load(os.path.join(folder, sample.label))
    return None


def _load(path):
    with refusing(f"{path}: is no .npy file that can be read"):
        return np.load(path, allow_pickle=False)


def _tensors(path, form):
    dtype, shape = np.dtype(form["dtype"]).newbyteorder("<"), form["shape"]
    size = int(np.prod(shape))
    with open(path, "rb") as file:
        data = file.read()
    step = form.get("step") or size
    count = (len(data) // dtype.itemsize - size) // step + 1
    if count < 1 or len(data) != ((count - 1) * step + size) * dtype.itemsize:
        raise UserError(f"{path}: has {len(data)} bytes, which is no number of {form['dtype']} {shape}")
    values = np.frombuffer(data, dtype)
    windows = [values[start * step : start * step + size].reshape(shape) for start in range(count)]
    if "scale" in form:
        return [((window.astype(np.float32) - form["zero_point"]) * np.float32(form["scale"])) for window in windows]
    return windows if dtype == np.uint8 else [window.astype(np.float32) for window in windows]
