"""Samples of a data set as inputs of a model: a single one, or several by their names."""

import dataclasses
import json

import numpy as np

from zoomill import made, supervisor
from zoomill.errors import UserError
from zoomill.inputs import fitted_pictures, readers, samples
from zoomill.inputs.preprocess import Preprocess


@dataclasses.dataclass(frozen=True)
class Samples:
    """A sample list, and how its samples become inputs.

    Attributes:
        path: of the list.
        folder: of the data set.
        form: how the data set's samples are read.
        preprocess: options of :class:`zoomill.inputs.preprocess.Preprocess`: fit, part, padding …
        fitted: file of :mod:`zoomill.inputs.fitted_pictures` that holds the samples, None where they are read.
        at_most: how many arrays of a sample are taken, evenly spread; None for all.
    """

    path: str
    folder: str
    form: dict
    preprocess: dict
    fitted: str | None = None
    at_most: int | None = None

    def feeds(self, promises, part=slice(None)):
        """Yield each sample, height and width of its picture, and for each of its arrays ``{input tensor: value}``.

        Of what is no picture, the size is that of the array's first axes.

        Args:
            promises: the contract's inputs.
            part: which of the samples: a slice, or their places in the order in which they are wanted.

        Raises:
            UserError: when the sample list is empty, or a sample is not all inputs of the model.
        """
        chosen = samples.read_index(self.path)
        if not chosen:
            raise UserError(f"{self.path}: is empty")
        read = self._read if self.fitted is None else fitted_pictures.reader(self.fitted, self.preprocess)
        made.part_of(self.folder)
        for sample in chosen[part] if isinstance(part, slice) else (chosen[place] for place in part):
            supervisor.step()
            size, arrays = read(promises, sample)
            yield sample, size, arrays[:: -(-len(arrays) // (self.at_most or len(arrays)))]

    def _read(self, promises, sample):
        arrays = readers.read(self.folder, sample, self.form)
        return np.shape(arrays[0])[:2], [self.feed(promises, array, sample.name) for array in arrays]

    def feed(self, promises, array, name):
        """Return ``{input tensor: value}`` of one array of a sample, or of its arrays by the names of inputs."""
        if not isinstance(array, dict):
            if len(promises) != 1:
                raise UserError(
                    f"has {len(promises)} inputs; samples for them are .npz files that hold each by its name, "
                    "`reader: npz` in the data set's card"
                )
            array = {promises[0]["name"]: array}
        if lacking := [promise["name"] for promise in promises if promise["name"] not in array]:
            raise UserError(f"the sample {name} lacks {lacking[0]}, an input of the model; it has {', '.join(array)}")
        prepared = ((promise, Preprocess.of(promise, self.preprocess)) for promise in promises)
        return {promise["tensor"]: preprocess(array[promise["name"]]) for promise, preprocess in prepared}


def add_arguments(parser, purpose=None, required=False, prefix=""):
    """Add the flags of which :func:`of_flags` makes :class:`Samples`.

    Args:
        parser: argparse.ArgumentParser.
        purpose: what the samples are for.
        required: whether there are samples for any model.
        prefix: of the flags, where a command has several lists.
    """
    group = parser.add_argument_group(f"{prefix}samples", purpose)
    optional = {"required": required, "nargs": None if required else "?"}
    group.add_argument(f"--{prefix}samples", type=made.checked, **optional, help="sample list")
    group.add_argument(f"--{prefix}folder", type=made.unchecked, **optional, help="folder of the data set")
    group.add_argument(f"--{prefix}form", type=json.loads, required=required, help="JSON object: how samples are read")
    group.add_argument(
        f"--{prefix}preprocess", type=json.loads, default={}, help="JSON object: fit, part, padding, antialias"
    )


def of_flags(args, prefix=""):
    """Return the :class:`Samples` of the flags of :func:`add_arguments`, None without a list."""
    flags = (vars(args)[f"{prefix}{name}".replace("-", "_")] for name in ("samples", "folder", "form", "preprocess"))
    path, *others = flags
    return Samples(path, *others) if path else None
