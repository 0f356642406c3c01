"""Samples of a data set as inputs of a model."""

import dataclasses
import json

from zoomill import made, supervisor
from zoomill.errors import UserError
from zoomill.inputs import readers, samples
from zoomill.inputs.preprocess import Preprocess


@dataclasses.dataclass(frozen=True)
class Samples:
    """A sample list, and how its samples become inputs.

    Attributes:
        path: of the list.
        folder: of the data set.
        form: how the data set's samples are read.
        preprocess: options of :class:`zoomill.inputs.preprocess.Preprocess`: fit, part, padding …
    """

    path: str
    folder: str
    form: dict
    preprocess: dict

    def inputs(self, promise, part=slice(None)):
        """Yield each sample with its arrays and the model's input for each of them.

        Args:
            promise: the contract's entry of the input.
            part: which of the samples.

        Raises:
            UserError: when the sample list is empty.
        """
        preprocess = Preprocess.of(promise, self.preprocess)
        chosen = samples.read_index(self.path)
        if not chosen:
            raise UserError(f"{self.path}: is empty")
        made.part_of(self.folder)
        for sample in chosen[part]:
            supervisor.step()
            arrays = readers.read(self.folder, sample, self.form)
            yield sample, arrays, [preprocess(array) for array in arrays]


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
