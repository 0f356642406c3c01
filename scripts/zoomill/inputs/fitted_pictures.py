"""The pictures of a sample list in the size of a model's input: decoded and resized once for all who score the model.

The file is an .npy array of records, in the order of the list: ``sha256`` of the sample, ``size``, height and width of
the picture, and ``pixels``, what :meth:`zoomill.inputs.preprocess.Preprocess.fitted` made of it.
"""

import numpy as np

from zoomill import files, supervisor
from zoomill.errors import UserError
from zoomill.inputs import readers
from zoomill.inputs.preprocess import Preprocess, read_picture


def write(path, samples, listed, promises, picture=read_picture):
    """Write the pictures of a list.

    Args:
        path: of the file.
        samples: :class:`zoomill.inputs.sample_inputs.Samples` whose form is that of pictures.
        listed: :class:`zoomill.inputs.samples.Sample` list.
        promises: the contract's inputs.
        picture: function that decodes one, see :func:`zoomill.inputs.readers.read`.

    Raises:
        UserError: when the model does not take a picture, or one cannot be read.
    """
    if len(promises) != 1 or not promises[0]["layout"]:
        raise UserError(f"its inputs are not one picture, which the samples of {samples.path} are")
    preprocess = Preprocess.of(promises[0], samples.preprocess)
    with files.written(path) as temporary, open(temporary, "wb") as file:
        for place, sample in enumerate(listed):
            supervisor.step()
            (decoded,) = readers.read(samples.folder, sample, samples.form, picture)
            pixels = preprocess.fitted(decoded)
            form = np.dtype([("sha256", "S64"), ("size", "<i4", 2), ("pixels", pixels.dtype, pixels.shape)])
            if not place:
                _write_header(file, form, len(listed))
            file.write(np.array((sample.sha256.encode(), decoded.shape[:2], pixels), form).tobytes())


def _write_header(file, form, count):
    """Write what an .npy file begins with. Not a memory map of it all, who writes to one dies of a full disk."""
    descr = np.lib.format.dtype_to_descr(form)
    np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": (count,)})


def reader(path, preprocess):
    """Return a function from the contract's inputs and a sample to the picture's size and ``[{input tensor: value}]``.

    Args:
        path: what :func:`write` wrote.
        preprocess: options of :class:`zoomill.inputs.preprocess.Preprocess`, those it was written with.
    """
    records = np.load(path, mmap_mode="r")
    places = {digest.decode(): place for place, digest in enumerate(records["sha256"])}

    def read(promises, sample):
        if sample.sha256 not in places:
            raise UserError(f"{path}: does not hold the sample {sample.name}")
        record = records[places[sample.sha256]]
        value = Preprocess.of(promises[0], preprocess).valued(record["pixels"])
        return tuple(record["size"].tolist()), [{promises[0]["tensor"]: value}]

    return read
